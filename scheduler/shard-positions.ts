/**
 * How far each shard of a connector came, and what its log holds, asked now: of the store and of the log, whoever leads. Queues that
 * nobody has opened yet stand where their first invocation will begin.
 */

import { backlogFrom } from '../core/backlog.ts';
import { watermark } from '../core/cursor/cursor.ts';
import { type MessageQueue, queueKey } from '../core/message-queue.ts';
import type { Offset } from '../core/offset.ts';
import type { LogBroker, QueueBounds } from '../core/ports.ts';
import { discoveryShardId, queueOfShard, queueShardId } from '../core/shard-id.ts';
import { startOffset } from '../core/start-offset.ts';
import type { ConnectorView } from './connector-view.ts';
import type { ShardView } from './status.ts';

export interface PositionDeps {
  readonly broker: Pick<LogBroker, 'queues' | 'bounds' | 'offsetAt'>;
  readonly skewMaxMs: number;
}

export interface ShardPosition extends ShardView {
  /** Of a sink's shard. */
  readonly queue: MessageQueue | null;
  /** Whether the configuration, as it is now, has it read. */
  readonly isRead: boolean;
  /** `null`: the queue is gone, or there is none. */
  readonly bounds: QueueBounds | null;
  /** The lowest offset that is not finished; `null` where that is not an offset, or not known. */
  readonly position: Offset | null;
  /** `null`: not known, or without an end that is. */
  readonly backlogRecords: number | null;
}

export async function shardPositions(deps: PositionDeps, view: ConnectorView): Promise<readonly ShardPosition[]> {
  const shards = [...view.shards, ...(await unopened(deps, view))];
  const queues = shards.map(({ shard }) => queueOfShard(shard) ?? null);
  const asked = queues.filter((queue) => queue !== null);
  const bounds = asked.length === 0 ? [] : await deps.broker.bounds(asked);
  const byQueue = new Map(asked.map((queue, index) => [queueKey(queue), bounds[index] ?? null]));
  const positions: ShardPosition[] = [];
  // One after the other: each of those that nobody has opened yet asks the log once more.
  for (const [index, shard] of shards.entries()) {
    const queue = queues[index] ?? null;
    const held = queue === null ? null : (byQueue.get(queueKey(queue)) ?? null);
    const position = queue === null || held === null ? finishedTo(shard) : await positionOf(deps, view, { ...shard, queue });
    const isRead = view.problem === null && (queue === null || view.topics.includes(queue.topic));
    positions.push({ ...shard, queue, isRead, bounds: held, position, backlogRecords: backlogFrom(position, held) });
  }
  return positions;
}

/** Of all that is read, as far as it is known; `null` where nothing is. */
export function totalBacklog(positions: readonly ShardPosition[]): number | null {
  const known = positions.flatMap(({ isRead, backlogRecords }) => (isRead ? (backlogRecords ?? []) : []));
  return known.length === 0 ? null : known.reduce((total, records) => total + records, 0);
}

// ---------------------------------------------------------------------------------------------------------------------

/** Queues of the topics it reads that no invocation has come to yet; of a source its search for shards. */
async function unopened(
  { broker }: PositionDeps,
  { connector, topics, shards, status }: ConnectorView,
): Promise<readonly ShardView[]> {
  const opened = new Set(shards.map(({ shard }) => shard));
  const views: ShardView[] = [];
  const discovery = discoveryShardId(connector.uid);
  if (status.type === 'source' && !opened.has(discovery)) views.push({ shard: discovery, cursor: null, problem: null });
  // One after the other, as for all that reads topics beside the invocations.
  for (const topic of topics) {
    for (const queue of await broker.queues(topic)) {
      const shard = queueShardId(connector.uid, queue);
      if (!opened.has(shard)) views.push({ shard, cursor: null, problem: null });
    }
  }
  return views;
}

function finishedTo({ cursor }: ShardView): Offset | null {
  return cursor?.kind === 'log' ? watermark(cursor) : null;
}

async function positionOf(
  { broker, skewMaxMs }: PositionDeps,
  { connector }: ConnectorView,
  { queue, ...shard }: ShardView & { readonly queue: MessageQueue },
): Promise<Offset | null> {
  if (shard.cursor !== null || shard.problem !== null) return finishedTo(shard);
  return startOffset(broker, queue, { ...connector, asOfMs: connector.createdAtMs, skewMaxMs });
}
