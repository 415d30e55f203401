/**
 * A connector's positions as Kafka Connect calls them: partitions and their offsets.
 *
 * - A sink's partition is a message queue: `kafka_topic`, `kafka_partition` (the queue's id) and, since each broker numbers its own,
 *   `broker_name`, which may be left out where no two brokers have that queue. Its offset is the watermark, `kafka_offset`.
 * - A source's partition is a shard by the names its plugin gave it, `shard`. Its offset is the plugin's own, `checkpoint`.
 *
 * A change is a reset: a new generation of each shard that is named (I3). It may die half-way, and be sent again as it was.
 */
import type { Connector } from '../core/connector.ts';
import { createLogCursor, watermark } from '../core/cursor/cursor.ts';
import { CHECKPOINT_CHARACTERS_MAX, readSourceCheckpoint } from '../core/cursor/source-checkpoint.ts';
import { type ResetRefusal, raiseGate } from '../core/cursor/steer.ts';
import { type StoreAccess, StoredCursor } from '../core/cursor/stored-cursor.ts';
import type { Json } from '../core/json.ts';
import type { MessageQueue } from '../core/message-queue.ts';
import { type Offset, offset } from '../core/offset.ts';
import type { LogBroker, QueueBounds } from '../core/ports.ts';
import { queueOfShard, queueShardId, type ShardId, sourceNamesOfShard, sourceShardId } from '../core/shard-id.ts';
import { startOffset } from '../core/start-offset.ts';
import { type ResetPositions, resetOffsets } from './connector-actions.ts';
import type { ConnectorView } from './connector-view.ts';
import type { ShardView } from './status.ts';

export interface OffsetDeps extends StoreAccess {
  readonly broker: Pick<LogBroker, 'queues' | 'bounds' | 'offsetAt'>;
  readonly skewMaxMs: number;
}

/** Where a queue is to be read from. */
export interface SinkPosition {
  readonly topic: string;
  readonly queueId: number;
  readonly brokerName: string | null;
  /** `null`: where a new connector would start. */
  readonly offset: bigint | StartPosition | null;
}

/** As the log stands now; `fromMs`: at the first record stored then or later. */
export type StartPosition = 'earliest' | 'latest' | { readonly fromMs: number };

/** `null`: the beginning. */
export interface SourcePosition {
  readonly names: readonly string[];
  readonly checkpoint: Json;
}

export interface PartitionOffset {
  readonly partition: Readonly<Record<string, Json>>;
  readonly offset: Readonly<Record<string, Json>> | null;
}

/** Why positions cannot be changed so. */
export class OffsetsRefused extends Error {
  override readonly name = 'OffsetsRefused';
}

export function offsetsOf({ shards }: ConnectorView): readonly PartitionOffset[] {
  return shards.flatMap((shard) => partitionOffset(shard) ?? []);
}

/**
 * The shards that were not changed, with why: an invocation may still hold them, or the connector is not stopped any more.
 *
 * @throws {OffsetsRefused} for a queue that the connector does not read, or an offset that its log does not hold.
 */
export async function alterSink(
  deps: OffsetDeps,
  view: ConnectorView,
  positions: readonly SinkPosition[],
): Promise<ReadonlyMap<ShardId, ResetRefusal | 'unknown-shard'>> {
  const wanted = new Map<ShardId, Offset>();
  for (const position of positions) {
    const queue = await queueOf(deps, view, position);
    wanted.set(queueShardId(view.connector.uid, queue), await wantedOffset(deps, view.connector, { queue, at: position.offset }));
  }
  return resetOffsets(deps, view.connector, { positions: await uncreated(deps, view, wanted), skewMaxMs: deps.skewMaxMs });
}

/** As above. @throws {OffsetsRefused} for a shard that the source has not found, or a checkpoint that is too large. */
export function alterSource(
  deps: OffsetDeps,
  { connector, shards }: ConnectorView,
  positions: readonly SourcePosition[],
): Promise<ReadonlyMap<ShardId, ResetRefusal | 'unknown-shard'>> {
  const known = new Set(shards.map(({ shard }) => shard));
  const wanted = new Map<ShardId, Json>();
  for (const { names, checkpoint } of positions) {
    const shard = sourceShardId(connector.uid, names);
    if (!known.has(shard)) {
      throw new OffsetsRefused(
        `Connector ${connector.name} has found no shard ${JSON.stringify(names)}; it finds them when it runs`,
      );
    }
    const size = JSON.stringify(checkpoint).length;
    if (size > CHECKPOINT_CHARACTERS_MAX) {
      throw new OffsetsRefused(`A checkpoint has at most ${CHECKPOINT_CHARACTERS_MAX} characters, not ${size}`);
    }
    wanted.set(shard, checkpoint);
  }
  return resetOffsets(deps, connector, { positions: wanted, skewMaxMs: deps.skewMaxMs });
}

/** Every shard goes to where a new connector's would start. */
export async function resetAll(
  deps: OffsetDeps,
  { connector, shards }: ConnectorView,
): Promise<ReadonlyMap<ShardId, ResetRefusal | 'unknown-shard'>> {
  const positions = new Map<ShardId, Offset | Json>();
  // One after the other: thousands of queues would crowd out the invocations at their broker.
  for (const { shard } of shards) {
    const queue = queueOfShard(shard);
    if (queue !== undefined) positions.set(shard, await startOf(deps, connector, queue));
    else if (sourceNamesOfShard(shard) !== undefined) positions.set(shard, null);
  }
  return resetOffsets(deps, connector, { positions, skewMaxMs: deps.skewMaxMs });
}

// ---------------------------------------------------------------------------------------------------------------------

function partitionOffset({ shard, cursor }: ShardView): PartitionOffset | null {
  const queue = queueOfShard(shard);
  if (queue !== undefined && cursor?.kind === 'log') {
    const { topic, brokerName, queueId } = queue;
    return {
      partition: { kafka_topic: topic, kafka_partition: queueId, broker_name: brokerName },
      offset: { kafka_offset: exact(watermark(cursor)) },
    };
  }
  const names = sourceNamesOfShard(shard);
  if (names === undefined || cursor?.kind !== 'checkpoint') return null;
  const { p: checkpoint } = readSourceCheckpoint(cursor.checkpoint);
  return { partition: { shard: names }, offset: checkpoint === null ? null : { checkpoint } };
}

/** A number as long as one holds it, its digits otherwise: both are taken back. */
function exact(at: Offset): number | string {
  return Number.isSafeInteger(Number(at)) ? Number(at) : String(at);
}

/** Among the queues that it reads, or has read. */
async function queueOf(deps: OffsetDeps, view: ConnectorView, position: SinkPosition): Promise<MessageQueue> {
  const { topic, queueId, brokerName } = position;
  const read = view.topics.includes(topic) ? await deps.broker.queues(topic) : [];
  const known = view.shards.flatMap(({ shard }) => queueOfShard(shard) ?? []);
  const fitting = new Map(
    [...known, ...read]
      .filter(
        (queue) => queue.topic === topic && queue.queueId === queueId && (brokerName ?? queue.brokerName) === queue.brokerName,
      )
      .map((queue) => [queue.brokerName, queue]),
  );
  const [queue] = fitting.values();
  const where = brokerName === null ? '' : ` on broker ${brokerName}`;
  if (queue === undefined) {
    throw new OffsetsRefused(`Connector ${view.connector.name} reads no partition ${queueId} of topic ${topic}${where}`);
  }
  if (fitting.size === 1) return queue;
  const brokers = [...fitting.keys()].join(', ');
  throw new OffsetsRefused(`${partitionName(queue)} is on several brokers (${brokers}): name one as broker_name`);
}

function wantedOffset(
  deps: OffsetDeps,
  connector: Connector,
  { queue, at }: { readonly queue: MessageQueue; readonly at: SinkPosition['offset'] },
): Promise<Offset> {
  if (at === null) return startOf(deps, connector, queue);
  return typeof at === 'bigint' ? heldOffset(deps, queue, at) : startPosition(deps, queue, at);
}

async function startOf({ broker, clock, skewMaxMs }: OffsetDeps, connector: Connector, queue: MessageQueue): Promise<Offset> {
  // A queue that is gone begins anew should it be back.
  return (await startOffset(broker, queue, { ...connector, asOfMs: clock.nowMs(), skewMaxMs })) ?? offset(0);
}

/** Anywhere else the shard would fail at once. */
async function heldOffset(deps: OffsetDeps, queue: MessageQueue, at: bigint): Promise<Offset> {
  const { min, max } = await boundsOf(deps, queue);
  if (at >= min && at <= max) return offset(at);
  throw new OffsetsRefused(`${partitionName(queue)} takes offsets from ${min} to ${max}, not ${at}`);
}

async function startPosition(deps: OffsetDeps, queue: MessageQueue, at: StartPosition): Promise<Offset> {
  const { min, max } = await boundsOf(deps, queue);
  if (at === 'earliest') return min;
  return at === 'latest' ? max : deps.broker.offsetAt(queue, at.fromMs);
}

async function boundsOf({ broker }: OffsetDeps, queue: MessageQueue): Promise<QueueBounds> {
  const [bounds] = await broker.bounds([queue]);
  if (bounds === null || bounds === undefined) throw new OffsetsRefused(`${partitionName(queue)} is gone`);
  return bounds;
}

function partitionName({ topic, queueId }: MessageQueue): string {
  return `Partition ${queueId} of topic ${topic}`;
}

/**
 * Makes the cursors that there are not yet, where they are to be, and answers the rest: those that are to be reset. The gate of a
 * new one is closed at the revision that was looked at; whoever changes the connector after that raises it, or leaves it behind,
 * which whoever claims will see.
 */
async function uncreated(
  deps: StoreAccess,
  { connector, shards }: ConnectorView,
  wanted: ReadonlyMap<ShardId, Offset>,
): Promise<ResetPositions> {
  const { targetState: state, revision } = connector;
  const existing = new Set(shards.map(({ shard }) => shard));
  const left = new Map<ShardId, Offset>();
  for (const [shard, at] of wanted) {
    if (!existing.has(shard)) {
      const { cursor } = await StoredCursor.create(deps, shard, raiseGate(createLogCursor(at), { state, revision }));
      if (cursor.kind === 'log' && cursor.open.length === 0 && cursor.next === at) continue;
    }
    left.set(shard, at);
  }
  return left;
}
