/**
 * Who gets the invocations that may start now, of all shards that deserve some.
 *
 * One at a time, each goes to the connector with the fewest; waiting counts as if it had fewer, so that nobody starves behind
 * one that always has work. Within a connector whoever waited longest comes first. While others wait for a place nobody holds
 * one to wait for records: small backlogs get slices then. Otherwise tails hold at most half of what may run, and those that
 * waited longest get them. Where a connector has more shards than it may have invocations, others may want a place at any moment:
 * its tails leave some free, in which these come and go.
 */
import type { Offer } from '../offer.ts';
import type { ShardId } from '../shard-id.ts';
import type { Demand } from './demand.ts';
import type { PlannedConnector, PlannerLimits, Running } from './view.ts';

/** A shard with a demand for at least one more. */
export interface Wanting {
  readonly shard: ShardId;
  readonly uid: string;
  readonly demand: Demand;
  /** Since when it waits for what it wants now. */
  readonly waitingSinceMs: number;
}

export interface Allotment {
  readonly shard: ShardId;
  readonly uid: string;
  readonly mode: Offer['mode'];
  readonly slice: Offer['slice'];
  readonly quantumMs: number;
}

/** The limit that kept a shard from getting all it wants. */
export type LimitReason = 'tasks.max' | 'back-pressure' | 'invocations.max' | 'ramp' | 'no-free-slot';

/** So long a wait weighs as much as one invocation fewer. */
const AGING_MS = 5_000;

/** An invocation that nobody waits for goes on claiming; half of what a platform's shortest common limit, one minute, allows. */
const QUANTUM_MS = 30_000;
/** While others wait for its place: long enough that starting it cost little. */
const QUANTUM_WHILE_OTHERS_WAIT_MS = 2_000;
/** All slices of an invocation are as large as its offer says: one that was sent before anybody had measured is to end soon. */
const QUANTUM_UNPACED_MS = 2_000;

/**
 * Of a connector's invocations one in so many is none that waits for records, where it has more shards than invocations: each slice
 * costs as much as a tail does for seconds, and a few places are enough for many that come and go.
 */
const NO_TAIL_OF = 4;

interface Unit {
  readonly wanting: Wanting;
  /** Lowest first. */
  readonly rank: number;
  readonly siblings: Siblings;
}

/** What shards of one connector share. */
interface Siblings {
  /** Whether some are left without a place. */
  readonly wait: boolean;
  /** How many more of them may hold one to wait for records. */
  tailsLeft: number;
}

export function allot(
  wanting: readonly Wanting[],
  connectors: ReadonlyMap<string, PlannedConnector>,
  running: Running,
  limits: PlannerLimits,
  nowMs: number,
): readonly Allotment[] {
  const room = Math.max(0, Math.min(...roomsOf(limits, running.total).map(([, free]) => free)));
  if (room === 0) return [];
  const units: Unit[] = [];
  let asked = 0;
  for (const [uid, shards] of byConnector(wanting)) {
    const connector = connectors.get(uid);
    if (connector !== undefined) asked += addUnits(units, { connector, shards, running, most: room, nowMs });
  }
  units.sort((a, b) => a.rank - b.rank || byWait(a.wanting, b.wanting));
  const tailsMax = Math.max(1, Math.floor((running.total + room) / 2));
  const tails = [...running.tails.values()].reduce((sum, ofConnector) => sum + ofConnector, 0);
  return given(units.slice(0, room), { tails: tailsMax - tails, isScarce: asked > room });
}

/** What keeps a connector from getting one more invocation, with so many running. */
export function limitOf(
  { tasksMax, bears }: PlannedConnector,
  { runs, total }: { readonly runs: number; readonly total: number },
  limits: PlannerLimits,
): LimitReason {
  if (runs >= Math.min(tasksMax, bears ?? tasksMax)) return bears !== null && bears < tasksMax ? 'back-pressure' : 'tasks.max';
  const [reason] = roomsOf(limits, total).reduce((least, next) => (next[1] < least[1] ? next : least));
  return reason;
}

function roomsOf({ invocationsMax, rampMax, freeSlots }: PlannerLimits, total: number): readonly [Room, Room, Room] {
  return [
    ['invocations.max', invocationsMax - total],
    ['ramp', rampMax - total],
    ['no-free-slot', freeSlots],
  ];
}

type Room = readonly [LimitReason, number];

function byConnector(wanting: readonly Wanting[]): ReadonlyMap<string, Wanting[]> {
  const groups = new Map<string, Wanting[]>();
  for (const shard of wanting) {
    const group = groups.get(shard.uid);
    if (group === undefined) groups.set(shard.uid, [shard]);
    else group.push(shard);
  }
  return groups;
}

/**
 * Units for the invocations that the connector's own limits leave room for: first one for every shard, then the second ones. Of
 * each round only the first `most`: with those before them, no other can be among the first `most` of all. So a plan that has one
 * place to give costs a look at each shard that waits, and no more. Answers how many there are, those left out included.
 */
function addUnits(
  units: Unit[],
  {
    connector: { tasksMax, bears, uid },
    shards,
    running,
    most,
    nowMs,
  }: {
    readonly connector: PlannedConnector;
    readonly shards: readonly Wanting[];
    readonly running: Running;
    readonly most: number;
    readonly nowMs: number;
  },
): number {
  const runs = running.byConnector.get(uid) ?? 0;
  const max = Math.min(tasksMax, bears ?? tasksMax);
  const room = max - runs;
  const tailsMax = (running.shards.get(uid) ?? 0) > max ? max - Math.ceil(max / NO_TAIL_OF) : max;
  const siblings: Siblings = { wait: shards.length > room, tailsLeft: tailsMax - (running.tails.get(uid) ?? 0) };
  let asked = 0;
  for (let round = shards, more = 1; asked < room && round.length > 0; more += 1) {
    for (const [index, wanting] of longestWaiting(round, Math.min(most, room - asked)).entries()) {
      const waitedMs = Math.max(0, nowMs - wanting.waitingSinceMs);
      units.push({ wanting, rank: runs + asked + index - Math.floor(waitedMs / AGING_MS), siblings });
    }
    asked += Math.min(round.length, room - asked);
    round = round.filter(({ demand }) => demand.slots > more);
  }
  return asked;
}

/** Where so few are looked for, finding them one by one is faster than sorting all. */
const FOUND_ONE_BY_ONE = 16;

/** The `most` that wait longest, in order. */
function longestWaiting(shards: readonly Wanting[], most: number): readonly Wanting[] {
  if (most > FOUND_ONE_BY_ONE || most >= shards.length) return shards.toSorted(byWait).slice(0, most);
  const longest: Wanting[] = [];
  for (const wanting of shards) {
    const last = longest.at(-1);
    if (longest.length === most && last !== undefined && byWait(last, wanting) <= 0) continue;
    let at = longest.length === most ? most - 1 : longest.length;
    for (; at > 0 && byWait(longest[at - 1] as Wanting, wanting) > 0; at -= 1) longest[at] = longest[at - 1] as Wanting;
    longest[at] = wanting;
  }
  return longest;
}

function given(units: readonly Unit[], { tails, isScarce }: { readonly tails: number; readonly isScarce: boolean }): Allotment[] {
  let tailsLeft = tails;
  return units.map(({ wanting: { shard, uid, demand }, siblings }): Allotment => {
    const othersWait = isScarce || siblings.wait;
    const quantumMs = othersWait ? QUANTUM_WHILE_OTHERS_WAIT_MS : demand.isPaced ? QUANTUM_MS : QUANTUM_UNPACED_MS;
    const follows = demand.mode === 'tail' && tailsLeft > 0 && siblings.tailsLeft > 0 && !othersWait;
    if (follows) {
      tailsLeft -= 1;
      siblings.tailsLeft -= 1;
    }
    // A tail has no slices to count: how long it may follow is its slice's duration.
    const slice = follows ? { ...demand.slice, durationMs: quantumMs } : demand.slice;
    return { shard, uid, mode: follows ? 'tail' : 'slice', slice, quantumMs };
  });
}

function byWait(a: Wanting, b: Wanting): number {
  if (a.waitingSinceMs !== b.waitingSinceMs) return a.waitingSinceMs - b.waitingSinceMs;
  if (a.shard === b.shard) return 0;
  return a.shard < b.shard ? -1 : 1;
}
