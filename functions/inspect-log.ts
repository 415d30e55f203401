/** Compares the log with the cursor before a claim, and writes what it finds into the cursor (I10). */
import { type FirstRecord, type LogCursor, watermark } from '../core/cursor/cursor.ts';
import { failShard, reappear, skip, vanish } from '../core/cursor/steer.ts';
import type { StoredCursor } from '../core/cursor/stored-cursor.ts';
import { RetryableError } from '../core/errors.ts';
import { checkBounds, checkReturned, checkStoreTimes, type LogVerdict, sampleLog } from '../core/log-check.ts';
import { type MessageQueue, queueKey } from '../core/message-queue.ts';
import type { Offset } from '../core/offset.ts';
import type { QueueBounds } from '../core/ports.ts';
import { TIMED_OUT, within } from './deadline.ts';
import type { Invocation } from './invocation.ts';

export interface InspectedLog {
  readonly invocation: Invocation;
  readonly shard: StoredCursor<LogCursor>;
  readonly queue: MessageQueue;
  /** `log.gap.policy`. */
  readonly gapPolicy: 'fail' | 'skip';
  /** How long after its deadline a holder may still be at work. */
  readonly graceMs: number;
}

export interface Inspection {
  readonly bounds: QueueBounds;
  /** The generation whose cursor the log was compared with. */
  readonly generation: number;
  /** What to know the log by from now on, where that is not known yet. */
  readonly firstRecord: FirstRecord | null;
  /** Records are missing, and what may still be written below them keeps them from being skipped until then. */
  readonly skipsAtMs: number | null;
}

/** `null` when the queue does not exist. */
export async function inspectLog(log: InspectedLog): Promise<Inspection | null> {
  const { invocation, shard, queue } = log;
  const { broker, settings } = invocation.host;
  const forMs = invocation.platform.remainingMs();
  // Bounds are compared with a cursor that is older than they are: a younger one may say what was appended behind them.
  const before = shard.cursor;
  const [bounds] = await answered(invocation, broker.bounds([queue]));
  if (bounds === null || bounds === undefined) {
    await shard.change(vanish, { forMs });
    return null;
  }
  if (shard.cursor.status.state === 'gone') {
    await judge(log, shard.cursor, checkReturned(shard.cursor, bounds));
    await shard.change(reappear, { forMs });
  }
  await judge(log, before, checkBounds(before, bounds));
  const { cursor } = shard;
  const sample = await answered(invocation, sampleLog(broker, queue, { cursor, bounds }));
  const verdict = checkStoreTimes(cursor, sample, settings.skewMaxMs);
  await judge(log, cursor, verdict);
  const firstRecord = verdict.kind === 'intact' ? sample.first : null;
  return { bounds, generation: cursor.generation, firstRecord, skipsAtMs: skipsAtMs(log, bounds) };
}

/** What is below a gap would be claimed for nothing, again and again. */
function skipsAtMs({ shard: { cursor }, invocation, gapPolicy, graceMs }: InspectedLog, { min }: QueueBounds): number | null {
  if (gapPolicy === 'fail' || cursor.status.state !== 'active' || watermark(cursor) >= min) return null;
  const busyUntilMs = busyBelowUntilMs(cursor, { to: min, graceMs });
  return busyUntilMs > invocation.host.clock.nowMs() ? busyUntilMs : null;
}

/** No claim bounds this wait yet, so it may last as long as one. @throws {RetryableError} after that. */
async function answered<T>({ host, platform }: Invocation, look: Promise<T>): Promise<T> {
  const answer = await within(host.clock, Math.min(host.settings.claimMs, platform.remainingMs()), () => look);
  if (answer !== TIMED_OUT) return answer;
  throw new RetryableError('the broker answered no look at the log', { code: 'broker.unavailable' });
}

/** Applies a verdict to the cursor it was made on: after a reset it means nothing. */
async function judge(
  { invocation, shard, queue, gapPolicy, graceMs }: InspectedLog,
  judged: LogCursor,
  verdict: LogVerdict,
): Promise<void> {
  if (verdict.kind === 'intact' || isKnown(shard.cursor, verdict, gapPolicy)) return;
  const position = `${queueKey(queue)}@${watermark(judged)}`;
  const skippedBefore = shard.cursor.gaps?.records ?? 0n;
  const { revision } = invocation.connector;
  const terms = { gapPolicy, revision, graceMs, nowMs: invocation.host.clock.nowMs() };
  const last = { applied: false };
  await shard.change(
    (cursor) => {
      const changed = cursor.generation === judged.generation ? judgedCursor(cursor, verdict, terms) : cursor;
      // Also of a write whose reply was lost: sent again it finds itself done.
      last.applied ||= changed !== cursor;
      return changed;
    },
    { forMs: invocation.platform.remainingMs() },
  );
  if (!last.applied) return;
  invocation.tally.counts.skipped += Number((shard.cursor.gaps?.records ?? 0n) - skippedBefore);
  const message =
    verdict.kind === 'truncated' ? verdict.message : `retention removed records up to ${verdict.to} before they were read`;
  invocation.host.telemetry.log('error', message, { connector: invocation.connector.name, shard: shard.shard, position });
}

function judgedCursor(
  cursor: LogCursor,
  verdict: Exclude<LogVerdict, { kind: 'intact' }>,
  {
    gapPolicy,
    revision,
    graceMs,
    nowMs,
  }: { readonly gapPolicy: 'fail' | 'skip'; readonly revision: number; readonly graceMs: number; readonly nowMs: number },
): LogCursor {
  if (verdict.kind === 'truncated') return failShard(cursor, { code: 'shard.log_truncated', retryAtMs: null });
  // An operator may have put another policy in its place meanwhile: then that one decides, with the next look.
  if (cursor.gate.revision > revision || watermark(cursor) >= verdict.to) return cursor;
  if (gapPolicy === 'skip')
    return busyBelowUntilMs(cursor, { to: verdict.to, graceMs }) > nowMs ? cursor : skip(cursor, verdict.to);
  return failShard(cursor, { code: 'shard.log_gap', retryAtMs: null });
}

/**
 * Until when something may still be written of what is below a gap. A holder may be putting what it read before; cut off, it would
 * write beside its successor (I4). It finds the gap with its next read and gives its range back, or its claim runs out. A back-off
 * covers a put that was given up and may land over newer values.
 */
function busyBelowUntilMs({ open }: LogCursor, { to, graceMs }: { readonly to: Offset; readonly graceMs: number }): number {
  const below = open.filter(({ start }) => start < to);
  return Math.max(0, ...below.map((range) => (range.kind === 'held' ? range.holder.deadlineAtMs + graceMs : range.retryAtMs)));
}

/** Whether the shard has failed for this already. A shard that failed for something else may restart by itself, so it is judged. */
function isKnown({ status }: LogCursor, verdict: LogVerdict, gapPolicy: 'fail' | 'skip'): boolean {
  if (status.state !== 'failed') return false;
  return (
    status.code === 'shard.log_truncated' || (status.code === 'shard.log_gap' && verdict.kind === 'gap' && gapPolicy === 'fail')
  );
}
