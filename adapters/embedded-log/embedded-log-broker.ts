import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFoldersSync } from '../../clients/files/make-folders.ts';
import { assert } from '../../core/assert.ts';
import { ConnectError, messageOf } from '../../core/errors.ts';
import { type MessageQueue, queueKey } from '../../core/message-queue.ts';
import { advance, type Offset } from '../../core/offset.ts';
import type {
  CancelSignal,
  Clock,
  GroupOffset,
  LogBroker,
  OutgoingRecord,
  QueueBounds,
  ReadLimits,
  ReadResult,
  RecordFilter,
  SendResult,
  Telemetry,
} from '../../core/ports.ts';
import { topicMissing } from '../../core/topic-missing.ts';
import { RECORD_BYTES_MAX } from '../record-limit.ts';
import { filtered, tagsOnlyProblem } from '../tag-filter.ts';
import { AppendGroups } from './append-groups.ts';
import { encodeBatches } from './encode-batches.ts';
import { IntervalSync } from './interval-sync.ts';
import { LogDatabase, type LogTransaction } from './log-database.ts';
import { databaseMissing, logUnusable } from './log-error.ts';
import { LOG_DATABASE_FILE } from './log-schema.ts';
import { LogWatch, type LogWatchDeps } from './log-watch.ts';
import { QueueEnds } from './queue-ends.ts';
import { QueueLookups } from './queue-lookups.ts';
import { Removal } from './removal.ts';
import type { Retention } from './retention.ts';
import { SegmentFiles } from './segment-files.ts';
import { TailChecks } from './tail-check.ts';
import { BROKER_NAME, type QueueState } from './topic-catalog.ts';
import { watchQueues } from './watch-queues.ts';

/** What a lookup of a place may have to go through, and what retention removes at once. */
const SEGMENT_BYTES = 64 * 1024 * 1024;

/** A queue that is written slowly goes to another segment this often within the age that retention allows. */
const SEGMENTS_PER_AGE = 8;

/** More than any topic of RocketMQ has in practice. */
const QUEUES_MAX = 1_024;

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
  /** Whoever sends writes to the files himself, and has done so when he is told of it: nothing of his is on its way. */
  readonly sendLandsWithinMs = 0;
  readonly #recordBytesMax: number;
  readonly #telemetry: Telemetry;
  readonly #clock: Clock;
  readonly #database: LogDatabase;
  readonly #files: SegmentFiles;
  readonly #lookups: QueueLookups;
  readonly #groups: AppendGroups;
  readonly #watch: LogWatch;
  readonly #removal: Removal;
  readonly #intervalSync: IntervalSync | null;
  /** The retention of queues whose segments were full. */
  #expiring: Promise<void> = Promise.resolve();

  /** @throws {FatalTaskError} `log.unusable`, `log.damaged` or `log.newer`, with the path and the next step. */
  constructor(deps: EmbeddedLogBrokerDeps) {
    const { folder, clock, telemetry, fsync = 'group', retention = {} } = deps;
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.#recordBytesMax = deps.recordBytesMax ?? RECORD_BYTES_MAX;
    makeFolder(folder);
    this.#files = new SegmentFiles(folder);
    const path = join(folder, LOG_DATABASE_FILE);
    assertDatabase(path, this.#files);
    this.#database = new LogDatabase({ path, clock });
    const ends = new QueueEnds(this.#database);
    this.#watch = newWatch({ path: join(folder, 'wake'), clock, telemetry, changed: () => ends.changed() });
    const shared = { database: this.#database, files: this.#files, clock, telemetry };
    this.#lookups = new QueueLookups({ ...shared, folder, tails: new TailChecks(shared) });
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

  topicProblem(): null {
    return null;
  }

  async filterProblem(filter: RecordFilter): Promise<string | null> {
    return tagsOnlyProblem(filter);
  }

  async queues(topic: string): Promise<readonly MessageQueue[]> {
    return this.#database.read((catalog) => catalog.queues(topic));
  }

  async topics(): Promise<readonly string[]> {
    return this.#database.read((catalog) => catalog.topics()).toSorted();
  }

  bounds(queues: readonly MessageQueue[]): Promise<readonly (QueueBounds | null)[]> {
    return this.#lookups.bounds(queues);
  }

  async read(queue: MessageQueue, from: Offset, limits: ReadLimits, signal?: CancelSignal): Promise<ReadResult> {
    assert(limits.records >= 1, 'a read asks for at least one record');
    if (limits.waitMs > 0) await this.#waitFor(queue, from, { durationMs: limits.waitMs, signal });
    return filtered(await this.#lookups.read(queue, from, limits), limits);
  }

  async send(queue: MessageQueue, records: readonly OutgoingRecord[]): Promise<SendResult> {
    const { batches, refused } = encodeBatches(records, this.#recordBytesMax);
    const { next } = await this.#lookups.state(queue);
    if (batches.length === 0) return { endOffset: next, refused };
    const firstOffset = await this.#groups.append(queue, batches);
    return { endOffset: advance(firstOffset, records.length - refused.length), refused };
  }

  async ensureTopic(topic: string, { queues }: { readonly queues: number }): Promise<void> {
    assertQueues(queues);
    if (this.#database.read((catalog) => catalog.queues(topic)).length > 0) return;
    await this.#database.write(
      ({ changes }) => {
        if (changes.createTopic(topic)) changes.addQueues(topic, queues);
      },
      { durable: true },
    );
  }

  offsetAt(queue: MessageQueue, atMs: number): Promise<Offset> {
    return this.#lookups.offsetAt(queue, atMs);
  }

  async noteGroup(group: string, offsets: readonly GroupOffset[]): Promise<void> {
    if (offsets.length === 0) return;
    const note = ({ changes }: LogTransaction): void => {
      for (const noted of offsets) if (noted.queue.brokerName === BROKER_NAME) changes.noteGroup(group, noted);
    };
    await this.#database.write(note, { durable: false });
  }

  async groups(topic: string): Promise<ReadonlyMap<string, readonly GroupOffset[]>> {
    return this.#database.read((catalog) => catalog.groups(topic));
  }

  watch(
    queues: readonly { readonly queue: MessageQueue; readonly from: Offset }[],
    signal: CancelSignal,
  ): AsyncIterable<MessageQueue> {
    return watchQueues({ database: this.#database, watch: this.#watch, clock: this.#clock }, queues, signal);
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
      ({ catalog, changes }) => {
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

  /** Until the record at `from` is there, should it be the next one. */
  async #waitFor(
    queue: MessageQueue,
    from: Offset,
    { durationMs, signal }: { readonly durationMs: number; readonly signal: CancelSignal | undefined },
  ): Promise<void> {
    const keys = [queueKey(queue)];
    const untilMs = this.#clock.monotonicMs() + durationMs;
    const restMs = (): number => untilMs - this.#clock.monotonicMs();
    this.#watch.start();
    let state: QueueState | undefined = await this.#lookups.state(queue);
    while (state?.next === from && restMs() > 0 && signal?.aborted !== true) {
      await this.#watch.wait({ keys, durationMs: restMs(), signal });
      state = this.#database.read((catalog) => catalog.state(queue));
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

function assertQueues(queues: number): void {
  assert(Number.isInteger(queues) && queues >= 1 && queues <= QUEUES_MAX, `a topic has 1..${QUEUES_MAX} queues, not ${queues}`);
}

function makeFolder(folder: string): void {
  try {
    makeFoldersSync(resolve(folder));
  } catch (error) {
    throw logUnusable(folder, error);
  }
}

function assertDatabase(path: string, files: SegmentFiles): void {
  // In this order: another process may be making the log, and makes the database first.
  if (existsSync(files.topicsFolder) && !existsSync(path)) throw databaseMissing(path);
}

function newWatch(deps: LogWatchDeps): LogWatch {
  try {
    return new LogWatch(deps);
  } catch (error) {
    throw logUnusable(deps.path, error);
  }
}
