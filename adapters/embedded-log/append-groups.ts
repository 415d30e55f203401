import { setImmediate } from 'node:timers/promises';
import { type MessageQueue, queueKey } from '../../core/message-queue.ts';
import type { Offset } from '../../core/offset.ts';
import type { Clock } from '../../core/ports.ts';
import { queueMissing } from '../../core/topic-missing.ts';
import type { EncodedBatch } from './encode-batches.ts';
import type { LogDatabase, LogTransaction } from './log-database.ts';
import { fileError } from './log-error.ts';
import { QueueWriter, type SegmentLimits } from './queue-writer.ts';
import type { SegmentFiles } from './segment-files.ts';
import type { QueueState } from './topic-catalog.ts';

/**
 * As long as a group is written other processes wait, and whatever else runs in this thread: some 10 ms for 16 MiB, more on a
 * slow disk. The first append always fits.
 */
const GROUP_BYTES_MAX = 16 * 1024 * 1024;

/** Each is a write of its own, some microseconds. */
const GROUP_APPENDS_MAX = 2_000;

/** Each is an fsync of its own, one after the other: 0.5 ms, and many times that on a slow disk or a busy one. */
const GROUP_QUEUES_MAX = 8;

/** One append: batches that follow one another. */
interface Append {
  readonly queue: MessageQueue;
  readonly key: string;
  readonly batches: readonly EncodedBatch[];
  readonly bytes: number;
  readonly resolve: (firstOffset: Offset) => void;
  readonly reject: (error: unknown) => void;
}

/** An append whose place is known: its first offset, or `null` where its queue does not exist. */
interface Placed {
  readonly append: Append;
  readonly firstOffset: Offset | null;
}

export interface AppendGroupsDeps {
  readonly folder: string;
  readonly database: LogDatabase;
  readonly files: SegmentFiles;
  readonly clock: Clock;
  readonly limits: SegmentLimits;
  /** Whether an append waits until it is durable. */
  readonly isDurable: boolean;
  /** After each group, with the queues it changed; before its appends resolve. Never throws. */
  readonly onAppended: (appended: readonly QueueState[], sealed: readonly QueueState[]) => void;
}

/**
 * Appends of all queues of a process, made durable together: whatever is asked for while one group is written waits for the
 * next, which costs one fsync per queue and one of the database.
 *
 * 1. The log is locked: no other process appends, creates or deletes.
 * 2. Batches are written behind what the queues hold.
 * 3. They are synced.
 * 4. The queues' new lengths are stored, and synced, in the transaction that unlocks the log. From here on they are read.
 * 5. The appends resolve.
 *
 * 1 to 4 are one turn of the event loop (`log-database.ts` says why), which is why a group has its bounds. A death before 4
 * leaves bytes behind that nobody ever saw, and the next append overwrites them.
 */
export class AppendGroups {
  readonly #deps: AppendGroupsDeps;
  #waiting: Append[] = [];
  #writing: Promise<void> | null = null;

  constructor(deps: AppendGroupsDeps) {
    this.#deps = deps;
  }

  /**
   * Resolves with the offset of the first record.
   *
   * @throws {FatalTaskError} `broker.topic_missing`. @throws {RetryableError} `broker.unavailable`: whether it was appended
   *   is unknown, and no later attempt is made.
   */
  append(queue: MessageQueue, batches: readonly EncodedBatch[]): Promise<Offset> {
    const { promise, resolve, reject } = Promise.withResolvers<Offset>();
    const bytes = batches.reduce((sum, batch) => sum + batch.bytes.length, 0);
    this.#waiting.push({ queue, key: queueKey(queue), batches, bytes, resolve, reject });
    this.#writing ??= this.#writeGroups();
    return promise;
  }

  /** Resolves when nothing waits any more. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #writeGroups(): Promise<void> {
    while (this.#waiting.length > 0) {
      await setImmediate(); // whoever sends in this turn takes part
      await this.#writeGroup(this.#takeGroup());
    }
    this.#writing = null;
  }

  #takeGroup(): readonly Append[] {
    const keys = new Set<string>();
    let count = 0;
    let bytes = 0;
    for (const append of this.#waiting) {
      keys.add(append.key);
      bytes += append.bytes;
      if (count > 0 && (bytes > GROUP_BYTES_MAX || count === GROUP_APPENDS_MAX || keys.size > GROUP_QUEUES_MAX)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #writeGroup(group: readonly Append[]): Promise<void> {
    const { database, folder, isDurable, onAppended } = this.#deps;
    try {
      const { placed, writers } = await database.write((transaction) => this.#write(group, transaction), { durable: isDurable });
      const states = writers.map(({ state }) => state);
      onAppended(
        states,
        writers.filter(({ sealed }) => sealed.length > 0).map(({ state }) => state),
      );
      for (const { append, firstOffset } of placed) {
        if (firstOffset === null) append.reject(queueMissing(append.queue));
        else append.resolve(firstOffset);
      }
    } catch (error) {
      const meaning = fileError(error, folder);
      for (const { reject } of group) reject(meaning);
    }
  }

  #write(
    group: readonly Append[],
    { catalog, changes }: LogTransaction,
  ): { readonly placed: readonly Placed[]; readonly writers: readonly QueueWriter[] } {
    const writers = new Map<string, QueueWriter | null>();
    const placed: Placed[] = [];
    try {
      for (const append of group) {
        const writer = writers.get(append.key) ?? this.#newWriter(catalog.state(append.queue));
        writers.set(append.key, writer);
        placed.push({ append, firstOffset: writer === null ? null : writer.append(append.batches) });
      }
      const used = [...writers.values()].filter((writer) => writer !== null);
      if (this.#deps.isDurable) for (const writer of used) writer.sync();
      for (const { state, sealed } of used) {
        for (const segment of sealed) changes.seal(state.id, segment);
        changes.save(state);
      }
      return { placed, writers: used };
    } finally {
      for (const writer of writers.values()) writer?.release();
    }
  }

  #newWriter(state: QueueState | undefined): QueueWriter | null {
    if (state === undefined) return null;
    const { files, limits, clock } = this.#deps;
    return new QueueWriter(state, { files, limits, nowMs: clock.nowMs() });
  }
}
