/** The product's ports as one incarnation has them: every call travels, and every write is checked where it happens. */
import { type Connector, connectorKey, decodeConnector } from '../../../core/connector.ts';
import { decodeCursor } from '../../../core/cursor/codec.ts';
import type { CheckpointCursor } from '../../../core/cursor/cursor.ts';
import { readSourceCheckpoint } from '../../../core/cursor/source-checkpoint.ts';
import { RetryableError } from '../../../core/errors.ts';
import { jsonEquals } from '../../../core/json.ts';
import { type MessageQueue, queueKey } from '../../../core/message-queue.ts';
import { advance, offset } from '../../../core/offset.ts';
import type { DocumentKey, LogBroker, OutgoingRecord, StateStore, Telemetry } from '../../../core/ports.ts';
import type { LogHeaders } from '../../../core/record/connect-record.ts';
import { queueOfShard, type ShardId, sourceShardId } from '../../../core/shard-id.ts';
import { checkCursorWrite } from '../checks/check-cursor-write.ts';
import type { Incarnation } from './incarnation.ts';
import { rowOf } from './setup.ts';
import type { World } from './world.ts';

/** Longer than a put may take; and now and then as long as a broker may take to answer, which is longer than a claim. */
const SEND_HANGS_MS = [2_500, 8_000] as const;
const SEND_HANGS_LONG_MS = [20_000, 29_500] as const;
const HANGS_LONG = 0.2;

const CONNECTORS = connectorKey('').partition;

export function storeOf(world: World, caller: Incarnation): StateStore {
  const { store } = world;
  return {
    get: (key) =>
      caller.call({ side: 'store', what: `get ${key.sort}`, writes: false }, async () => {
        caller.storeReads += 1;
        const document = await store.get(key);
        if (document === null || key.partition !== CONNECTORS) return document;
        caller.noteConnector(decodeConnector(document.value, key.sort));
        if (caller.name.startsWith('host-')) world.connectorRead(key.sort);
        return document;
      }),
    put: (key, value, condition, options) =>
      caller.call(
        { side: 'store', what: `put ${key.sort} ${value}`, writes: true, sendFollows: storesPins(world, key, value) },
        async () => {
          const result = await store.put(key, value, condition, options);
          if (!('version' in result)) world.faults.note('16 conflicting write');
          else if (key.partition === CONNECTORS) noteConnector(world, decodeConnector(value, key.sort));
          else if (isCursor(key.partition)) {
            const shard = key.sort as ShardId;
            checkCursorWrite(world, {
              shard,
              caller,
              before: world.cursors.get(shard) ?? null,
              after: decodeCursor(value, shard),
            });
          }
          return result;
        },
      ),
    delete: (key, condition) =>
      caller.call({ side: 'store', what: `delete ${key.sort}`, writes: true }, async () => {
        const result = await store.delete(key, condition);
        if ('deleted' in result && isCursor(key.partition)) world.cursors.delete(key.sort as ShardId);
        return result;
      }),
    list: (partition, page) =>
      caller.call({ side: 'store', what: `list ${partition}`, writes: false }, () => {
        caller.storeReads += 1;
        return store.list(partition, page);
      }),
  };
}

/** A new place beside the same checkpoint: an exactly-once source stores where its queues end, and then sends to them. */
function storesPins(world: World, { partition, sort }: DocumentKey, value: string): boolean {
  const shard = sort as ShardId;
  const before = world.cursors.get(shard);
  if (!isCursor(partition) || before?.kind !== 'checkpoint') return false;
  const after = decodeCursor(value, shard) as CheckpointCursor;
  const { p, q } = readSourceCheckpoint(after.checkpoint);
  const was = readSourceCheckpoint(before.checkpoint);
  return after.holder !== null && q !== undefined && jsonEquals(p, was.p) && !jsonEquals(q, was.q ?? null);
}

function isCursor(partition: string): boolean {
  return partition.startsWith('cursors/');
}

function noteConnector(world: World, { name, uid, targetState }: Connector): void {
  world.uids.set(name, uid);
  world.offers.connector(uid, { isOpen: targetState === 'running', nowMs: world.time.nowMs });
}

export function brokerOf(world: World, caller: Incarnation): LogBroker {
  const { broker } = world;
  const read = (what: string) => ({ side: 'broker' as const, what, writes: false });
  const isThere = (queue: MessageQueue): boolean => (world.awayUntilMs.get(queueKey(queue)) ?? 0) <= world.time.nowMs;
  const reach = (queue: MessageQueue): void => {
    if (isThere(queue)) return;
    throw new RetryableError(`the broker of queue ${queueKey(queue)} is away`, { code: 'broker.unavailable' });
  };
  return {
    sendLandsWithinMs: broker.sendLandsWithinMs,
    topicProblem: () => broker.topicProblem(),
    filterProblem: (filter) => caller.call(read('check filter'), () => broker.filterProblem(filter)),
    queues: (topic) => caller.call(read(`queues ${topic}`), async () => (await broker.queues(topic)).filter(isThere)),
    topics: () => caller.call(read('topics'), () => broker.topics()),
    bounds: (queues) =>
      caller.call(read(`bounds ${queues.map(queueKey).join(' ')}`), async () => {
        const bounds = await broker.bounds(queues);
        return bounds.map((found, index) => (isThere(queues[index] as MessageQueue) ? found : null));
      }),
    read: (queue, from, limits, signal) =>
      caller.call(read(`read ${queueKey(queue)} from ${from}`), () => {
        reach(queue);
        return broker.read(queue, from, limits, signal);
      }),
    send: async (queue, records) => {
      const isOfSource = world.setups.some(({ kind, topic }) => kind === 'source' && topic === queue.topic);
      // On its way, so that a send of which its sender was told that it failed still lands within a second (`LogBroker.send`).
      if (isOfSource && world.faults.strikes('22 send hangs', 0.04)) await hang(world, queue.topic);
      return caller.call(
        { side: 'broker', what: `send ${records.length} to ${queueKey(queue)}`, writes: true, mayBeLate: true },
        async () => {
          reach(queue);
          // An adapter may have to split a batch, and get no further than its first part.
          const isCut = records.length > 1 && world.faults.strikes('23 send cut short', 0.02);
          const sent = isCut ? records.slice(0, world.random.int(1, records.length - 1)) : records;
          const result = await broker.send(queue, sent);
          noteDeadLetters(
            world,
            sent.map(({ headers }) => headers),
          );
          noteRows(
            world,
            queue.topic,
            result.refused.length === 0
              ? sent
              : sent.filter((_, index) => !result.refused.some((refusal) => refusal.index === index)),
          );
          if (isCut) throw new RetryableError('broker: no reply', { code: 'broker.unavailable' });
          return result;
        },
      );
    },
    ensureTopic: (topic, options) => caller.call(read(`create ${topic}`), () => broker.ensureTopic(topic, options)),
    offsetAt: (queue, atMs) => caller.call(read(`offset at ${atMs}`), () => broker.offsetAt(queue, atMs)),
    noteGroup: (group, offsets) => caller.call(read(`note ${group}`), () => broker.noteGroup(group, offsets)),
    groups: (topic) => caller.call(read(`groups ${topic}`), () => broker.groups(topic)),
    watch: (...watch) => watchOf(world, ...watch),
  };
}

/** A log may refuse a watch, or let go of it at any moment (a connection, a limit of its own) without having told anything. */
async function* watchOf({ broker, faults, outages, random, time }: World, ...watch: Parameters<LogBroker['watch']>) {
  const isOut = (outages.get('broker') ?? 0) > time.nowMs;
  if (isOut || faults.strikes('watch refused', 0.2)) throw new RetryableError('broker: no watch', { code: 'broker.unavailable' });
  if (faults.strikes('watch ended', 0.2)) return time.delay(random.between(0, 2_000));
  yield* broker.watch(...watch);
}

async function hang({ hangingSends, time, random }: World, topic: string): Promise<void> {
  hangingSends.set(topic, (hangingSends.get(topic) ?? 0) + 1);
  const [min, max] = random.chance(HANGS_LONG) ? SEND_HANGS_LONG_MS : SEND_HANGS_MS;
  await time.delay(random.between(min, max));
  hangingSends.set(topic, (hangingSends.get(topic) ?? 0) - 1);
}

/** A source's row is finished once it is in its topic. */
function noteRows(world: World, topic: string, records: readonly OutgoingRecord[]): void {
  const setup = world.setups.find((candidate) => candidate.kind === 'source' && candidate.topic === topic);
  const uid = setup === undefined ? undefined : world.uids.get(setup.name);
  if (uid === undefined) return;
  for (const { value } of records) {
    const row = rowOf(value);
    if (row === null) continue;
    const { part, seq } = row;
    const shard = sourceShardId(uid, ['rows', part]);
    world.finish(shard, world.cursors.get(shard)?.generation ?? 1, seq);
  }
}

/** A dead-lettered record is finished as soon as its letter is in the log (I5). */
function noteDeadLetters(world: World, letters: readonly LogHeaders[]): void {
  for (const headers of letters) {
    const id = headers.find(([name]) => name === 'sortie.errors.id')?.[1];
    if (id === undefined) continue;
    const parts = id.split('/');
    const at = offset(BigInt(parts.pop() ?? '0'));
    const generation = Number(parts.pop());
    finishAt(world, parts.join('/') as ShardId, generation, at);
  }
}

function finishAt(world: World, shard: ShardId, generation: number, at: ReturnType<typeof offset>): void {
  const queue = queueOfShard(shard);
  const record = queue === undefined ? undefined : world.recordsAt(queue, at).at(-1);
  if (record !== undefined) world.finish(shard, generation, record);
}

/** Drops are told to operators only by a log line, so that is what counts here too (I10). */
export function telemetryOf(world: World, caller: Incarnation): Telemetry {
  return {
    count: () => undefined,
    run: (record) => {
      caller.audit.counted(record.shard, record.counts.dropped);
      if (record.outcome === 'fenced' || record.error?.code.startsWith('store.') === true) caller.audit.excuse(record.shard);
      world.note(
        caller.name,
        `run ${record.shard}: ${record.outcome ?? record.refusal} ${record.error === undefined ? '' : `${record.error.code} ${record.error.message}`}`,
      );
    },
    log: (level, message, fields) => {
      world.note(caller.name, `${level}: ${message} ${String(fields['position'] ?? '')}`);
      const { shard, position } = fields;
      if (level === 'error' && typeof shard === 'string') caller.audit.logged(shard as ShardId, 'error');
      if (!message.startsWith('dropped') || typeof shard !== 'string' || typeof position !== 'string') return;
      caller.audit.logged(shard as ShardId, 'drop');
      const generation = world.cursors.get(shard as ShardId)?.generation ?? 0;
      const at = position.split('@')[1];
      if (at !== undefined) finishAt(world, shard as ShardId, generation, advance(offset(0), BigInt(at)));
      else world.finish(shard as ShardId, generation, Number(position));
    },
  };
}
