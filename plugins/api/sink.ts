/**
 * Sinks: batches of records -> a target.
 *
 * Lifecycle of a writer, in this order:
 * 1. `open(config, context)` makes one. A warm sandbox keeps it for later slices of the same shard and configuration.
 * 2. `begin(slice)`, transactional targets only: once for every claim, also on a writer that was kept.
 * 3. `put(batch, signal)`, any number of times: 1..n records of one shard in offset order, never twice at once per writer.
 *    It may work concurrently inside, as long as the writes of one key keep their order.
 * 4. `flush(signal)`: resolves when all that was put is durable. The offset is committed only then (I1).
 * 5. `rest(signal)`, where there is one: the invocation ends, and nobody may call for a long time. All that was put is flushed.
 * 6. `close()`: after an error or when the sandbox drops the writer. Releases everything; never throws.
 *
 * What an answer of `put` means:
 * - returns failures: these records only were refused, all others were taken. Of a transactional target: nothing was taken,
 *   and the runtime puts the rest again once the refused ones are dead-lettered.
 *   A failure with a `RetryableError` is put again; unless the effect is `versioned`, everything from the first such record
 *   on is put again, so that order is kept.
 * - returns how many it has `taken` care of, from the first on: the others are put again at once, in their order. For a target
 *   that takes records one by one and cannot take a batch of any size in the time of a put (`forMs`).
 * - throws: no record of the batch counts as delivered, though some may have arrived.
 *   `RetryableError` is tried again inside the budget, `FencedError` ends the slice, `FatalTaskError` fails the shard;
 *   anything else is tried again a bounded number of times.
 * - `signal` aborts when the time of the put is over. Stop, and throw a `RetryableError`; an abort is not a failure.
 *
 * A `versioned` target writes each record with its version, `recordVersion(record, batch)` of `record-version.ts`, sent as
 * digits, and changes nothing where it holds a higher one: such records are counted as `stale`. An equal one is a redelivery,
 * written again or not. A deletion keeps its version for as long as an older write may still come.
 */
import type { z } from 'zod';
import type { Effect } from '../../core/effect.ts';
import { FatalTaskError, type RecordError, type RetryableError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import type { CancelSignal } from '../../core/ports.ts';
import type { ConnectRecord } from '../../core/record/connect-record.ts';
import type { ShardId } from '../../core/shard-id.ts';
import type { PluginContext } from './context.ts';

export type { Effect };

/** Who writes. A transactional target keeps one row per shard: generation, epoch, position. */
export interface SliceIdentity {
  readonly shard: ShardId;
  readonly generation: number;
  readonly epoch: number;
}

export interface PutBatch extends SliceIdentity {
  /** May be empty for a transactional target: then only the position moves. */
  readonly records: readonly ConnectRecord[];
  /**
   * Where the shard stands once this batch is in: the next offset as digits, or a source's checkpoint. A transactional
   * target stores it in the same transaction as the records, if its row still has this generation and epoch, and throws
   * `FencedError` otherwise.
   */
  readonly position: Json;
  /** How long this put may take: `signal` aborts then. */
  readonly forMs: number;
}

export interface PutFailure {
  /** Into `records`. */
  readonly index: number;
  readonly error: RecordError | RetryableError;
}

/** Counted by the target, for metrics. */
export interface PutResult {
  readonly failures: readonly PutFailure[];
  /** Absent: all. At least one unless it comes with a `RetryableError`; never fewer than all of a transactional target. */
  readonly taken?: number;
  /** Records the target ignored because it holds a newer version. */
  readonly stale?: number;
}

export interface SinkWriter {
  /**
   * Takes the shard's row for this epoch and answers the position it holds, `null` for none: raises generation and epoch
   * if they are higher, and forgets the position when the generation rises. The slice goes on behind that position.
   *
   * @throws {FencedError} when the row has a higher epoch of the same generation; {FatalTaskError} `newerGeneration` when it has
   * a higher generation: it does no harm that a claim from before a reset may say so, for its shard is not its own any more.
   */
  begin?(slice: SliceIdentity, signal: CancelSignal): Promise<Json>;
  put(batch: PutBatch, signal: CancelSignal): Promise<PutResult>;
  flush(signal: CancelSignal): Promise<void>;
  /** For a target that collects what is durable already before it shows it. What fails here is left to a later slice: never throws. */
  rest?(signal: CancelSignal): Promise<void>;
  close(): Promise<void>;
}

export interface SinkPlugin<Config extends z.ZodType = z.ZodType> {
  readonly kind: 'sink';
  readonly name: string;
  readonly version: string;
  readonly effect: Effect;
  /**
   * `bytes`: takes `keyDatum.bytes` and `valueDatum.bytes`, so that untouched records are not parsed at all. A key or value that its
   * configuration makes it look at nevertheless is decoded there, and may throw a `RecordError`.
   */
  readonly reads: 'values' | 'bytes';
  /** The connector's keys that are not the runtime's own, as text. Every key described. */
  readonly config: Config;
  /** @throws {FatalTaskError} when nothing can succeed until somebody acts; {RetryableError} when the target is unwell. */
  open(config: z.output<Config>, context: PluginContext): Promise<SinkWriter>;
}

export function defineSink<Config extends z.ZodType>(plugin: Omit<SinkPlugin<Config>, 'kind'>): SinkPlugin<Config> {
  return { kind: 'sink', ...plugin };
}

/** All taken, the common answer. */
export const ALL_TAKEN: PutResult = { failures: [] };

/** What `begin` says of a row whose generation is higher than the claim's: no later claim gets past it either. */
export function newerGeneration({ shard, generation }: SliceIdentity, held: number): FatalTaskError {
  return new FatalTaskError(`the target holds generation ${held} of ${shard}, and the state store generation ${generation}`, {
    code: 'target.generation_newer',
    details: { generation, held },
  });
}
