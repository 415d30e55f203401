import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Offset } from '../../core/offset.ts';
import type { GroupOffset } from '../../core/ports.ts';
import type { QueueState, Segment } from './topic-catalog.ts';

/** What is written into the log's database. Each method is one step of a transaction; throws what SQLite throws. */
export class CatalogChanges {
  readonly #insertTopic: StatementSync;
  readonly #insertQueues: StatementSync;
  readonly #noteDeleted: StatementSync;
  readonly #deleteTopic: readonly StatementSync[];
  readonly #updateQueue: StatementSync;
  readonly #updateSynced: StatementSync;
  readonly #insertSegment: StatementSync;
  readonly #deleteSegments: StatementSync;
  readonly #noteGroup: StatementSync;

  constructor(database: DatabaseSync) {
    this.#insertTopic = database.prepare('INSERT INTO topic (name) VALUES (?) ON CONFLICT DO NOTHING');
    this.#insertQueues = database.prepare(
      `WITH RECURSIVE added (number) AS (
         SELECT coalesce(max(queue.number) + 1, 0) FROM queue JOIN topic ON topic.id = queue.topic WHERE topic.name = :topic
         UNION ALL SELECT number + 1 FROM added LIMIT :queues
       )
       INSERT INTO queue (topic, number, stored_at_ms)
       SELECT topic.id, added.number, deleted.stored_at_ms FROM topic, added, deleted WHERE topic.name = :topic`,
    );
    const queuesOfTopic = 'SELECT queue.id FROM topic JOIN queue ON queue.topic = topic.id WHERE topic.name = ?';
    this.#noteDeleted = database.prepare(
      `UPDATE deleted SET stored_at_ms = max(stored_at_ms, coalesce(
         (SELECT max(stored_at_ms) + 1 FROM queue WHERE id IN (${queuesOfTopic})), 0))`,
    );
    this.#deleteTopic = [
      database.prepare(`DELETE FROM segment WHERE queue IN (${queuesOfTopic})`),
      database.prepare(`DELETE FROM group_offset WHERE queue IN (${queuesOfTopic})`),
      database.prepare(`DELETE FROM queue WHERE id IN (${queuesOfTopic})`),
      database.prepare('DELETE FROM topic WHERE name = ?'),
    ];
    this.#updateQueue = database.prepare(
      `UPDATE queue SET min_offset = ?, next_offset = ?, segment_offset = ?, segment_bytes = ?, synced_bytes = ?,
       last_batch_at = ?, segment_since_ms = ?, stored_at_ms = ? WHERE id = ?`,
    );
    this.#updateSynced = database.prepare(
      'UPDATE queue SET synced_bytes = max(synced_bytes, ?) WHERE id = ? AND segment_offset = ?',
    );
    this.#insertSegment = database.prepare('INSERT INTO segment (queue, first_offset, bytes, stored_at_ms) VALUES (?, ?, ?, ?)');
    this.#deleteSegments = database.prepare('DELETE FROM segment WHERE queue = ? AND first_offset < ?');
    this.#noteGroup = database.prepare(
      `INSERT INTO group_offset
       SELECT queue.id, :group, :offset FROM topic JOIN queue ON queue.topic = topic.id WHERE topic.name = :topic AND number = :queueId
       ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset`,
    );
  }

  /** Answers whether there was none of that name. */
  createTopic(topic: string): boolean {
    return this.#insertTopic.run(topic).changes === 1;
  }

  /** Numbered on from the highest the topic has. */
  addQueues(topic: string, queues: number): void {
    this.#insertQueues.run({ topic, queues });
  }

  deleteTopic(topic: string): void {
    this.#noteDeleted.run(topic);
    for (const statement of this.#deleteTopic) statement.run(topic);
  }

  save(state: QueueState): void {
    const { id, min, next, segmentOffset, segmentBytes, syncedBytes, lastBatchAt, segmentSinceMs, storedAtMs } = state;
    this.#updateQueue.run(min, next, segmentOffset, segmentBytes, syncedBytes, lastBatchAt, segmentSinceMs, storedAtMs, id);
  }

  /** Nothing happens where the queue has gone on to another segment: it was synced before. */
  noteSynced({ queueId, segmentOffset, bytes }: { queueId: number; segmentOffset: Offset; bytes: number }): void {
    this.#updateSynced.run(bytes, queueId, segmentOffset);
  }

  seal(queueId: number, { firstOffset, bytes, storedAtMs }: Segment): void {
    this.#insertSegment.run(queueId, firstOffset, bytes, storedAtMs);
  }

  /** Nothing happens where there is no such queue. */
  noteGroup(group: string, { queue: { topic, queueId }, offset }: GroupOffset): void {
    this.#noteGroup.run({ group, offset, topic, queueId });
  }

  /** Forgets the sealed segments that begin below `firstOffset`. */
  dropSegments(queueId: number, firstOffset: Offset): void {
    this.#deleteSegments.run(queueId, firstOffset);
  }
}
