import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../../core/assert.ts';
import { ConnectError, FatalTaskError, messageOf } from '../../core/errors.ts';
import { type MessageQueue, queueKey } from '../../core/message-queue.ts';
import { advance, maxOffset, type Offset } from '../../core/offset.ts';
import type {
  CancelSignal,
  Clock,
  LogBroker,
  OutgoingRecord,
  QueueBounds,
  ReadLimits,
  ReadResult,
  SendResult,
  Telemetry,
} from '../../core/ports.ts';
import type { LogRecord } from '../../core/record/connect-record.ts';
import { RECORD_BYTES_MAX } from '../record-limit.ts';
import { queueMissing, topicMissing } from '../topic-missing.ts';
import { AppendGroups } from './append-groups.ts';
import { encodeBatches } from './encode-batches.ts';
import { IntervalSync } from './interval-sync.ts';
import { LogDatabase } from './log-database.ts';
import { fileError, isMissingFile, logDamaged, logUnusable } from './log-error.ts';
import { LogWatch } from './log-watch.ts';
import { QueueReader } from './queue-reader.ts';
import { Removal } from './removal.ts';
import type { Retention } from './retention.ts';
import { SegmentFiles } from './segment-files.ts';
import { SegmentIndexes } from './segment-index.ts';
import { TailChecks } from './tail-check.ts';
import { lastSegment, type QueueState, segmentHolding } from './topic-catalog.ts';

/** What a lookup of a place may have to go through, and what retention removes at once. */
const SEGMENT_BYTES = 64 * 1024 * 1024;

/** A queue that is written slowly goes to another segment this often within the age that retention allows. */
const SEGMENTS_PER_AGE = 8;

/** More than any topic of RocketMQ has in practice. */
const QUEUES_MAX = 1_024;

/** A segment that is removed between the look at the database and the opening of its file: the next look knows. */
const READ_ATTEMPTS_MAX = 3;

export interface EmbeddedLogBrokerDeps {
  /** Made where it is missing. Any number of brokers, of any processes of one machine, may use one folder. */
  readonly folder: string;
  readonly clock: Clock;
  /** Told when the end of a queue was lost, and when the log is not as quick or as safe as it should be. */
  readonly telemetry: Telemetry;
  /**
   * `group`, the default: `send` resolves when its records survive a loss of power; what is sent at the same time is synced
   * together. `{ intervalMs }`: it resolves when they survive a death of the process, and a loss of power takes what was sent
   * within the last so many milliseconds.
   */
  readonly fsync?: 'group' | { readonly intervalMs: number };
  /** Applied where a segment is full, and by `applyRetention`. */
  readonly retention?: Retention;
  readonly segmentBytes?: number;
  /** Of key, value, tag and headers together. */
  readonly recordBytesMax?: number;
}

/** A watched queue: which one it was when last seen, and up to where its records have been announced. */
interface Watched {
  readonly queue: MessageQueue;
  readonly from: Offset;
  id: number | undefined;
  seen: Offset;
}

/**
 * A log in a folder, for one machine: segment files for records, an SQLite database for what is in the log.
 *
 *     FOLDER/log.db                                     topics, queues and their lengths: `log-schema.ts`
 *     FOLDER/wake                                       written to by every append, for those who wait: `log-watch.ts`
 *     FOLDER/topics/ID-NAME/QUEUE/FIRST-OFFSET.segment  records: `batch-codec.ts`
 *
 * Values and keys that are read are views of the chunk of the file that was read, so nobody may change them, and each keeps its
 * chunk (some 512 KiB) in memory.
 *
 * Beside the port it does what an operator of a cluster does: `deleteTopic`, `addQueues`, `truncateBefore`, `applyRetention`.
 */
export class EmbeddedLogBroker implements LogBroker {
  readonly #folder: string;
  readonly #recordBytesMax: number;
  readonly #telemetry: Telemetry;
  readonly #clock: Clock;
  readonly #database: LogDatabase;
  readonly #files: SegmentFiles;
  readonly #indexes: SegmentIndexes;
  readonly #reader: QueueReader;
  readonly #tails: TailChecks;
  readonly #groups: AppendGroups;
  readonly #watch: LogWatch;
  readonly #removal: Removal;
  readonly #intervalSync: IntervalSync | null;
  /** The retention of queues whose segments were full. */
  #expiring: Promise<void> = Promise.resolve();

  /** @throws {FatalTaskError} `log.unusable` or `log.newer`, with the path and the next step. */
  constructor(deps: EmbeddedLogBrokerDeps) {
    const { folder, clock, telemetry, fsync = 'group', retention = {} } = deps;
    this.#folder = folder;
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.#recordBytesMax = deps.recordBytesMax ?? RECORD_BYTES_MAX;
    makeFolder(folder);
    this.#database = new LogDatabase({ path: join(folder, 'log.db'), clock });
    this.#watch = newWatch({ path: join(folder, 'wake'), clock, telemetry });
    this.#files = new SegmentFiles(folder);
    this.#indexes = new SegmentIndexes(this.#files);
    this.#reader = new QueueReader({ files: this.#files, indexes: this.#indexes });
    const shared = { database: this.#database, files: this.#files, clock, telemetry };
    this.#tails = new TailChecks(shared);
    this.#removal = new Removal({ ...shared, retention });
    this.#intervalSync = fsync === 'group' ? null : new IntervalSync({ ...shared, intervalMs: fsync.intervalMs });
    this.#groups = new AppendGroups({
      ...shared,
      folder,
      limits: {
        bytes: deps.segmentBytes ?? SEGMENT_BYTES,
        ageMs: retention.ageMs === undefined ? undefined : retention.ageMs / SEGMENTS_PER_AGE,
      },
      isDurable: fsync === 'group',
      onAppended: (appended, sealed) => this.#onAppended(appended, sealed),
    });
  }

  async queues(topic: string): Promise<readonly MessageQueue[]> {
    return this.#database.read((catalog) => catalog.queues(topic));
  }

  async topics(): Promise<readonly string[]> {
    return this.#database.read((catalog) => catalog.topics()).toSorted();
  }

  async bounds(queues: readonly MessageQueue[]): Promise<readonly (QueueBounds | null)[]> {
    const states = this.#database.readTogether((catalog) => queues.map((queue) => catalog.state(queue)));
    return Promise.all(states.map(async (state) => (state === undefined ? null : this.#bounds(state))));
  }

  async read(queue: MessageQueue, from: Offset, limits: ReadLimits, signal?: CancelSignal): Promise<ReadResult> {
    assert(limits.records >= 1, 'a read asks for at least one record');
    const waitUntilMs = this.#clock.monotonicMs() + limits.waitMs;
    if (limits.waitMs > 0) this.#watch.start();
    let state = await this.#checked(this.#state(queue));
    while (from === state.next && this.#clock.monotonicMs() < waitUntilMs && signal?.aborted !== true) {
      await this.#watch.wait({ keys: [queueKey(queue)], durationMs: waitUntilMs - this.#clock.monotonicMs(), signal });
      state = this.#state(queue);
    }
    return this.#records(state, from, limits);
  }

  async send(queue: MessageQueue, records: readonly OutgoingRecord[]): Promise<SendResult> {
    const { batches, refused } = encodeBatches(records, this.#recordBytesMax);
    const { next } = await this.#checked(this.#state(queue));
    if (batches.length === 0) return { endOffset: next, refused };
    const firstOffset = await this.#groups.append(queue, batches);
    return { endOffset: advance(firstOffset, records.length - refused.length), refused };
  }

  async ensureTopic(topic: string, { queues }: { readonly queues: number }): Promise<void> {
    assertQueues(queues);
    if (this.#database.read((catalog) => catalog.queues(topic)).length > 0) return;
    await this.#database.write(
      async ({ changes }) => {
        if (changes.createTopic(topic)) changes.addQueues(topic, queues);
      },
      { durable: true },
    );
  }

  async offsetAt(queue: MessageQueue, atMs: number): Promise<Offset> {
    return this.#whileItStays(this.#state(queue), async (state) => {
      const { min, next, storedAtMs } = state;
      if (min === next || storedAtMs < atMs) return next;
      const segment = this.#database.read((catalog) => catalog.segmentSince(state.id, atMs)) ?? lastSegment(state);
      return maxOffset(min, await this.#indexes.offsetAt(state, segment, atMs));
    });
  }

  /** Yields a queue again only when it has grown since. A queue that does not exist holds no record, and may come to exist. */
  async *watch(
    queues: readonly { readonly queue: MessageQueue; readonly from: Offset }[],
    signal: CancelSignal,
  ): AsyncIterable<MessageQueue> {
    const watched = queues.map(({ queue, from }): Watched => ({ queue, from, id: undefined, seen: from }));
    const keys = queues.map(({ queue }) => queueKey(queue));
    let grown: Watched[] = [];
    this.#watch.start();
    while (!signal.aborted) {
      const next = grown.shift();
      if (next !== undefined) {
        yield next.queue;
        continue;
      }
      grown = this.#database.readTogether((catalog) => watched.filter((entry) => lookAgain(entry, catalog.state(entry.queue))));
      if (grown.length === 0) await this.#watch.wait({ keys, signal });
    }
  }

  /** The topic goes with its records; created again it starts at offset 0, with other queues. */
  async deleteTopic(topic: string): Promise<void> {
    const queues = await this.queues(topic);
    await this.#removal.deleteTopic(topic);
    this.#watch.tell(queues.map(queueKey));
  }

  /** Numbered on from the highest the topic has. @throws {FatalTaskError} `broker.topic_missing`. */
  async addQueues(topic: string, queues: number): Promise<void> {
    assertQueues(queues);
    await this.#database.write(
      async ({ catalog, changes }) => {
        if (catalog.queues(topic).length === 0) throw topicMissing(topic);
        changes.addQueues(topic, queues);
      },
      { durable: true },
    );
  }

  /** Drops the records below `min`, at most all there are. */
  truncateBefore(queue: MessageQueue, min: Offset): Promise<void> {
    return this.#removal.truncateBefore(queue, min);
  }

  /** Lets go of what is too old or too much, also of queues that nobody writes to; to be called every so often, by one process. */
  async applyRetention(): Promise<void> {
    const states = this.#database.read((catalog) => catalog.states());
    for (const { queue } of states) await this.#removal.expire(queue);
    await this.#removal.sweep();
  }

  /** After what was sent; nothing is to be asked of it from now on. */
  async close(): Promise<void> {
    await this.#groups.close();
    await this.#expiring;
    await this.#intervalSync?.close();
    await this.#database.close();
    await this.#files.close();
    this.#watch.close();
  }

  #state(queue: MessageQueue): QueueState {
    const state = this.#database.read((catalog) => catalog.state(queue));
    if (state === undefined) throw queueMissing(queue);
    return state;
  }

  /** Of a damaged queue what the database says: whoever reads it learns the rest, and nobody else is held up. */
  async #bounds(state: QueueState): Promise<QueueBounds> {
    try {
      return boundsOf(await this.#checked(state));
    } catch (error) {
      if (error instanceof FatalTaskError) return boundsOf(state);
      throw error;
    }
  }

  async #checked(state: QueueState): Promise<QueueState> {
    try {
      return await this.#tails.check(state);
    } catch (error) {
      throw fileError(error, this.#folder);
    }
  }

  #records(known: QueueState, from: Offset, limits: ReadLimits): Promise<ReadResult> {
    return this.#whileItStays(known, async (state) => {
      const bounds = boundsOf(state);
      if (from < bounds.min || from >= bounds.max) return { records: [], next: from, bounds };
      const segment = this.#database.read((catalog) => segmentHolding(catalog, state, from));
      if (segment === undefined)
        throw logDamaged({ path: this.#files.queueFolder(state), position: 0 }, `no segment holds offset ${from}`);
      const records = await this.#reader.read(state, segment, from, limits);
      return { records, next: nextOf(records, from), bounds };
    });
  }

  /** Looks at a queue's files. They may go while one looks: then again, at what is left. */
  async #whileItStays<Answer>(known: QueueState, look: (state: QueueState) => Promise<Answer>): Promise<Answer> {
    let state = await this.#checked(known);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await look(state);
      } catch (error) {
        if (!isMissingFile(error)) throw fileError(error, this.#folder);
        if (attempt === READ_ATTEMPTS_MAX) throw logDamaged({ path: error.path, position: 0 }, 'the file is missing', error);
      }
      state = await this.#checked(this.#state(known.queue));
    }
  }

  #onAppended(appended: readonly QueueState[], sealed: readonly QueueState[]): void {
    this.#intervalSync?.note(appended);
    this.#watch.tell(appended.map(({ queue }) => queueKey(queue)));
    for (const { queue } of sealed) this.#expiring = this.#expiring.then(() => this.#expire(queue));
  }

  async #expire(queue: MessageQueue): Promise<void> {
    try {
      await this.#removal.expire(queue);
    } catch (error) {
      if (error instanceof ConnectError && error.code === 'broker.topic_missing') return;
      const fields = { queue: queueKey(queue), error: messageOf(error) };
      this.#telemetry.log('warn', 'retention could not be applied; the next full segment has it tried again', fields);
    }
  }
}

/** Whether records lie behind what was seen of the queue; from then on they count as seen. */
function lookAgain(entry: Watched, state: QueueState | undefined): boolean {
  if (state?.id !== entry.id) Object.assign(entry, { id: state?.id, seen: entry.from });
  if (state === undefined) return false;
  const hasGrown = state.next > entry.seen && state.next > state.min;
  if (hasGrown) entry.seen = state.next;
  return hasGrown;
}

function boundsOf({ min, next }: QueueState): QueueBounds {
  return { min, max: next };
}

function nextOf(records: readonly LogRecord[], from: Offset): Offset {
  const last = records.at(-1)?.offset;
  return last === undefined ? from : ((last + 1n) as Offset);
}

function assertQueues(queues: number): void {
  assert(Number.isInteger(queues) && queues >= 1 && queues <= QUEUES_MAX, `a topic has 1..${QUEUES_MAX} queues, not ${queues}`);
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw logUnusable(folder, error);
  }
}

function newWatch(deps: { readonly path: string; readonly clock: Clock; readonly telemetry: Telemetry }): LogWatch {
  try {
    return new LogWatch(deps);
  } catch (error) {
    throw logUnusable(deps.path, error);
  }
}
