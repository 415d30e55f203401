import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { MessageQueue } from '../../core/message-queue.ts';
import type { Offset } from '../../core/offset.ts';
import type { GroupOffset } from '../../core/ports.ts';

/** Every queue of an embedded log lies on this one broker. */
export const BROKER_NAME = 'embedded';

/** A file of a queue, as far as it is in the log. */
export interface Segment {
  readonly firstOffset: Offset;
  readonly bytes: number;
  /** Of its newest record. */
  readonly storedAtMs: number;
}

/** A queue and its last segment, at one moment. `log-schema.ts` says what the fields mean. */
export interface QueueState {
  readonly id: number;
  readonly topicId: number;
  readonly queue: MessageQueue;
  readonly min: Offset;
  readonly next: Offset;
  readonly segmentOffset: Offset;
  readonly segmentBytes: number;
  readonly syncedBytes: number;
  readonly lastBatchAt: number;
  readonly segmentSinceMs: number;
  /** Of the newest record the queue ever had. */
  readonly storedAtMs: number;
}

const STATE_COLUMNS = `queue.id, queue.topic, topic.name, number, min_offset, next_offset, segment_offset, segment_bytes,
  synced_bytes, last_batch_at, segment_since_ms, stored_at_ms FROM topic JOIN queue ON queue.topic = topic.id`;

/** What the log's database knows, as one of its connections sees it. Throws what SQLite throws. */
export class TopicCatalog {
  readonly #topics: StatementSync;
  readonly #numbers: StatementSync;
  readonly #state: StatementSync;
  readonly #states: StatementSync;
  readonly #version: StatementSync;
  readonly #ends: StatementSync;
  readonly #queue: StatementSync;
  readonly #segments: StatementSync;
  readonly #segmentAt: StatementSync;
  readonly #segmentSince: StatementSync;
  readonly #groups: StatementSync;

  constructor(database: DatabaseSync) {
    this.#topics = database.prepare('SELECT name FROM topic');
    this.#numbers = database.prepare(
      'SELECT number FROM topic JOIN queue ON queue.topic = topic.id WHERE topic.name = ? ORDER BY number',
    );
    this.#state = withBigInts(database.prepare(`SELECT ${STATE_COLUMNS} WHERE topic.name = ? AND number = ?`));
    this.#states = withBigInts(database.prepare(`SELECT ${STATE_COLUMNS} ORDER BY queue.id`));
    this.#version = database.prepare('PRAGMA data_version');
    this.#ends = withBigInts(database.prepare('SELECT id, next_offset FROM queue ORDER BY id'));
    this.#ends.setReturnArrays(true);
    this.#queue = database.prepare(
      'SELECT topic.name, number FROM queue JOIN topic ON topic.id = queue.topic WHERE queue.id = ?',
    );
    const segment = 'SELECT first_offset, bytes, stored_at_ms FROM segment WHERE queue = ?';
    this.#segments = withBigInts(database.prepare(`${segment} ORDER BY first_offset`));
    this.#segmentAt = withBigInts(database.prepare(`${segment} AND first_offset <= ? ORDER BY first_offset DESC LIMIT 1`));
    this.#segmentSince = withBigInts(database.prepare(`${segment} AND stored_at_ms >= ? ORDER BY first_offset LIMIT 1`));
    this.#groups = withBigInts(
      database.prepare(
        `SELECT group_offset.name AS "group", number, group_offset.next_offset AS offset
         FROM topic JOIN queue ON queue.topic = topic.id JOIN group_offset ON group_offset.queue = queue.id
         WHERE topic.name = ? ORDER BY number`,
      ),
    );
  }

  topics(): readonly string[] {
    return this.#topics.all().map(({ name }) => String(name));
  }

  queues(topic: string): readonly MessageQueue[] {
    const rows = this.#numbers.all(topic) as { number: number }[];
    return rows.map(({ number }) => ({ topic, brokerName: BROKER_NAME, queueId: number }));
  }

  state({ topic, brokerName, queueId }: MessageQueue): QueueState | undefined {
    if (brokerName !== BROKER_NAME || !Number.isSafeInteger(queueId)) return undefined;
    const row = this.#state.get(topic, queueId) as unknown as StateRow | undefined;
    return row === undefined ? undefined : stateOf(row);
  }

  states(): readonly QueueState[] {
    return (this.#states.all() as unknown as StateRow[]).map(stateOf);
  }

  /** Another number whenever another connection, of whatever process, has written something since. */
  version(): number {
    return Number(this.#version.get()?.['data_version']);
  }

  /** Of every queue its id, and the offset that its next record will have. */
  ends(): readonly (readonly [id: bigint, next: bigint])[] {
    return this.#ends.all() as unknown as (readonly [bigint, bigint])[];
  }

  queue(id: bigint): MessageQueue | undefined {
    const row = this.#queue.get(id) as { name: string; number: number } | undefined;
    return row && { topic: row.name, brokerName: BROKER_NAME, queueId: row.number };
  }

  /** All that are sealed, oldest first. */
  segments(queueId: number): readonly Segment[] {
    return (this.#segments.all(queueId) as unknown as SegmentRow[]).map(segmentOf);
  }

  /** The sealed one that holds `at`; the caller knows that `at` lies in one. */
  segmentAt(queueId: number, at: Offset): Segment | undefined {
    return this.#oneSegment(this.#segmentAt.get(queueId, at));
  }

  /** The first sealed one with a record stored at or after `atMs`. */
  segmentSince(queueId: number, atMs: number): Segment | undefined {
    return this.#oneSegment(this.#segmentSince.get(queueId, atMs));
  }

  /** How far consumer groups have come, by group. */
  groups(topic: string): ReadonlyMap<string, readonly GroupOffset[]> {
    const rows = this.#groups.all(topic) as unknown as { group: string; number: bigint; offset: Offset }[];
    const byGroup = Map.groupBy(rows, ({ group }) => group);
    const placed = ({ number, offset }: (typeof rows)[number]): GroupOffset => ({
      queue: { topic, brokerName: BROKER_NAME, queueId: Number(number) },
      offset,
    });
    return new Map([...byGroup].map(([group, of]) => [group, of.map(placed)]));
  }

  #oneSegment(row: unknown): Segment | undefined {
    return row === undefined ? undefined : segmentOf(row as SegmentRow);
  }
}

/** The segment that holds `at`, which is in the log. */
export function segmentHolding(catalog: TopicCatalog, state: QueueState, at: Offset): Segment | undefined {
  return at >= state.segmentOffset ? lastSegment(state) : catalog.segmentAt(state.id, at);
}

export function lastSegment({ segmentOffset, segmentBytes, storedAtMs }: QueueState): Segment {
  return { firstOffset: segmentOffset, bytes: segmentBytes, storedAtMs };
}

type SegmentRow = Readonly<Record<'first_offset' | 'bytes' | 'stored_at_ms', bigint>>;

function segmentOf(row: SegmentRow): Segment {
  return { firstOffset: row.first_offset as Offset, bytes: Number(row.bytes), storedAtMs: Number(row.stored_at_ms) };
}

type StateColumn =
  | 'id'
  | 'topic'
  | 'number'
  | 'min_offset'
  | 'next_offset'
  | 'segment_offset'
  | 'segment_bytes'
  | 'synced_bytes'
  | 'last_batch_at'
  | 'segment_since_ms'
  | 'stored_at_ms';
type StateRow = Readonly<Record<StateColumn, bigint>> & { readonly name: string };

function stateOf(row: StateRow): QueueState {
  return {
    id: Number(row.id),
    topicId: Number(row.topic),
    queue: { topic: row.name, brokerName: BROKER_NAME, queueId: Number(row.number) },
    min: row.min_offset as Offset,
    next: row.next_offset as Offset,
    segmentOffset: row.segment_offset as Offset,
    segmentBytes: Number(row.segment_bytes),
    syncedBytes: Number(row.synced_bytes),
    lastBatchAt: Number(row.last_batch_at),
    segmentSinceMs: Number(row.segment_since_ms),
    storedAtMs: Number(row.stored_at_ms),
  };
}

/** Offsets have 64 bits. */
function withBigInts(statement: StatementSync): StatementSync {
  statement.setReadBigInts(true);
  return statement;
}
