import { afterEach, describe, expect, test } from 'vitest';
import type { MemoryLogBroker } from '../../../adapters/memory/memory-log-broker.ts';
import { connectorKey, decodeConnector, encodeConnector } from '../../../core/connector.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import { advance } from '../../../core/offset.ts';
import type { Invoker, LogBroker } from '../../../core/ports.ts';
import { createConnector } from '../../../scheduler/connector-actions.ts';
import type { Scheduler } from '../../../scheduler/scheduler.ts';
import type { SchedulerSettings } from '../../../scheduler/settings.ts';
import { brokerUnavailable, brokerWith } from '../../support/faulty-ports.ts';
import { aHost } from '../../support/hosts.ts';
import { outgoing } from '../../support/log-records.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { memorySource, memorySystem } from '../../support/memory-source.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aScheduler, invokerOn, until } from '../../support/schedulers.ts';
import { valuesIn } from '../../support/sink-shard.ts';

const started: Scheduler[] = [];

/** Otherwise their clocks go on for ever. */
afterEach(async () => {
  await Promise.all(started.splice(0).map((scheduler) => scheduler.stop()));
});

const queue = (queueId = 0): MessageQueue => ({ topic: 'orders', brokerName: 'memory', queueId });

/** A host with a sink of topic `orders`; the scheduler may see another log than its invocations. */
async function aWorld({ queues = 1, config = {} }: { queues?: number; config?: Readonly<Record<string, string>> } = {}) {
  const target = memoryTarget('append');
  const plugin = memorySink(target);
  const host = aHost({ plugins: [plugin, memorySource(memorySystem())] });
  const log = host.broker as MemoryLogBroker;
  log.createTopic('orders', { queues });
  const sinkConfig = { 'connector.class': plugin.name, topics: 'orders', 'value.converter': 'string', ...config };
  await createConnector(host, { name: 'orders-sink', config: sinkConfig });
  const invoker = invokerOn(host);
  const schedule = (changed: Partial<LogBroker>, settings: Partial<SchedulerSettings> = {}): void => {
    started.push(aScheduler({ ...host, broker: brokerWith(log, changed) }, { invoker, settings }).scheduler);
  };
  return { host, log, target, invoker, schedule, sinkConfig };
}

describe('Backlog', () => {
  test('a log whose watches fail is not asked for them all the time, and records are found all the same', async () => {
    const { host, log, target, schedule } = await aWorld({ queues: 2 });
    let watches = 0;
    schedule({
      watch() {
        watches += 1;
        throw brokerUnavailable();
      },
    });

    await host.clock.sleep(60_000);
    const asked = watches;
    await log.send(queue(), outgoing('a'));
    const tookMs = await until(host, () => valuesIn(target).length === 1);

    expect(asked).toBeLessThan(30);
    expect(tookMs).toBeLessThan(2_000);
  });

  test('goes on looking, however many looks there were', async () => {
    const { host, log, schedule } = await aWorld();
    let looks = 0;
    const bounds: LogBroker['bounds'] = (queues) => {
      looks += 1;
      return log.bounds(queues);
    };
    schedule({ bounds }, { topicLooksPerSecond: 2 });

    await host.clock.sleep(600_000);
    const early = looks;
    await host.clock.sleep(600_000);

    expect(looks - early).toBeGreaterThanOrEqual(19);
  });

  test('a watch that tells of records that are not there has fewer and fewer sent for them', async () => {
    const { host, schedule, invoker } = await aWorld({ config: { 'freshness.ms': '1' } });
    schedule({
      async *watch([watched]) {
        if (watched !== undefined) yield watched.queue;
      },
    });

    await host.clock.sleep(60_000);

    expect(invoker.offers.length).toBeGreaterThan(5);
    expect(invoker.offers.length).toBeLessThan(15);
  });

  test('a record that comes ends the pause of a shard whose invocations found nothing', async () => {
    const { host, log, target, schedule, invoker } = await aWorld();
    // As a replica would that is ahead of what can be read.
    schedule({ bounds: async (queues) => (await log.bounds(queues)).map((at) => at && { ...at, max: advance(at.max, 1) }) });
    await host.clock.sleep(300_000);
    const sent = invoker.offers.length;
    await until(host, () => invoker.offers.length > sent);
    await host.clock.sleep(100);

    await log.send(queue(), outgoing('a'));
    const tookMs = await until(host, () => valuesIn(target).length === 1);

    expect(tookMs).toBeLessThan(1_000);
  });

  test('a discovery of what is no source any more is left alone for a while that doubles', async () => {
    const { host, sinkConfig } = await aWorld();
    const key = connectorKey('rows');
    await createConnector(host, { name: 'rows', config: { 'connector.class': 'memory-source', 'value.converter': 'string' } });
    const invoker = invokerOn(host);
    const becomesSink: Invoker = {
      freeSlots: () => invoker.freeSlots(),
      async invoke(offer) {
        const document = await host.store.get(key);
        const connector = decodeConnector(document?.value ?? '', 'rows');
        const changed = encodeConnector({ ...connector, config: sinkConfig, revision: 2 });
        if (offer.connector === 'rows') await host.store.put(key, changed, { ifVersion: document?.version ?? '' });
        return invoker.invoke(offer);
      },
    };
    const { scheduler } = aScheduler(host, { invoker: becomesSink, settings: { sweepMs: 3_600_000 } });
    started.push(scheduler);

    await host.clock.sleep(60_000);

    const sent = invoker.offers.filter(({ connector }) => connector === 'rows').length;
    expect(sent).toBeLessThan(15);
  });

  test('whoever leads anew sends for a backlog before it has looked at the topic', async () => {
    const { host, log, target, schedule } = await aWorld();
    await log.send(queue(), outgoing('a'));
    schedule({});
    await until(host, () => valuesIn(target).length === 1);
    await Promise.all(started.splice(0).map((scheduler) => scheduler.stop()));
    await host.clock.sleep(60_000);
    await log.send(queue(), outgoing('b', 'c'));

    schedule({}, { topicLooksPerSecond: 0 });
    const tookMs = await until(host, () => valuesIn(target).length === 3);

    expect(tookMs).toBeLessThan(1_000);
  });
});
