/**
 * One run of the function: an offer, and one or more slices of one shard.
 *
 * read cursor -> claim -> open reader and writer -> begin -> { read ahead -> pipeline -> deliver -> tolerance } -> flush ->
 * commit, and claim the next -> outcome.
 */

import { assert, isAssertion } from '../core/assert.ts';
import { backoffMs, restartAtMs } from '../core/backoff.ts';
import type { Refused } from '../core/cursor/claim.ts';
import type { CheckpointCursor, LogCursor } from '../core/cursor/cursor.ts';
import type { StoredCursor } from '../core/cursor/stored-cursor.ts';
import { lateMs } from '../core/effect.ts';
import { ConfigError, FencedError, RetryableError } from '../core/errors.ts';
import type { InvocationResult, Offer, Outcome } from '../core/offer.ts';
import { newOwner } from '../core/owner.ts';
import { isDiscoveryShard, queueOfShard } from '../core/shard-id.ts';
import type { SinkWriter } from '../plugins/api/sink.ts';
import { claimTerms } from './claim-terms.ts';
import { Deadline } from './deadline.ts';
import { settleDeadlyRecord } from './deadly-record.ts';
import { classified, type Delivery, deliver, demandTimeForPut, hasTimeForPut } from './deliver.ts';
import { discover } from './discover.ts';
import { failUnclaimed, restartsOf } from './fail-unclaimed.ts';
import type { Host } from './host.ts';
import type { Ending, Invocation } from './invocation.ts';
import { LogWork } from './log-work.ts';
import { openConnector } from './open-connector.ts';
import { openShard } from './open-shard.ts';
import type { OpenedConnector } from './opened-connector.ts';
import { RunTally } from './run-tally.ts';
import { closeStation } from './sandbox.ts';
import { flush, limited, rest, settle } from './settle.ts';
import { SourceWork } from './source-work.ts';
import { toleranceOf } from './tolerance.ts';
import { Turns } from './turns.ts';
import { RecordRefused, type Slice, type Work } from './work.ts';

/**
 * `limitMs`: how long the platform lets this run go on. `owner`: who it is, for an entry that has told its invoker. Rejects only
 * when the program itself is wrong, once its run record says so.
 */
export async function runInvocation(
  host: Host,
  offer: Offer,
  { limitMs, owner = newOwner(offer.id, host.random) }: { readonly limitMs: number; readonly owner?: string },
): Promise<InvocationResult> {
  const tally = new RunTally(host, offer, owner);
  const platform = new Deadline(host.clock, { inMs: limitMs });
  let shard: StoredCursor | null = null;
  let ending: Ending;
  let crash: Error | null = null;
  try {
    const found = await openShard(host, offer, tally);
    if (found.kind === 'refused') {
      host.sandbox.drop(offer.shard);
      ending = { outcome: null, refusal: found.reason, notBeforeMs: null };
    } else {
      shard = found.shard;
      const { connector } = found;
      ending = await runShard(
        { host, offer, connector, tally, platform, limitMs, shardRestarts: () => restartsOf(found.shard.cursor) },
        found.shard,
      );
    }
  } catch (error) {
    if (isAssertion(error)) crash = error;
    ending = endingOf(error, host, tally);
  }
  tally.counts.storeReads += shard?.reads ?? 0;
  tally.counts.storeWrites += shard?.writes ?? 0;
  tally.counts.conflicts += shard?.conflicts ?? 0;
  const run = tally.record(ending.outcome, ending.refusal);
  host.telemetry.run(run);
  if (crash !== null) throw crash;
  const { topics } = tally;
  return { run, cursor: shard?.document ?? null, notBeforeMs: ending.notBeforeMs, ...(topics.length === 0 ? {} : { topics }) };
}

/** Nobody counts such failures: a pause of about five seconds, which a broker or a store that restarts may need. */
const UNCLAIMED_BACKOFF = { attempts: 5, maxMs: 5_000 };

/** Errors outside a slice: nothing is held, or the store does not answer and the deadline will pass. */
function endingOf(error: unknown, host: Host, tally: RunTally): Ending {
  if (error instanceof FencedError) return { outcome: 'fenced', notBeforeMs: null };
  // A sink's configuration is first read to find where it starts, when there is no cursor yet that could show it.
  const known = error instanceof ConfigError ? error : classified(error);
  tally.failed(tally.stage, known);
  return { outcome: 'failed', notBeforeMs: isAssertion(known) ? null : retryAtMs(known, host) };
}

/** Nothing in a cursor says when to come back. What only somebody's act can mend is looked at as a failed shard is, at first. */
function retryAtMs(error: unknown, { clock, random }: Host): number | null {
  const nowMs = clock.nowMs();
  if (!(error instanceof RetryableError)) return restartAtMs({ restarts: 0, restartsMax: 1, nowMs });
  return nowMs + Math.max(error.retryAfterMs, backoffMs(UNCLAIMED_BACKOFF, random));
}

async function runShard(invocation: Invocation, shard: StoredCursor): Promise<Ending> {
  const { host, offer } = invocation;
  let opened: OpenedConnector;
  let work: Work;
  let claimed: Slice | Refused;
  try {
    opened = await openConnector(host, invocation.connector);
    if (isDiscoveryShard(offer.shard)) return await discover(invocation, shard as StoredCursor<CheckpointCursor>, opened);
    ({ work, claimed } = await claimSlice(invocation, shard, opened));
  } catch (error) {
    return failUnclaimed(invocation, shard, error);
  }
  if ('reason' in claimed) {
    if (claimed.reason === 'gate-closed') host.sandbox.drop(offer.shard);
    return refusal(claimed);
  }
  return runClaimed(invocation, { opened, work, first: claimed });
}

async function claimSlice(
  invocation: Invocation,
  shard: StoredCursor,
  opened: OpenedConnector,
): Promise<{ readonly work: Work; readonly claimed: Slice | Refused }> {
  const { host, offer } = invocation;
  const station = host.sandbox.take(offer.shard, opened);
  const work = openWork(invocation, { shard, opened, station });
  let claimed: Slice | Refused | null = null;
  try {
    claimed = await work.claim();
    return { work, claimed };
  } finally {
    const unused = claimed === null || 'reason' in claimed;
    if (unused && station !== undefined) host.sandbox.keep(offer.shard, opened, station);
  }
}

async function runClaimed(
  invocation: Invocation,
  { opened, work, first }: { readonly opened: OpenedConnector; readonly work: Work; readonly first: Slice },
): Promise<Ending> {
  const { host, offer } = invocation;
  const { runtime } = opened.config;
  const effect = opened.sink?.effect ?? 'append';
  let writer: SinkWriter | null = null;
  try {
    demandTimeForPut(invocation, { effect, putTimeoutMs: runtime['put.timeout.ms'] });
    writer = await openWriter(invocation, work);
    const { outcome, isFit } = await runSlices(invocation, { work, opened, writer, first });
    const station = work.station(writer);
    if (isFit) host.sandbox.keep(offer.shard, opened, station);
    else closeStation(station);
    return { outcome, notBeforeMs: null };
  } catch (error) {
    try {
      const late = lateMs(effect, runtime);
      const outcome = await settle(invocation, { work, writer, error: classified(error), runtime, lateMs: late });
      return { outcome, notBeforeMs: null };
    } finally {
      closeStation(work.station(writer));
    }
  }
}

function openWriter(invocation: Invocation, work: Work): Promise<SinkWriter> {
  return limited(invocation, work, async (signal) => {
    const writer = await work.openWriter();
    // Opened after its slice had ended: nobody else knows of it.
    if (signal.aborted) await writer.close();
    return writer;
  });
}

function refusal({ reason, notBeforeMs }: Refused): Ending {
  return { outcome: null, refusal: reason, notBeforeMs };
}

function openWork(
  invocation: Invocation,
  {
    shard,
    opened,
    station,
  }: { readonly shard: StoredCursor; readonly opened: OpenedConnector; readonly station: ReturnType<Host['sandbox']['take']> },
): Work {
  const { host, offer } = invocation;
  const { source, sink, config } = opened;
  const effect = sink?.effect ?? 'append';
  const looksBack = source?.exactlyOnce === true && sink === null;
  const terms = claimTerms(effect, config.runtime, { skewMaxMs: host.settings.skewMaxMs, offer, looksBack });
  if (source !== null)
    return new SourceWork(invocation, { shard: shard as StoredCursor<CheckpointCursor>, opened, source, terms, station });
  const queue = queueOfShard(offer.shard);
  assert(queue !== undefined, `a sink's shard names a queue, not ${offer.shard}`);
  return new LogWork(invocation, { shard: shard as StoredCursor<LogCursor>, queue, opened, terms, station });
}

/**
 * Slices one after the other, until nothing is left, the quantum is over, the gate closes, or the host is about to end. `isFit`: the
 * writer may be used again.
 */
async function runSlices(
  invocation: Invocation,
  {
    work,
    opened,
    writer,
    first,
  }: { readonly work: Work; readonly opened: OpenedConnector; readonly writer: SinkWriter; readonly first: Slice },
): Promise<{ readonly outcome: Outcome; readonly isFit: boolean }> {
  const { host, offer, tally } = invocation;
  const quantum = new Deadline(host.clock, { inMs: offer.quantumMs });
  const turns = new Turns(host.clock);
  let begun = -1;
  let isFit = true;
  for (let slice: Slice | null = first; slice !== null; ) {
    tally.counts.slices += 1;
    tally.epoch = slice.identity.epoch;
    const delivery = deliveryOf(invocation, { work, opened, writer, slice });
    // Every claim begins anew, also on a writer that was kept; a source's stretches share one claim.
    if (begun !== slice.identity.epoch) await begin(delivery);
    begun = slice.identity.epoch;
    const finished = await runSlice(delivery, turns);
    await flush(delivery);
    const mayClaim = quantum.remainingMs() > 0 && !host.sandbox.closing.aborted;
    // A claim is over with the platform's run at the latest, so one that leaves no time for a put would fail for nothing.
    const goesOn = finished && mayClaim && hasTimeForPut(delivery, invocation.platform);
    const isLast = !goesOn || work.isLast();
    // Before the cursor says that nothing is left to do: of a writer that dies after that, nobody would know that it did not rest.
    if (isLast) isFit = await rest(delivery);
    tally.stage = 'commit';
    if (goesOn && isFit) {
      slice = await work.commitAndClaim();
      if (slice === null && !isLast) isFit = await rest(delivery);
    } else {
      await work.release();
      slice = null;
    }
    tally.latency.committed();
  }
  return { outcome: work.isDrained() ? 'drained' : 'yielded', isFit };
}

function deliveryOf(
  invocation: Invocation,
  {
    work,
    opened,
    writer,
    slice,
  }: { readonly work: Work; readonly opened: OpenedConnector; readonly writer: SinkWriter; readonly slice: Slice },
): Delivery {
  const { runtime } = opened.config;
  const effect = opened.sink?.effect ?? 'append';
  return {
    invocation,
    work,
    slice,
    writer,
    effect,
    retriesAlone: opened.sink === null || effect === 'versioned',
    tolerance: toleranceOf(runtime, { connector: invocation.connector.name, isSink: opened.source === null }),
    putTimeoutMs: runtime['put.timeout.ms'],
    retryDelayMaxMs: runtime['errors.retry.delay.max.ms'],
    lateMs: lateMs(effect, runtime),
  };
}

async function begin({ writer, slice, work, invocation }: Delivery): Promise<void> {
  if (writer.begin === undefined) return;
  const position = await limited(invocation, work, async (signal) => (await writer.begin?.(slice.identity, signal)) ?? null);
  if (position !== null) await work.resumeAt(position);
}

/** Delivers batch after batch. `false`: the slice's time or bytes were used up before its end (I6). */
async function runSlice(delivery: Delivery, turns: Turns): Promise<boolean> {
  const { work, invocation } = delivery;
  if (await settleDeadlyRecord(delivery)) return true;
  const limits = invocation.offer.slice;
  const sliceTime = new Deadline(invocation.host.clock, { inMs: limits.durationMs });
  let bytes = 0;
  for (;;) {
    invocation.tally.stage = 'poll';
    const batch = await work.next();
    if (batch === null) return true;
    if (work.wantsCommitBefore(batch)) await commit(delivery);
    const delivering = batch.isIdle ? null : deliver(delivery, batch);
    work.readAhead();
    const stop = await delivering;
    work.delivered(batch, stop?.count ?? batch.records.length);
    await turns.give();
    if (stop !== null) throw new RecordRefused(stop.refusal);
    invocation.tally.latency.delivered(batch.records);
    if (work.wantsCommit()) await commit(delivery);
    bytes += batch.bytes;
    const isUsedUp = bytes >= limits.bytes || sliceTime.remainingMs() <= 0;
    if (isUsedUp || !hasTimeForPut(delivery, work.deadline)) return work.isAtEnd();
  }
}

/** In the middle of a slice. */
async function commit(delivery: Delivery): Promise<void> {
  const { work, invocation } = delivery;
  await flush(delivery);
  invocation.tally.stage = 'commit';
  await work.commit();
  invocation.tally.latency.committed();
}
