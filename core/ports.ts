/**
 * What the product needs from the world. Each port has one contract suite (`test/contract`) that every implementation
 * passes; nothing in core, functions or scheduler reaches the world by any other way.
 */
import type { RecordError } from './errors.ts';
import type { MessageQueue } from './message-queue.ts';
import type { Labels } from './metrics/metric.ts';
import type { CounterName, HistogramName } from './metrics/table.ts';
import type { InvocationEnd, Offer, RunRecord } from './offer.ts';
import type { Offset } from './offset.ts';
import type { LogHeaders, LogRecord } from './record/connect-record.ts';

/** The part of the web's `AbortSignal` the ports use; core has no platform types. */
export interface CancelSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface Clock {
  /** Wall time, epoch ms. May jump, and differs between hosts: only compared with what is stored, with `skewMaxMs` to spare. */
  nowMs(): number;
  /** Time since some moment, ms with fraction. Never jumps: deadlines of this invocation are kept on it. */
  monotonicMs(): number;
  /**
   * Resolves after `durationMs`, or as soon as `signal` aborts (it does not reject). With 0, as soon as all that is due by now had
   * its turn.
   */
  sleep(durationMs: number, signal?: CancelSignal): Promise<void>;
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** 128 random bits as text fit for a key; never repeats. */
  id(): string;
}

// ---------------------------------------------------------------------------------------------------------------------

export interface DocumentKey {
  /** Documents that are listed together. */
  readonly partition: string;
  /** Unique within the partition; lists come in ascending order of its UTF-8 bytes. */
  readonly sort: string;
}

/** A stored document. `version` is opaque, new with every write of the key, and never returns. */
export interface StoredDocument {
  readonly value: string;
  readonly version: string;
}

export type PutCondition = { readonly ifVersion: string } | { readonly ifAbsent: true };

export interface PutOptions {
  /** The document disappears some time after this moment (epoch ms): at once from answers, later from disk. Absent: never. */
  readonly expiresAtMs?: number;
}

/** `current` is the document that stood in the way, read in the same step; `null` when there is none. */
export type PutResult = { readonly version: string } | { readonly conflict: true; readonly current: StoredDocument | null };

export interface DocumentPage {
  readonly documents: readonly (StoredDocument & { readonly key: DocumentKey })[];
  /** Pass as `after` for the next page; absent on the last one. */
  readonly next?: string;
}

/**
 * Versioned documents: small texts (at most 256 KB) changed by one conditional write each. Who writes bounds them: a store
 * refuses a text of more than 262,144 characters with an `AssertionError` and may also refuse one of fewer characters but
 * more bytes.
 *
 * Every method throws `RetryableError` (`store.unavailable`) when the store does not answer; the write may or may not have
 * happened then. Sending it again is safe: a write that had happened answers with a conflict whose `current` is its own.
 * Every call answers or throws within ten seconds, whatever became of the store: callers set no limit of their own.
 * Any number of processes may use one store at once.
 */
export interface StateStore {
  /** Consistent: sees every write that was acknowledged before the call. */
  get(key: DocumentKey): Promise<StoredDocument | null>;
  put(key: DocumentKey, value: string, condition: PutCondition, options?: PutOptions): Promise<PutResult>;
  /** Answers `deleted` also when the document is already gone. */
  delete(
    key: DocumentKey,
    condition: { readonly ifVersion: string },
  ): Promise<{ readonly deleted: true } | { readonly conflict: true; readonly current: StoredDocument }>;
  /** Consistent, ascending by `sort`, at most `limit` documents (1..1000). `after` is a page's `next`. */
  list(partition: string, page: { readonly limit: number; readonly after?: string }): Promise<DocumentPage>;
}

// ---------------------------------------------------------------------------------------------------------------------

/** The record that will sit at `max` next is not there yet: a queue holds `[min, max)`. */
export interface QueueBounds {
  readonly min: Offset;
  readonly max: Offset;
}

/** Which records are wanted: those with one of the tags, or those for which an expression in RocketMQ's SQL92 is true. */
export type RecordFilter =
  | { readonly kind: 'tags'; readonly tags: readonly string[] }
  | { readonly kind: 'sql92'; readonly expression: string };

export interface ReadLimits {
  /** At least 1. */
  readonly records: number;
  /** Of keys, values and headers together; the first record always fits. */
  readonly bytes: number;
  /** How long to wait for the first record when there is none; 0 answers at once. */
  readonly waitMs: number;
  /** The log leaves out what it does not let pass, and then may answer before there is a first record: `next` has moved. */
  readonly filter?: RecordFilter;
}

/**
 * `records` are in offset order, from `from` on; `next` is where to read on (records that a filter left out lie between).
 * `bounds` are as of this read. `from` below `min` or above `max` reads nothing: `records` is empty and `next` is `from`,
 * and the caller sees from `bounds` what happened.
 */
export interface ReadResult {
  readonly records: readonly LogRecord[];
  readonly next: Offset;
  readonly bounds: QueueBounds;
}

/** A record to be appended. */
export interface OutgoingRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly tag: string | null;
  readonly headers: LogHeaders;
  readonly bornAtMs: number;
  /** For those who look at the log with its own tools or read it by other ways; a log without either leaves them out. */
  readonly shardingKey?: string | null;
  readonly keys?: string | null;
}

export interface SendResult {
  /** Right behind the last accepted record, or the end of the queue where none was. Those of other senders may lie between. */
  readonly endOffset: Offset;
  /** Records the log refuses for themselves (too large); all others are durable. Indexes into the batch. */
  readonly refused: readonly { readonly index: number; readonly error: RecordError }[];
}

/** What queues are asked for; to be read, where nothing is said. */
export type QueueUse = 'reading' | 'writing';

/** A consumer group's place in a queue: the first record that it has not finished. */
export interface GroupOffset {
  readonly queue: MessageQueue;
  readonly offset: Offset;
}

/**
 * Ordered logs. Calls throw `RetryableError` (`broker.unavailable`) when the broker does not answer, or is away so that nobody can
 * say whether it has the queue, and `FatalTaskError` (`broker.topic_missing`) for a topic or queue that does not exist. A call answers or throws within thirty
 * seconds, a read that waits so much after its wait; callers that have less time end their own waiting.
 */
export interface LogBroker {
  /**
   * How long after its failure, or after the end of the process that made it, a send may still land: at most a second. A broker
   * that answers nobody meanwhile may have it before its door, and then lands it so long after it answers again.
   */
  readonly sendLandsWithinMs: number;
  /** Why no topic can have this name, and which can; `null` where one can. */
  topicProblem(topic: string): string | null;
  /** Why the log cannot read by this filter; `null` where it can. */
  filterProblem(filter: RecordFilter): Promise<string | null>;
  /**
   * The queues of a topic that can be read, or that can be written to, in a stable order; empty when the topic does not exist. Of a
   * topic that is about to have fewer queues, some are read to their end and written no more.
   */
  queues(topic: string, use?: QueueUse): Promise<readonly MessageQueue[]>;
  /** Existing topics, ascending. */
  topics(): Promise<readonly string[]>;
  /** In the order asked. `null` for a queue that does not exist, and for one whose broker is away: `read` tells which. */
  bounds(queues: readonly MessageQueue[]): Promise<readonly (QueueBounds | null)[]>;
  read(queue: MessageQueue, from: Offset, limits: ReadLimits, signal?: CancelSignal): Promise<ReadResult>;
  /**
   * Appends to one queue, in order, and resolves when the batch is durable. Two calls for one queue keep their order when
   * the second begins after the first has resolved. A batch may be larger than what a broker takes at once: then it is split
   * here, and other senders' records may come between. A throw leaves open how much was appended, nothing, a first part or
   * all, now or up to `sendLandsWithinMs` later.
   */
  send(queue: MessageQueue, records: readonly OutgoingRecord[]): Promise<SendResult>;
  /**
   * Creates the topic unless it exists; an existing topic keeps its queues, also one that cannot be written to.
   *
   * @throws {FatalTaskError} `broker.topic_refused`: none can have this name.
   */
  ensureTopic(topic: string, options: { readonly queues: number }): Promise<void>;
  /** The first offset stored at or after `atMs`; `max` when there is none. */
  offsetAt(queue: MessageQueue, atMs: number): Promise<Offset>;
  /**
   * Tells the broker how far a consumer group has come, for those who look at a topic with the broker's own tools. Nothing of ours
   * decides by it: an answer says that the broker was told, and it may lose what it was told. Queues that do not exist are left out.
   */
  noteGroup(group: string, offsets: readonly GroupOffset[]): Promise<void>;
  /** How far the consumer groups of a topic have come, as they said last, by group; empty when the topic does not exist. */
  groups(topic: string): Promise<ReadonlyMap<string, readonly GroupOffset[]>>;
  /**
   * Yields queues that hold a record at or after their `from`, as soon as they do; a queue may come again while it has
   * more. Ends when `signal` aborts.
   */
  watch(
    queues: readonly { readonly queue: MessageQueue; readonly from: Offset }[],
    signal: CancelSignal,
  ): AsyncIterable<MessageQueue>;
}

// ---------------------------------------------------------------------------------------------------------------------

/**
 * Carries offers to a host. One host may run several invocations, and all of them end with it: where one crashes it, or is stuck and
 * has to be ended by force, each is told of as `died`.
 */
export interface Invoker {
  /** Resolves with how the invocation ended, as far as this side can tell; never rejects. */
  invoke(offer: Offer): Promise<InvocationEnd>;
  /** Invocations that could start now without waiting. */
  freeSlots(): number;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Log4j's, from what shows most to what shows nothing. */
export const LOG_THRESHOLDS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'OFF'] as const;

export type LogThreshold = (typeof LOG_THRESHOLDS)[number];

export interface LoggerLevel {
  readonly threshold: LogThreshold;
  /** Epoch ms; `null` when it is as it was at the start. */
  readonly setAtMs: number | null;
}

/** What is logged in this process: of the connector `NAME` by the logger `connector.NAME`, where it was set, and else by `root`. */
export interface Loggers {
  /** `root`, and every other one that was set. */
  all(): ReadonlyMap<string, LoggerLevel>;
  set(logger: string, threshold: LogThreshold): void;
}

/** What the runtime tells of its work. Synchronous, cheap, never throws. */
export interface Telemetry {
  /** Whatever a plugin counts. */
  count(name: string, labels: Labels, by?: number): void;
  log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void;
  run(record: RunRecord): void;
}

/** Metrics of a scheduler's process. Values that rise and fall are not told: they are asked for. Synchronous, cheap, never throws. */
export interface Metrics {
  count(name: CounterName, labels: Labels, by?: number): void;
  observe(name: HistogramName, labels: Labels, value: number): void;
  /** The connector was deleted, and its series go. */
  forget(connector: string): void;
}

// ---------------------------------------------------------------------------------------------------------------------

/** What `${provider:path:key}` in a configuration names; `path` is empty where there is none. */
export interface SecretReference {
  readonly provider: string;
  readonly path: string;
  readonly key: string;
}

/** `refused`: its operator does not allow it; `missing`: it is allowed, and not there. Both say why, without a value. */
export type SecretAnswer = { readonly value: string } | { readonly refused: string } | { readonly missing: string };

/**
 * Values that configurations refer to instead of holding them. Only invocations ask for them: not the scheduler, not the API. No
 * value is stored, and none is told by any message of the implementation.
 *
 * 1. An operator says what may be named at all; nothing is allowed that was not. What is refused says nothing of what is there.
 * 2. An invocation asks for all that its connector names in one call. References to one path are answered from one reading of it.
 * 3. It keeps the values as long as its host is warm for that revision of the connector, for at most `SECRETS_AGE_MAX_MS` (a minute,
 *    `functions/open-connector.ts`): the first invocation that begins later asks again, and opens readers and writers anew
 *    where an answer has changed. One that runs already goes on with what it has. Where no answer comes in
 *    time, the values that are kept serve for another minute; where none are, the invocation ends, and another is tried.
 *
 * Never rejects. It may take as long as a file system or a network does: whoever asks ends its own waiting.
 */
export interface Secrets {
  /** In the order asked. */
  resolve(references: readonly SecretReference[]): Promise<readonly SecretAnswer[]>;
}
