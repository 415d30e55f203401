/**
 * Sources: a system -> records.
 *
 * A source's work is divided into shards (a binlog, a table range, a file). Each shard resumes from its checkpoint, JSON of
 * at most 16 KB that only the plugin understands.
 *
 * Lifecycle:
 * 1. `discover(config, context)` lists the shards, in an invocation of its own, at start and then every
 *    `discoverEveryMs`, at least once a day. A shard that is no longer listed is kept. They are made in the order of the list;
 *    a death in the middle leaves the rest to the next discovery, which finds those that are there in `context.shards()`.
 * 2. `open(config, shard, checkpoint, context)` makes a reader at that checkpoint (`null`: the beginning).
 *    A warm sandbox keeps the reader while it stands exactly at the shard's checkpoint.
 * 3. `poll(limits, signal)`, any number of times, never twice at once: the next records in order, and the checkpoint that
 *    resumes behind them. The runtime stores it only after the records are durable in the log, so that whatever is polled
 *    but not committed is polled again. The same checkpoint must lead to the same records, or to later states of them.
 * 4. `close()`: releases everything; never throws. At the end of a slice a poll may still be under way: its signal aborts, and
 *    the reader is closed once the poll has settled, or ten seconds later where it does not.
 *
 * `poll` throws `RetryableError` (tried again later), `FatalTaskError` (the shard fails), anything else: tried again a
 * bounded number of times. An abort of `signal` is not a failure.
 */
import type { z } from 'zod';
import type { Json } from '../../core/json.ts';
import type { CancelSignal } from '../../core/ports.ts';
import type { Datum, Header } from '../../core/record/connect-record.ts';
import type { Position } from '../../core/record/position.ts';
import type { PluginContext } from './context.ts';

/** A shard of a source. `names` tell it from the others and are all `open` gets of it, e.g. `['table', 'shop.orders', '0']`. */
export interface SourceShard {
  readonly names: readonly string[];
  /** Ends by itself (a snapshot range, a closed file): `finished` is expected of `poll` one day. */
  readonly finite: boolean;
  /** Where it begins, the first time it is found; a reset of its offsets takes it to `null` all the same. Absent: `null`. */
  readonly checkpoint?: Json;
}

export interface PollLimits {
  readonly records: number;
  /** Of keys and values together, roughly; the first record always fits. */
  readonly bytes: number;
  /** How long to wait for a first record; 0 answers at once. */
  readonly waitMs: number;
}

export interface PolledRecord {
  readonly topic: string;
  readonly key: Datum;
  readonly value: Datum;
  readonly timestampMs: number | null;
  readonly tag?: string | null;
  readonly headers?: readonly Header[];
  /** What key and value took in the source, where that is known: it spares a look at values that may be refused. */
  readonly bytes?: number;
  /**
   * Which queue of its topic it is for, a whole number counted round and round, the same again whenever it is polled again: what goes to
   * one queue keeps its order. Absent: the queue that its sharding key says, or its key; without either, any.
   */
  readonly queueIndex?: number;
  readonly shardingKey?: string | null;
  /** Words by which the log's own tools find the record, with blanks between; absent: its key is one. */
  readonly keys?: string | null;
  /** This record's place, larger than every one before it in the shard. Required when the source is `exactlyOnce`. */
  readonly position?: Position;
}

export interface PollResult {
  readonly records: readonly PolledRecord[];
  /** Resumes right behind `records`. */
  readonly checkpoint: Json;
  /** Nothing more for now: come back after so many ms, at most a day. Absent: poll again at once. */
  readonly idleForMs?: number;
  /** A finite shard: nothing more, ever. */
  readonly finished?: boolean;
}

export interface SourceReader {
  poll(limits: PollLimits, signal: CancelSignal): Promise<PollResult>;
  close(): Promise<void>;
}

export interface SourcePlugin<Config extends z.ZodType = z.ZodType> {
  readonly kind: 'source';
  readonly name: string;
  readonly version: string;
  /**
   * Whether every record has a `position`, larger than the one before, and the same again whenever it is polled again.
   * Then the runtime publishes each record once; otherwise at least once.
   */
  readonly exactlyOnce: boolean;
  readonly discoverEveryMs: number;
  /** The connector's keys that are not the runtime's own, as text. Every key described. */
  readonly config: Config;
  discover(config: z.output<Config>, context: PluginContext): Promise<readonly SourceShard[]>;
  open(config: z.output<Config>, shard: SourceShard['names'], checkpoint: Json, context: PluginContext): Promise<SourceReader>;
}

export function defineSource<Config extends z.ZodType>(plugin: Omit<SourcePlugin<Config>, 'kind'>): SourcePlugin<Config> {
  return { kind: 'source', ...plugin };
}
