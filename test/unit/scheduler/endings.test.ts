import { describe, expect, onTestFinished, test } from 'vitest';
import type { MemoryLogBroker } from '../../../adapters/memory/memory-log-broker.ts';
import { encodeCursor } from '../../../core/cursor/codec.ts';
import { cursorKey } from '../../../core/cursor/stored-cursor.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import { type InvocationEnd, NO_COUNTS, type Offer, type RunRecord } from '../../../core/offer.ts';
import { offset } from '../../../core/offset.ts';
import type { Clock } from '../../../core/ports.ts';
import { queueShardId } from '../../../core/shard-id.ts';
import { createConnector } from '../../../scheduler/connector-actions.ts';
import { aLogCursor } from '../../support/builders.ts';
import { aHost } from '../../support/hosts.ts';
import { outgoing } from '../../support/log-records.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { InvokerByHand, aScheduler as startScheduler, until } from '../../support/schedulers.ts';
import { numbered } from '../../support/sink-shard.ts';

const REFUSED: InvocationEnd = { kind: 'refused', message: 'no slot' };
const DIED: InvocationEnd = { kind: 'died', owner: null, isGone: true, message: 'out of memory' };

function ended({ id, connector, shard }: Offer, how: Pick<RunRecord, 'outcome'>): InvocationEnd {
  const times = { startedAtMs: 1, endedAtMs: 2 };
  const run = { offerId: id, owner: `${id}/run`, connector, shard, ...times, ...how, counts: NO_COUNTS };
  return { kind: 'completed', result: { run, cursor: null, notBeforeMs: null } };
}

type Completed = Extract<InvocationEnd, { kind: 'completed' }>;

interface BusyFields {
  readonly queues?: number;
  readonly records?: number;
  readonly slots?: number;
  readonly clockOf?: (clock: Clock) => Clock;
}

/** A connector whose queues have more records each than eight invocations take at once, and the offers that are sent for it. */
async function aBusyShard(
  config: Readonly<Record<string, string>> = {},
  { queues = 1, records = 20_000, slots = 100, clockOf = (clock: Clock): Clock => clock }: BusyFields = {},
) {
  const plugin = memorySink(memoryTarget('append'));
  const host = aHost({ plugins: [plugin] });
  const log = host.broker as MemoryLogBroker;
  log.createTopic('orders', { queues });
  const { uid } = await createConnector(host, {
    name: 'orders-sink',
    config: { 'connector.class': plugin.name, topics: 'orders', 'value.converter': 'string', ...config },
  });
  const cursor = aLogCursor({ next: offset(0), open: [], gate: { state: 'running', revision: 1 } });
  for (let queueId = 0; queueId < queues; queueId += 1) {
    const queue: MessageQueue = { topic: 'orders', brokerName: 'memory', queueId };
    await log.send(queue, outgoing(...numbered(records)));
    await host.store.put(cursorKey(queueShardId(uid, queue)), encodeCursor(cursor), { ifAbsent: true });
  }
  const invoker = new InvokerByHand();
  invoker.slots = slots;
  const { scheduler } = startScheduler(host, { invoker, clock: clockOf(host.clock) });
  onTestFinished(() => scheduler.stop());
  return { host, invoker, scheduler, uid };
}

const eightSlices = { 'tasks.max': '8', 'delivery.order': 'none', 'queue.slices.max': '8' };

describe('Endings', () => {
  test('takes the end of a host for one death of a shard, however many of its slices ran there', async () => {
    const { host, invoker } = await aBusyShard(eightSlices);
    await until(host, () => invoker.offers.length === 8);

    await Promise.all(invoker.offers.map((_, index) => invoker.end(index, DIED)));
    const tookMs = await until(host, () => invoker.offers.length > 8);

    expect(tookMs).toBeLessThan(1_500);
  });

  test.each([
    ['whose invocations are fenced', (offer: Offer) => ended(offer, { outcome: 'fenced' })],
    ['that hosts take no offer of', (): InvocationEnd => ({ kind: 'refused', message: 'one waits', isForShard: true })],
  ])('leaves a shard alone for longer and longer %s again and again', async (_, endOf) => {
    const { host, invoker } = await aBusyShard();
    await until(host, () => invoker.offers.length === 1);

    const pausesMs: number[] = [];
    for (let index = 0; index < 9; index += 1) {
      await invoker.end(index, endOf(invoker.offers[index] as Offer));
      pausesMs.push(await until(host, () => invoker.offers.length === index + 2));
    }

    expect(pausesMs.every((pauseMs, index) => pauseMs >= Math.min(250 * 2 ** index, 15_000))).toBe(true);
    expect(pausesMs.at(-1)).toBeLessThan(16_500);
  });

  test('leaves a shard alone no longer because the clock is put back', async () => {
    let backMs = 0;
    const { host, invoker } = await aBusyShard(
      {},
      {
        clockOf: (clock) => ({
          nowMs: () => clock.nowMs() - backMs,
          monotonicMs: () => clock.monotonicMs(),
          sleep: (...args) => clock.sleep(...args),
        }),
      },
    );
    await until(host, () => invoker.offers.length === 1);

    await invoker.end(0, DIED);
    await host.clock.sleep(1);
    backMs = 300_000;
    const tookMs = await until(host, () => invoker.offers.length === 2);

    expect(tookMs).toBeLessThan(3_000);
  });

  test('sends nobody again and again for what a host whose clock is behind says is held until just now', async () => {
    const { host, invoker } = await aBusyShard({ 'tasks.max': '1' });
    await until(host, () => invoker.offers.length === 1);
    const startedAtMs = host.clock.monotonicMs();

    while (host.clock.monotonicMs() - startedAtMs < 2_000) {
      const last = invoker.offers.length - 1;
      const { result, ...end } = ended(invoker.offers[last] as Offer, { outcome: null }) as Completed;
      const endedAtMs = host.clock.nowMs();
      const refused = { ...result, run: { ...result.run, refusal: 'held', endedAtMs }, notBeforeMs: endedAtMs - 1 };
      await invoker.end(last, { ...end, result: refused });
      await until(host, () => invoker.offers.length > last + 1);
    }

    expect(invoker.offers.length).toBeLessThan(6);
  });

  test('comes back as long after an end as the invocation said, whatever the clock of its host shows', async () => {
    const { host, invoker } = await aBusyShard({ 'tasks.max': '1' });
    await until(host, () => invoker.offers.length === 1);
    const { result, ...end } = ended(invoker.offers[0] as Offer, { outcome: 'failed' }) as Completed;
    const endedAtMs = host.clock.nowMs() - 5_000;
    const failed = { ...result, run: { ...result.run, endedAtMs }, notBeforeMs: endedAtMs + 4_800 };

    await invoker.end(0, { ...end, result: failed });
    const tookMs = await until(host, () => invoker.offers.length === 2);

    expect(tookMs).toBeGreaterThanOrEqual(4_800);
    expect(tookMs).toBeLessThan(6_000);
  });

  test('lets others go first where the offers of a shard are lost again and again', async () => {
    const { host, invoker } = await aBusyShard({ 'tasks.max': '1' }, { queues: 2 });
    await until(host, () => invoker.offers.length === 1);

    await invoker.end(0, { kind: 'lost', message: 'connection lost' });
    await until(host, () => invoker.offers.length === 2);

    expect(invoker.offers[1]?.shard).not.toBe(invoker.offers[0]?.shard);
  });

  test('sends a triggered shard again whose offer was lost', async () => {
    const { host, invoker, scheduler, uid } = await aBusyShard({ 'freshness.ms': '600000' }, { records: 1 });
    await host.clock.sleep(5_000);
    await scheduler.trigger(uid);
    await until(host, () => invoker.offers.length === 1);

    await invoker.end(0, { kind: 'lost', message: 'connection lost' });
    const tookMs = await until(host, () => invoker.offers.length === 2);

    expect(tookMs).toBeLessThan(15_000);
  });

  test('lets a shard whose offer was turned away have the next place, before others that wait as long', async () => {
    const { host, invoker } = await aBusyShard({}, { queues: 3, slots: 1 });
    await until(host, () => invoker.offers.length === 1);

    for (let index = 0; index < 5; index += 1) {
      await invoker.end(index, REFUSED);
      await until(host, () => invoker.offers.length === index + 2);
    }

    expect(new Set(invoker.offers.map(({ shard }) => shard)).size).toBe(1);
  });

  test('sends a triggered shard again at once whose offer was turned away', async () => {
    const { host, invoker, scheduler, uid } = await aBusyShard({ 'freshness.ms': '600000' }, { records: 1 });
    await host.clock.sleep(5_000);
    const before = invoker.offers.length;
    await scheduler.trigger(uid);
    await until(host, () => invoker.offers.length === 1);

    await invoker.end(0, REFUSED);
    const tookMs = await until(host, () => invoker.offers.length === 2);

    expect(before).toBe(0);
    expect(tookMs).toBeLessThan(1_000);
  });
});
