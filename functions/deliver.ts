/**
 * One batch from the pipeline into the writer: puts, per-record failures, retries inside the slice's time, tolerance.
 *
 * Refused records are dead-lettered before a position that covers them is stored anywhere, be it the cursor or a
 * transactional target (I5).
 */
import { isAssertion } from '../core/assert.ts';
import { backoffMs } from '../core/backoff.ts';
import { FatalTaskError, FencedError, messageOf, RecordError, RetryableError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import type { CancelSignal } from '../core/ports.ts';
import type { ConnectRecord } from '../core/record/connect-record.ts';
import type { Effect, PutFailure, PutResult, SinkWriter } from '../plugins/api/sink.ts';
import { type Deadline, TIMED_OUT, within } from './deadline.ts';
import { COMMIT_RESERVE_MS, type Invocation } from './invocation.ts';
import type { Refusal } from './pipeline.ts';
import { type Tolerance, tolerate } from './tolerance.ts';
import { type Batch, RecordRefused, type Slice, SliceBroken, SliceOver, type Work } from './work.ts';

export interface Delivery {
  readonly invocation: Invocation;
  readonly work: Work;
  readonly slice: Slice;
  readonly writer: SinkWriter;
  readonly effect: Effect;
  /** Failed records may be put again without those around them: targets that order by version, or by queue. */
  readonly retriesAlone: boolean;
  readonly tolerance: Tolerance;
  readonly putTimeoutMs: number;
  readonly retryDelayMaxMs: number;
  /** How long a put that failed may still land and undo what is put after it. */
  readonly lateMs: number;
}

/** Where `errors.tolerance=none` stopped: `count` records of the batch are finished, the next one was refused. */
export interface Stop {
  readonly count: number;
  readonly refusal: Refusal;
}

/** Records still to be put, with their indexes in the batch. */
interface Pending {
  readonly records: readonly ConnectRecord[];
  readonly indexes: readonly number[];
}

/** `null`: the whole batch is delivered. */
export async function deliver(delivery: Delivery, batch: Batch): Promise<Stop | null> {
  const { tolerance, invocation } = delivery;
  const { records, indexes, refusals, filtered } = batch.processed();
  invocation.tally.counts.filtered += filtered;
  const [refusal] = refusals;
  if (tolerance.tolerates === 'none' && refusal !== undefined) {
    const stop = await putAll(delivery, { records, indexes }, { batch, count: refusal.index });
    return stop ?? { count: refusal.index, refusal };
  }
  await tolerateAll(delivery, refusals);
  return putAll(delivery, { records, indexes }, { batch, count: batch.records.length });
}

/** Puts until nothing is left to be put again. The target then stands behind the first `count` records of the batch. */
async function putAll(
  delivery: Delivery,
  all: Pending,
  { batch, count }: { readonly batch: Batch; readonly count: number },
): Promise<Stop | null> {
  const { tolerance, effect, work, invocation } = delivery;
  const transactional = effect === 'transactional';
  const position = work.positionBehind(batch, count);
  // What a transactional target took up to a place where nothing can resume, it would take again.
  if (transactional && position === undefined) return null;
  let pending = all;
  for (let attempt = 1; ; attempt += 1) {
    if (pending.records.length === 0 && !transactional) return null;
    const result = await putOnce(delivery, pending, { position: position ?? null, attempt });
    if (result === 'again') continue;
    const { failures, taken = pending.records.length } = result;
    if (failures.length === 0 && taken === pending.records.length) {
      invocation.tally.counts.delivered += pending.records.length;
      return null;
    }
    const sorted = sortFailures(delivery, pending, { failures, taken });
    const [refusal] = sorted.refusals;
    if (refusal !== undefined && tolerance.tolerates === 'none') {
      return stopAt(refusal, delivery, { pending, sorted, attempt, batch });
    }
    invocation.tally.counts.delivered += pending.records.length - sorted.again.records.length - sorted.refusals.length;
    await tolerateAll(delivery, sorted.refusals);
    const [next] = sorted.again.indexes;
    if (next === undefined && !transactional) return null;
    const hasProgress = sorted.again.records.length < pending.records.length;
    pending = sorted.again;
    // What comes before it is finished, also where the slice's time ends with this batch not yet through.
    if (next !== undefined && !transactional) work.delivered(batch, next);
    if (hasProgress) attempt = 1;
    if (sorted.retryable === null) {
      await goOn(delivery, { hasProgress });
    } else {
      countStrain(invocation, sorted.retryable);
      await pause(delivery, attempt, sorted.retryable);
    }
  }
}

/** Before what is left of a batch is put: there is nothing to wait for. @throws {SliceOver} when its time is over, or its gate closed. */
async function goOn(delivery: Delivery, { hasProgress }: { readonly hasProgress: boolean }): Promise<void> {
  const { effect, work } = delivery;
  if (effect === 'transactional') return;
  if (!hasProgress) throw new RetryableError('a sink took no record, and did not say why', { code: 'plugin.failed' });
  if (!hasTimeForPut(delivery, work.deadline)) throw outOfTime('put the rest of a batch');
  await work.lookAtGate();
}

/** What comes before a refused record goes in first: all of it into a transactional target, which took nothing. */
async function stopAt(
  refusal: Refusal,
  delivery: Delivery,
  {
    pending,
    sorted: { again, retryable },
    attempt,
    batch,
  }: { readonly pending: Pending; readonly sorted: SortedFailures; readonly attempt: number; readonly batch: Batch },
): Promise<Stop> {
  const { index } = refusal;
  const earlier = before(again, index);
  delivery.invocation.tally.counts.delivered += before(pending, index).records.length - earlier.records.length;
  const failed = retryable !== null && delivery.effect !== 'transactional' && earlier.records.length > 0;
  if (failed) await pause(delivery, attempt, retryable);
  return (await putAll(delivery, earlier, { batch, count: index })) ?? { count: index, refusal };
}

/** One put. `again`: it failed as a whole, the pause is over, and time is left. */
async function putOnce(
  delivery: Delivery,
  { records }: Pending,
  { position, attempt }: { readonly position: Json; readonly attempt: number },
): Promise<PutResult | 'again'> {
  const { invocation, slice, writer } = delivery;
  try {
    const result = await timedPut(delivery, (signal, forMs) =>
      writer.put({ ...slice.identity, records, position, forMs }, signal),
    );
    invocation.tally.noteTopics(records);
    const stale = result.stale ?? 0;
    invocation.tally.counts.stale += stale;
    invocation.tally.counts.delivered -= stale;
    return result;
  } catch (error) {
    if (!(error instanceof RetryableError)) throw error;
    countStrain(invocation, error);
    // It may have landed, or land yet. Only the next epoch's `begin` keeps a transactional target from taking it twice.
    if (delivery.effect === 'transactional') throw new SliceBroken(error);
    await pause(delivery, attempt, error);
    return 'again';
  }
}

/** What tells the scheduler that the target can bear no more invocations. */
function countStrain({ tally }: Invocation, { code }: RetryableError): void {
  if (code === 'target.throttled' || code === 'target.timed_out') tally.counts.throttled += 1;
}

/** Whether one more put may take as long as it is allowed to, and still be committed before `deadline`. */
export function hasTimeForPut({ putTimeoutMs }: Delivery, deadline: Deadline): boolean {
  return deadline.remainingMs() > putTimeoutMs + COMMIT_RESERVE_MS;
}

/** @throws {FatalTaskError} where each run would yield before its first put, for ever and without a word. */
export function demandTimeForPut(
  { limitMs, tally }: Invocation,
  { effect, putTimeoutMs }: { readonly effect: Effect; readonly putTimeoutMs: number },
): void {
  if (effect !== 'overwrite' || limitMs > putTimeoutMs + COMMIT_RESERVE_MS) return;
  tally.stage = 'put';
  throw new FatalTaskError(
    `put.timeout.ms is ${putTimeoutMs}, but the platform ends a run after ${Math.round(limitMs)} ms, and the commit needs ` +
      `${COMMIT_RESERVE_MS} of them: no put could end in time. Lower put.timeout.ms, or raise the platform's limit`,
  );
}

/** A slice that was late from its beginning says so: what it waited for takes more of each claim than there is. */
function outOfTime(what: string): SliceOver {
  const message = `what came before left no time within the claim to ${what}`;
  return new SliceOver(new RetryableError(message, { code: 'target.timed_out' }));
}

async function timedPut(
  delivery: Delivery,
  put: (signal: CancelSignal, forMs: number) => Promise<PutResult>,
): Promise<PutResult> {
  const { work, effect, putTimeoutMs, invocation } = delivery;
  invocation.tally.stage = 'put';
  const leftMs = work.deadline.remainingMs() - COMMIT_RESERVE_MS;
  // An `overwrite` target must not be written to after the deadline: what the next holder writes then would be undone.
  if (leftMs <= (effect === 'overwrite' ? putTimeoutMs : 0)) throw outOfTime('put');
  const limitMs = Math.min(putTimeoutMs, leftMs);
  const { clock } = invocation.host;
  const startedAtMs = clock.monotonicMs();
  const result = await within(clock, limitMs, (signal) => put(signal, limitMs)).catch((error: unknown) => {
    throw classified(error);
  });
  if (result !== TIMED_OUT) {
    invocation.tally.measure('putMs', clock.monotonicMs() - startedAtMs);
    return result;
  }
  // The writer may still be busy, so nothing more is put through it.
  throw new SliceBroken(new RetryableError(`a put did not end within ${Math.round(limitMs)} ms`, { code: 'target.timed_out' }));
}

/** What a plugin throws without saying what it means is tried again, a bounded number of times. */
export function classified(error: unknown): unknown {
  if (error instanceof RetryableError || error instanceof FencedError || error instanceof FatalTaskError) return error;
  if (error instanceof SliceBroken || error instanceof SliceOver || error instanceof RecordRefused) return error;
  return isAssertion(error) ? error : new RetryableError(messageOf(error), { code: 'plugin.failed', cause: error });
}

/**
 * Waits before another attempt, as long as the target asks, or throws the error where the slice's time does not allow it.
 *
 * @throws {SliceOver} when the gate was closed meanwhile (I9), or at once where the host is about to end.
 */
async function pause(
  { invocation, work, retryDelayMaxMs, lateMs }: Delivery,
  attempt: number,
  error: RetryableError,
): Promise<void> {
  const { host, tally } = invocation;
  const pauseMs = Math.max(error.retryAfterMs, lateMs, backoffMs({ attempts: attempt, maxMs: retryDelayMaxMs }, host.random));
  // An `overwrite` target's next put needs its whole timeout, too: without it the slice would yield, and nobody hear of the error.
  if (pauseMs + lateMs > work.deadline.remainingMs() - 2 * COMMIT_RESERVE_MS) throw error;
  tally.counts.retries += 1;
  await host.clock.sleep(pauseMs, host.sandbox.closing);
  await work.lookAtGate();
}

interface SortedFailures {
  /** In the order of the batch. */
  readonly refusals: readonly Refusal[];
  readonly again: Pending;
  /** The first one. */
  readonly retryable: RetryableError | null;
}

function sortFailures(
  { retriesAlone, effect }: Delivery,
  { records, indexes }: Pending,
  { failures, taken }: { readonly failures: readonly PutFailure[]; readonly taken: number },
): SortedFailures {
  const refusals: Refusal[] = [];
  const retried = new Set<number>();
  const refused = new Set<number>();
  let retryable: RetryableError | null = null;
  for (const { index, error } of [...failures].sort((a, b) => a.index - b.index)) {
    const record = records[index];
    if (record === undefined)
      throw new RetryableError(`a sink reported a failure of record ${index} of ${records.length}`, { code: 'plugin.failed' });
    if (error instanceof RecordError) {
      // What is put again anyway is judged again.
      if (retryable !== null && !retriesAlone) continue;
      refused.add(index);
      refusals.push({ index: indexes[index] ?? 0, record, stage: 'put', error });
    } else {
      retryable ??= error;
      retried.add(index);
    }
  }
  const firstRetried = retried.size === 0 ? Number.POSITIVE_INFINITY : Math.min(...retried);
  const again = (_: unknown, index: number): boolean => {
    if (refused.has(index)) return false;
    if (effect === 'transactional' || index >= taken) return true;
    return retriesAlone ? retried.has(index) : index >= firstRetried;
  };
  return { refusals, again: { records: records.filter(again), indexes: indexes.filter(again) }, retryable };
}

function before({ records, indexes }: Pending, end: number): Pending {
  const taken = (index: number): boolean => index < end;
  return { records: records.filter((_, at) => taken(indexes[at] ?? end)), indexes: indexes.filter(taken) };
}

async function tolerateAll({ invocation, tolerance, slice, work }: Delivery, refusals: readonly Refusal[]): Promise<void> {
  if (refusals.length === 0) return;
  const forMs = work.deadline.remainingMs() - COMMIT_RESERVE_MS;
  // Only where something is sent: what was delivered a moment ago is not thrown away for being late.
  if (tolerance.deadLetters !== null && forMs <= 0) throw outOfTime('dead-letter');
  const describe = ({ record }: Refusal): string => work.describe(record);
  await tolerate(invocation, tolerance, { identity: slice.identity, refusals, forMs, describe });
}
