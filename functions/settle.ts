/** How a slice ends that did not come to its end: what is delivered is committed where that is safe, the rest given back. */
import { isAssertion } from '../core/assert.ts';
import { backoffMs, restartAtMs } from '../core/backoff.ts';
import type { RuntimeConfig } from '../core/config/connector-config.ts';
import type { ErrorCode } from '../core/error-codes.ts';
import { type ConnectError, FatalTaskError, FencedError, RetryableError, type Stage } from '../core/errors.ts';
import type { Outcome } from '../core/offer.ts';
import type { CancelSignal } from '../core/ports.ts';
import type { SinkWriter } from '../plugins/api/sink.ts';
import { TIMED_OUT, untilDeadline } from './deadline.ts';
import { classified } from './deliver.ts';
import type { HostSettings } from './host.ts';
import type { Invocation } from './invocation.ts';
import { type Failure, RecordRefused, SliceBroken, SliceOver, type Work } from './work.ts';

/** An error nobody declared may pass by itself; after so many attempts without progress it will not. */
const UNKNOWN_ATTEMPTS_MAX = 10;

interface BrokenSlice {
  readonly work: Work;
  readonly writer: SinkWriter | null;
  readonly error: unknown;
  readonly runtime: RuntimeConfig;
  /** How long the last put may still land and undo what is put after it. */
  readonly lateMs: number;
}

/**
 * @throws {AssertionError} the error itself, when it is one: the invocation crashes, its claim runs out, and nothing is lost.
 */
export async function settle(invocation: Invocation, { work, writer, error, runtime, lateMs }: BrokenSlice): Promise<Outcome> {
  if (error instanceof FencedError) return 'fenced';
  if (error instanceof RecordRefused) {
    const { stage, error: refused, record } = error.refusal;
    invocation.tally.failed(stage, refused, work.describe(record));
    return leave(invocation, work, writer, async () => {
      await work.fail(shardFailure(invocation, refused, { runtime, lateMs }));
      return 'failed';
    });
  }
  const { stage } = invocation.tally;
  // Attempts and progress are asked for after the flush, for only that shows whether there was progress.
  const failWith = async (known: RetryableError | FatalTaskError): Promise<Outcome> => {
    await work.fail(failureOf(invocation, { error: known, stage, attempts: work.attempts(), runtime, lateMs }));
    return 'failed';
  };
  if (error instanceof SliceOver) {
    return leave(invocation, work, writer, async () => {
      if (error.otherwise !== null && !work.hasProgress()) return failWith(error.otherwise);
      await work.release();
      return 'yielded';
    });
  }
  const known = error instanceof SliceBroken ? error.cause : error;
  if (!(known instanceof RetryableError || known instanceof FatalTaskError)) throw known;
  // A writer whose last write has an unknown outcome is not asked to flush.
  return leave(invocation, work, error instanceof SliceBroken ? null : writer, () => failWith(known));
}

/** Flushes what is delivered; what cannot be flushed is not committed. */
async function leave(
  invocation: Invocation,
  work: Work,
  writer: SinkWriter | null,
  end: () => Promise<Outcome>,
): Promise<Outcome> {
  try {
    const isFlushed = writer !== null && (await flushedAtLast({ invocation, work, writer }));
    if (isFlushed) await rest({ invocation, work, writer });
    return await end();
  } catch (error) {
    if (error instanceof FencedError) return 'fenced';
    if (!(error instanceof RetryableError)) throw error;
    // The store does not answer: the claim runs out by itself.
    invocation.tally.failed('commit', error);
    return 'failed';
  }
}

interface FailedSlice extends Pick<BrokenSlice, 'runtime' | 'lateMs'> {
  readonly error: RetryableError | FatalTaskError;
  readonly stage: Stage;
  /** Failures before this one, without progress in between. */
  readonly attempts: number;
}

export function failureOf(invocation: Invocation, { error, stage, runtime, lateMs, ...slice }: FailedSlice): Failure {
  if (error instanceof FatalTaskError) {
    invocation.tally.failed(stage, error);
    return shardFailure(invocation, error, { runtime, lateMs });
  }
  const attempts = slice.attempts + 1;
  if (error.code === 'plugin.failed' && attempts >= UNKNOWN_ATTEMPTS_MAX) {
    const exhausted = new FatalTaskError(`${attempts} attempts failed, the last one with: ${error.message}`, {
      code: 'shard.attempts_exhausted',
      cause: error,
    });
    invocation.tally.failed(stage, exhausted);
    return shardFailure(invocation, exhausted, { runtime, lateMs });
  }
  invocation.tally.failed(stage, error);
  const { revision } = invocation.connector;
  const { clock, random, settings } = invocation.host;
  const pauseMs = Math.max(
    error.retryAfterMs,
    landsWithinMs(settings, lateMs),
    backoffMs({ attempts, maxMs: runtime['errors.retry.delay.max.ms'] }, random),
  );
  return { code: error.code, retryAtMs: clock.nowMs() + pauseMs, shardFails: false, revision, restartAtMs: null };
}

/** What is missing does not come back: somebody has to decide where to read on. */
const NEVER_BY_ITSELF: ReadonlySet<ErrorCode> = new Set(['shard.log_truncated', 'shard.log_gap']);

/**
 * The shard fails; within its restart budget a claim may restart it. An operator may at once, and may reset it, and both wait
 * for the range's back-off: the last put may land as late as one that is tried again.
 */
function shardFailure(
  { host, connector, shardRestarts }: Invocation,
  { code }: ConnectError,
  { runtime, lateMs }: Pick<BrokenSlice, 'runtime' | 'lateMs'>,
): Failure {
  const nowMs = host.clock.nowMs();
  const restartsMax = runtime['auto.restart.max.attempts'];
  return {
    code,
    retryAtMs: nowMs + landsWithinMs(host.settings, lateMs),
    shardFails: true,
    revision: connector.revision,
    restartAtMs: NEVER_BY_ITSELF.has(code) ? null : restartAtMs({ restarts: shardRestarts(), restartsMax, nowMs }),
  };
}

/** Another host's clock may be ahead of this one's by the skew. */
function landsWithinMs({ skewMaxMs }: HostSettings, lateMs: number): number {
  return lateMs === 0 ? 0 : lateMs + skewMaxMs;
}

interface Writing {
  readonly invocation: Invocation;
  readonly work: Work;
  readonly writer: SinkWriter;
}

/** `false`: what was put is not durable, so it is not committed; the run says why where nothing else ended it. */
async function flushedAtLast(writing: Writing): Promise<boolean> {
  try {
    await flush(writing);
    return true;
  } catch (error) {
    return survived(writing, error);
  }
}

/** Tells the writer that its invocation ends. `false`: it did not, and is not to be used again. */
export async function rest(writing: Writing): Promise<boolean> {
  const { invocation, work, writer } = writing;
  try {
    if (writer.rest !== undefined) await limited(invocation, work, async (signal) => writer.rest?.(signal));
    return true;
  } catch (error) {
    return survived(writing, error);
  }
}

/** An error of a writer that ends anyway. @throws {AssertionError | FencedError} the error itself, when it is one. */
function survived({ invocation }: Writing, error: unknown): false {
  if (error instanceof FencedError || isAssertion(error)) throw error;
  invocation.tally.failedBesides('put', error instanceof SliceBroken ? error.cause : error);
  return false;
}

/** Everything delivered becomes durable, and with that safe to commit. */
export async function flush({ invocation, work, writer }: Writing): Promise<void> {
  await limited(invocation, work, (signal) => writer.flush(signal));
  work.flushed();
}

/** A call of a writer that has until the claim's deadline, also where the call renews the claim. */
export async function limited<T>(
  { host, tally }: Invocation,
  work: Work,
  call: (signal: CancelSignal) => Promise<T>,
): Promise<T> {
  tally.stage = 'put';
  const result = await untilDeadline(host.clock, () => work.deadline.remainingMs(), call).catch((error: unknown) => {
    throw classified(error);
  });
  if (result === TIMED_OUT)
    throw new SliceBroken(new RetryableError('the target did not answer within the claim', { code: 'target.timed_out' }));
  return result;
}
