/** Where rocketmq-source puts consumer groups at the target. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { MemoryLogBroker } from '../../adapters/memory/memory-log-broker.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import type { Offset } from '../../core/offset.ts';
import { positionHeaders } from '../../core/record/position-headers.ts';
import { sourceShardId } from '../../core/shard-id.ts';
import type { SourceReader } from '../../plugins/api/source.ts';
import { rocketmqSource } from '../../plugins/sources/rocketmq-source.ts';
import { anOutgoingRecord, outgoing } from '../support/log-records.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { aPluginContext } from '../support/plugin-context.ts';
import { BROKER, StandInCluster } from '../support/stand-in-cluster.ts';
import { LIMITS, NEVER } from './source/source-under-test.ts';

const GROUP = 'billing';

interface World {
  readonly cluster: StandInCluster;
  readonly log: MemoryLogBroker;
  readonly clock: ManualClock;
  readonly targets: readonly MessageQueue[];
  /** As the runtime copies it. */
  copy(queueId: number, at: number, options: { readonly to: number; readonly uid?: string }): Promise<void>;
  reader(keys?: Readonly<Record<string, string>>): Promise<SourceReader>;
  /** Of the group, by queue of the target. */
  offsets(): Promise<readonly (Offset | null)[]>;
}

/** Two queues of `orders` at the source, as many at the target. */
async function aWorld(): Promise<World> {
  const clock = new ManualClock();
  const cluster = await StandInCluster.start({ nowMs: clock.nowMs() });
  cluster.createTopic('orders', { queues: 2 });
  const log = new MemoryLogBroker({ clock });
  log.createTopic('orders', { queues: 2 });
  const targets = await log.queues('orders');
  const context = aPluginContext({ clock, broker: log });

  return {
    cluster,
    log,
    clock,
    targets,
    async copy(queueId, at, { to, uid = 'uid' }) {
      const shard = sourceShardId(uid, ['queue', 'orders', BROKER, String(queueId)]);
      const storedAtMs = cluster.queue('orders', queueId).messages[at]?.storedAtMs ?? 0;
      const headers = positionHeaders(`${shard}#1`)(`${at}.${storedAtMs}`);
      await log.send(targets[to] as MessageQueue, [anOutgoingRecord({ headers })]);
    },
    async reader(keys = {}) {
      const config = { 'namesrv.addr': cluster.server.address, 'source.topics': 'orders', 'sync.groups': GROUP, ...keys };
      const reader = await rocketmqSource.open(rocketmqSource.config.parse(config), ['groups'], null, context);
      onTestFinished(() => reader.close());
      return reader;
    },
    async offsets() {
      const noted = (await log.groups('orders')).get(GROUP) ?? [];
      return targets.map(({ queueId }) => noted.find(({ queue }) => queue.queueId === queueId)?.offset ?? null);
    },
  };
}

function consume({ cluster }: World, queueId: number, upTo: number): void {
  cluster.queue('orders', queueId).groups.set(GROUP, upTo);
}

describe('rocketmq-source, the offsets of a group', () => {
  test('are those of the first copies that the group has not consumed at the source', async () => {
    const world = await aWorld();
    for (const target of world.targets) await world.log.send(target, outgoing('of another producer'));
    for (const queueId of [0, 1]) {
      world.cluster.append('orders', queueId, outgoing('a', 'b', 'c', 'd', 'e'));
      for (let at = 0; at < 5; at += 1) await world.copy(queueId, at, { to: queueId });
    }
    consume(world, 0, 3);
    consume(world, 1, 5);

    const result = await (await world.reader()).poll(LIMITS, NEVER);

    expect(result).toEqual({ records: [], checkpoint: null, idleForMs: 60_000 });
    expect(await world.offsets()).toEqual([4n, 6n]);
  });

  test('pass over no copy of a queue that the group is behind in, where several go to one', async () => {
    const world = await aWorld();
    for (const queueId of [0, 1]) world.cluster.append('orders', queueId, outgoing('a', 'b', 'c'));
    for (let at = 0; at < 3; at += 1) for (const queueId of [0, 1]) await world.copy(queueId, at, { to: 0 });
    consume(world, 0, 3);
    consume(world, 1, 1);

    await (await world.reader()).poll(LIMITS, NEVER);

    expect(await world.offsets()).toEqual([3n, 0n]);
  });

  test('are those of the beginning of a queue that the group has not begun', async () => {
    const world = await aWorld();
    for (const queueId of [0, 1]) {
      world.cluster.append('orders', queueId, outgoing('a', 'b'));
      for (const at of [0, 1]) await world.copy(queueId, at, { to: queueId });
    }
    consume(world, 0, 2);

    await (await world.reader()).poll(LIMITS, NEVER);

    expect(await world.offsets()).toEqual([2n, 0n]);
  });

  test('follow the group, though it is ahead of the copies, and never go back', async () => {
    const world = await aWorld();
    world.cluster.append('orders', 0, outgoing('a', 'b', 'c', 'd'));
    consume(world, 0, 3);
    await world.copy(0, 0, { to: 0 });
    const reader = await world.reader();
    const offsets: (Offset | null | undefined)[] = [];

    for (const at of [1, 2, 3]) {
      await reader.poll(LIMITS, NEVER);
      offsets.push((await world.offsets())[0]);
      await world.copy(0, at, { to: 0 });
      world.clock.advance(60_000);
    }
    consume(world, 0, 1);
    await reader.poll(LIMITS, NEVER);
    offsets.push((await world.offsets())[0]);

    expect(offsets).toEqual([1n, 2n, 3n, 3n]);
  });

  test('are looked at in their time, and nobody is asked between', async () => {
    const world = await aWorld();
    consume(world, 0, 0);
    const reader = await world.reader({ 'sync.groups.interval.ms': '5000' });
    await reader.poll(LIMITS, NEVER);
    const asked = world.cluster.server.requests.length;
    world.clock.advance(2_000);

    const result = await reader.poll(LIMITS, NEVER);

    expect(result).toEqual({ records: [], checkpoint: null, idleForMs: 3_000 });
    expect(world.cluster.server.requests.length).toBe(asked);
  });

  test('are not noted of a group that the source does not know', async () => {
    const world = await aWorld();
    world.cluster.append('orders', 0, outgoing('a'));
    await world.copy(0, 0, { to: 0 });

    await (await world.reader()).poll(LIMITS, NEVER);

    expect(await world.offsets()).toEqual([null, null]);
  });

  test('say nothing of what another connector copied', async () => {
    const world = await aWorld();
    world.cluster.append('orders', 0, outgoing('a', 'b'));
    await world.copy(0, 0, { to: 0, uid: 'another' });
    await world.copy(0, 1, { to: 0 });
    consume(world, 0, 0);

    await (await world.reader()).poll(LIMITS, NEVER);

    expect((await world.offsets())[0]).toBe(1n);
  });

  test('are found from the time on when the oldest record was stored that is not consumed', async () => {
    const world = await aWorld();
    for (let at = 0; at < 5; at += 1) {
      world.cluster.nowMs = world.clock.nowMs();
      world.cluster.append('orders', 0, outgoing('a'));
      await world.copy(0, at, { to: 0 });
      world.clock.advance(100_000);
    }
    consume(world, 0, 3);
    const read: bigint[] = [];
    const { log } = world;
    const readOf = log.read.bind(log);
    log.read = (queue, from, limits, signal) => {
      read.push(from);
      return readOf(queue, from, limits, signal);
    };

    await (await world.reader()).poll(LIMITS, NEVER);

    expect((await world.offsets())[0]).toBe(3n);
    expect(read).toEqual([3n, 0n]);
  });
});
