import { describe, expect, onTestFinished, test } from 'vitest';
import type { MemoryLogBroker } from '../../../adapters/memory/memory-log-broker.ts';
import { NO_COUNTS, type Offer, type RunRecord } from '../../../core/offer.ts';
import { createConnector } from '../../../scheduler/connector-actions.ts';
import { readRuns } from '../../../scheduler/run-history.ts';
import { aHost, type TestHost } from '../../support/hosts.ts';
import { outgoing } from '../../support/log-records.ts';
import { aScheduler, InvokerByHand, until } from '../../support/schedulers.ts';

describe('Scheduler', () => {
  test('writes down the runs it hears of when another one leads', async () => {
    const host = aHost();
    const log = host.broker as MemoryLogBroker;
    log.createTopic('orders', { queues: 1 });
    await log.send({ topic: 'orders', brokerName: 'memory', queueId: 0 }, outgoing('0'));
    const { uid } = await createConnector(host, {
      name: 'orders',
      config: { 'connector.class': 'discard-sink', topics: 'orders' },
    });
    const invoker = new InvokerByHand();
    const { scheduler } = aScheduler(host, { invoker });
    onTestFinished(() => scheduler.stop());
    await until(host, () => invoker.offers.length === 1);

    await until(host, async () => {
      await leadElsewhere(host);
      return !scheduler.leads;
    });
    await invoker.end(0, {
      kind: 'completed',
      result: { run: aRun(invoker.offers[0] as Offer), cursor: null, notBeforeMs: null },
    });
    for (let second = 0; second < 10; second += 1) {
      await leadElsewhere(host);
      await host.clock.sleep(1_000);
    }

    expect(scheduler.leads).toBe(false);
    expect(await readRuns(host.store, uid, { runsMax: 10 })).toHaveLength(1);
  });
});

/** Another scheduler takes the lead, or renews it. */
async function leadElsewhere({ store, clock }: TestHost): Promise<void> {
  const lead = { partition: 'scheduler', sort: 'leader' };
  const { version = '' } = (await store.get(lead)) ?? {};
  await store.put(lead, JSON.stringify({ v: 1, owner: 'another', untilMs: clock.nowMs() + 15_000 }), { ifVersion: version });
}

function aRun({ id, connector, shard }: Offer): RunRecord {
  return {
    offerId: id,
    owner: `${id}/run`,
    connector,
    shard,
    startedAtMs: 1,
    endedAtMs: 2,
    outcome: 'yielded',
    counts: { ...NO_COUNTS, slices: 1, read: 1, delivered: 1, storeWrites: 1 },
  };
}
