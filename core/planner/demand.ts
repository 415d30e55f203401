/**
 * What a shard deserves, looked at alone: how many further invocations could find work in it now, of which kind, and why.
 *
 * A pure function of what was last seen. It may be wrong, for what was seen may be old: an offer too many finds nothing to
 * claim, and brings the newer cursor back.
 */
import {
  type CheckpointCursor,
  type Cursor,
  type Holder,
  type LogCursor,
  OPEN_RANGES_MAX,
  type OpenRange,
  type Pace,
} from '../cursor/cursor.ts';
import type { Offer } from '../offer.ts';
import { recordsBetween } from '../offset.ts';
import { offerIdOf } from '../owner.ts';
import type { QueueBounds } from '../ports.ts';
import { sliceSize } from './slice-size.ts';
import type { PlannedConnector, PlannedShard, PlannerTerms } from './view.ts';

/** Why a shard is (not) to get an invocation. The first seven are settled by an operator or for good. */
export type DemandReason =
  | 'paused'
  | 'stopped'
  | 'deleted'
  | 'failed'
  | 'queue-gone'
  | 'done'
  | 'log-truncated'
  | 'restart-later'
  | 'backlog-unknown'
  | 'drained'
  | 'collecting'
  | 'backing-off'
  | 'not-yet'
  | 'at-work'
  | 'poll-later'
  | 'new'
  | 'restart'
  | 'log-changed'
  | 'head-fails'
  | 'left-behind'
  | 'follow'
  | 'backlog'
  | 'poll';

const SETTLED: ReadonlySet<DemandReason> = new Set([
  'paused',
  'stopped',
  'deleted',
  'failed',
  'queue-gone',
  'done',
  'log-truncated',
]);

/** Whether it wants nothing, now and later, unless somebody acts. */
export function isSettled({ reason }: Demand): boolean {
  return SETTLED.has(reason);
}

export interface Demand {
  readonly reason: DemandReason;
  /** Further invocations that could find work now. */
  readonly slots: number;
  readonly mode: Offer['mode'];
  readonly slice: Offer['slice'];
  /** Whether the slice is sized by a pace that was measured. */
  readonly isPaced: boolean;
  /** Invocations of it that run or are on their way. */
  readonly running: number;
  /** When to look again although nothing changed; `null`: only a change helps. */
  readonly againAtMs: number | null;
}

interface Facts {
  readonly connector: PlannedConnector;
  readonly shard: PlannedShard;
  readonly running: number;
  readonly slice: Offer['slice'];
  readonly isPaced: boolean;
  /** When time alone changes what there is to do or who does it: the soonest end of a holder, or of a pause. */
  readonly changesAtMs: number | null;
  readonly nowMs: number;
}

export function demandOf(connector: PlannedConnector, shard: PlannedShard, terms: PlannerTerms, nowMs: number): Demand {
  const { cursor } = shard;
  const held = cursor === null ? NOBODY : holdersAtWork(cursor, { connector, shard, nowMs });
  const running = shard.offers.size + held.count;
  const pace: Pace | null = cursor?.pace ?? null;
  const slice = sliceSize(pace, connector, terms);
  const facts: Facts = { connector, shard, running, slice, isPaced: pace !== null, changesAtMs: held.untilMs, nowMs };
  if (connector.targetState !== 'running') return none(facts, connector.targetState, null);
  if (cursor === null) return newShard(facts);
  const settled = settledByStatus(facts, cursor);
  if (settled !== null) return settled;
  if (shard.notBeforeMs > nowMs) return none(facts, 'not-yet', shard.notBeforeMs);
  // A queue that is back is for the next invocation to find.
  if (cursor.status.state === 'gone') return some(facts, 'log-changed', 1 - facts.running);
  const demand = cursor.kind === 'log' ? logDemand(facts, cursor) : checkpointDemand(facts, cursor);
  // Only a claim makes it active again, and a claim needs work.
  return cursor.status.state === 'failed' && demand.slots > 0 ? some(facts, 'restart', 1 - facts.running) : demand;
}

function newShard(facts: Facts): Demand {
  const { shard, nowMs } = facts;
  if (shard.bounds === 'gone') return none(facts, 'queue-gone', null);
  if (shard.notBeforeMs > nowMs) return none(facts, 'not-yet', shard.notBeforeMs);
  return some(facts, 'new', 1 - facts.running);
}

function settledByStatus(facts: Facts, { status }: Cursor): Demand | null {
  const { nowMs, shard } = facts;
  if (status.state === 'done') return none(facts, 'done', null);
  if (status.state === 'gone')
    return typeof shard.bounds === 'object' && shard.bounds !== null ? null : none(facts, 'queue-gone', null);
  if (status.state === 'active') return null;
  if (status.code === 'shard.log_truncated') return none(facts, 'log-truncated', null);
  if (status.retryAtMs === null) return none(facts, 'failed', null);
  return status.retryAtMs > nowMs ? none(facts, 'restart-later', status.retryAtMs) : null;
}

// ---------------------------------------------------------------------------------------------------------------------

function logDemand(known: Facts, cursor: LogCursor): Demand {
  const { shard, connector, nowMs, slice } = known;
  const { bounds } = shard;
  if (bounds === 'unknown' || bounds === null) return none(known, 'backlog-unknown', null);
  // The invocation compares the log with the cursor, and says what happened to it.
  if (bounds === 'gone' || bounds.max < cursor.next) return some(known, 'log-changed', 1 - known.running);

  const left = unclaimed(cursor, bounds, known);
  const facts = { ...known, changesAtMs: sooner(known.changesAtMs, left.retryAtMs) };
  if (left.fails) return headFails(facts, left);
  if (left.ranges + left.records === 0) {
    if (facts.running > 0) return none(facts, 'at-work', null);
    // What it wrote is finished, but a target may show it only once its writer rests, or another one begins.
    if (left.isTail && cursor.status.state === 'active') return some(facts, 'left-behind', 1, 'tail');
    return left.retryAtMs === null ? none(facts, 'drained', null) : none(facts, 'backing-off', null);
  }
  // Offers of ours on their way take what is there first.
  const unseen = shard.offers.size - left.ours;
  const units = left.ranges + Math.min(Math.ceil(left.records / slice.records), left.newRangesMax) - unseen;
  const slots = Math.min(units, connector.slicesPerShardMax - facts.running);
  if (slots <= 0) return none(facts, 'at-work', null);
  const isSmall = left.ranges === 0 && left.records <= slice.records;
  const readyAtMs = (shard.waitingSinceMs ?? nowMs) + connector.freshnessMs;
  if (isSmall && readyAtMs > nowMs && !shard.isTriggered) return none(facts, 'collecting', readyAtMs);
  return isSmall && connector.freshnessMs === 0 && cursor.open.length === 0
    ? some(facts, 'follow', slots, 'tail')
    : some(facts, 'backlog', slots);
}

/** A shard whose head fails is looked at by one invocation at a time: it does not vote for more. */
function headFails(facts: Facts, { ranges }: Unclaimed): Demand {
  if (facts.running > 0) return none(facts, 'at-work', null);
  if (ranges === 0) return none(facts, 'backing-off', null);
  return some(facts, 'head-fails', 1);
}

interface Unclaimed {
  /** Ranges that are open and that nobody holds (any more), due now. */
  readonly ranges: number;
  /** Records behind `next`, where something new may be claimed. */
  readonly records: number;
  /** Ranges that may be opened for them. */
  readonly newRangesMax: number;
  /** Ranges held by invocations that offers of ours brought. */
  readonly ours: number;
  /** Whether the lowest range has failed or killed before. */
  readonly fails: boolean;
  /** Whether the tail of a holder that is gone is still open. */
  readonly isTail: boolean;
  readonly retryAtMs: number | null;
}

function unclaimed(cursor: LogCursor, bounds: QueueBounds, facts: Facts): Unclaimed {
  const { shard, connector, nowMs } = facts;
  const isOrdered = connector.slicesPerShardMax === 1;
  let ranges = 0;
  let ours = 0;
  let bounded = 0;
  let isFollowed = false;
  let isTail = false;
  let retryAtMs: number | null = null;
  for (const range of cursor.open) {
    // The tail of a holder that is gone stands at `next`: what is behind it is claimed like anything new.
    if (range.end !== null) bounded += 1;
    if (range.kind === 'held' && isAtWork(range.holder, facts)) {
      if (shard.offers.has(offerIdOf(range.holder.owner))) ours += 1;
      isFollowed ||= range.end === null;
    } else if (isOrdered && range !== cursor.open[0]) {
      // Its turn comes when all below it is finished.
    } else if (range.kind === 'free' && range.retryAtMs > nowMs) {
      retryAtMs = Math.min(retryAtMs ?? Number.POSITIVE_INFINITY, range.retryAtMs);
    } else if (range.end !== null) ranges += 1;
    else isTail = true;
  }
  const newRangesMax = isFollowed ? 0 : Math.max(0, (isOrdered ? 1 : OPEN_RANGES_MAX) - bounded);
  const records = newRangesMax === 0 ? 0 : recordsBetween(cursor.next, bounds.max);
  return { ranges, records, newRangesMax, ours, fails: failsAtHead(cursor.open), isTail, retryAtMs };
}

function failsAtHead([head]: readonly OpenRange[]): boolean {
  return head !== undefined && (head.attempts > 0 || head.deaths > 0);
}

function checkpointDemand(facts: Facts, cursor: CheckpointCursor): Demand {
  const { nowMs, connector, shard } = facts;
  if (facts.running > 0) return none(facts, 'at-work', null);
  if (cursor.retryAtMs > nowMs) return none(facts, 'backing-off', cursor.retryAtMs);
  const pollAtMs = Math.max(cursor.pollAtMs, shard.pollAfterMs);
  if (pollAtMs > nowMs && !shard.isTriggered) return none(facts, 'poll-later', pollAtMs);
  const follows = connector.freshnessMs === 0 && cursor.attempts === 0 && cursor.deaths === 0;
  return some(facts, 'poll', 1, follows ? 'tail' : 'slice');
}

// ---------------------------------------------------------------------------------------------------------------------

interface Holders {
  readonly count: number;
  readonly untilMs: number | null;
}

const NOBODY: Holders = { count: 0, untilMs: null };

/** Whoever works on it; counted are those without an offer of ours: another scheduler's, or one from before this scheduler's start. */
function holdersAtWork(cursor: Cursor, onlooker: Onlooker): Holders {
  const { connector, shard } = onlooker;
  let count = 0;
  let untilMs: number | null = null;
  const look = (holder: Holder): void => {
    if (!isAtWork(holder, onlooker)) return;
    if (!shard.offers.has(offerIdOf(holder.owner))) count += 1;
    untilMs = Math.min(untilMs ?? Number.POSITIVE_INFINITY, holder.deadlineAtMs + connector.graceMs);
  };
  if (cursor.kind === 'checkpoint') {
    if (cursor.holder !== null) look(cursor.holder);
  } else {
    for (const range of cursor.open) if (range.kind === 'held') look(range.holder);
  }
  return { count, untilMs };
}

type Onlooker = Pick<Facts, 'connector' | 'shard' | 'nowMs'>;

function isAtWork({ owner, deadlineAtMs }: Holder, { connector, shard, nowMs }: Onlooker): boolean {
  return deadlineAtMs + connector.graceMs > nowMs && !shard.endedOwners.has(owner);
}

/** `againAtMs`: when the time comes that it waits for, beside what the facts say. */
function none({ running, slice, isPaced, changesAtMs }: Facts, reason: DemandReason, againAtMs: number | null): Demand {
  return { reason, slots: 0, mode: 'slice', slice, isPaced, running, againAtMs: sooner(againAtMs, changesAtMs) };
}

function some(facts: Facts, reason: DemandReason, slots: number, mode: Offer['mode'] = 'slice'): Demand {
  if (slots <= 0) return none(facts, 'at-work', null);
  const { slice, isPaced, running, changesAtMs } = facts;
  return { reason, slots, mode, slice, isPaced, running, againAtMs: changesAtMs };
}

function sooner(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}
