/**
 * Who gets the invocations that may start now, of all shards that deserve some.
 *
 * One at a time, each goes to the connector with the fewest; waiting counts as if it had fewer, so that nobody starves behind
 * one that always has work. Within a connector whoever waited longest comes first. Tails hold at most half of what may run,
 * and those that waited longest get them; all others come and go in short slices.
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

export interface Allotted {
  readonly allotments: readonly Allotment[];
  readonly withheld: ReadonlyMap<ShardId, LimitReason>;
}

/** So long a wait weighs as much as one invocation fewer. */
const AGING_MS = 5_000;

/** An invocation that nobody waits for goes on claiming; half of what a platform's shortest common limit, one minute, allows. */
const QUANTUM_MS = 30_000;
/** While others wait for its place: long enough that starting it cost little. */
const QUANTUM_WHILE_OTHERS_WAIT_MS = 2_000;

interface Unit {
  readonly wanting: Wanting;
  /** Lowest first. */
  readonly rank: number;
  /** Whether another shard of the connector gets none, for the connector's own limits. */
  readonly siblingsWait: boolean;
}

export function allot(
  wanting: readonly Wanting[],
  connectors: ReadonlyMap<string, PlannedConnector>,
  running: Running,
  limits: PlannerLimits,
  nowMs: number,
): Allotted {
  const withheld = new Map<ShardId, LimitReason>();
  const units: Unit[] = [];
  for (const [uid, shards] of byConnector(wanting)) {
    const connector = connectors.get(uid);
    if (connector !== undefined) addUnits(units, { connector, shards, running, withheld, nowMs });
  }
  units.sort((a, b) => a.rank - b.rank || a.wanting.waitingSinceMs - b.wanting.waitingSinceMs || byShard(a.wanting, b.wanting));

  const { room, reason } = roomOf(limits, running.total);
  for (const { wanting: left } of units.slice(room)) withheld.set(left.shard, reason);
  const tailsMax = Math.max(1, Math.floor((running.total + room) / 2));
  return {
    allotments: given(units.slice(0, room), { tails: tailsMax - running.tails, isScarce: units.length > room }),
    withheld,
  };
}

function byConnector(wanting: readonly Wanting[]): ReadonlyMap<string, Wanting[]> {
  const groups = new Map<string, Wanting[]>();
  for (const shard of wanting) {
    const group = groups.get(shard.uid);
    if (group === undefined) groups.set(shard.uid, [shard]);
    else group.push(shard);
  }
  return groups;
}

/** One unit for each invocation that the connector's own limits leave room for: first one for every shard, then the second ones. */
function addUnits(
  units: Unit[],
  {
    connector,
    shards,
    running,
    withheld,
    nowMs,
  }: {
    readonly connector: PlannedConnector;
    readonly shards: Wanting[];
    readonly running: Running;
    readonly withheld: Map<ShardId, LimitReason>;
    readonly nowMs: number;
  },
): void {
  const { tasksMax, bears, uid } = connector;
  const max = Math.min(tasksMax, bears ?? tasksMax);
  const runs = running.byConnector.get(uid) ?? 0;
  shards.sort((a, b) => a.waitingSinceMs - b.waitingSinceMs || byShard(a, b));
  let room = max - runs;
  const siblingsWait = shards.length > room;
  for (let round = 0, more = true; more; round += 1) {
    more = false;
    for (const wanting of shards) {
      if (wanting.demand.slots <= round) continue;
      if (room <= 0) {
        withheld.set(wanting.shard, max < tasksMax ? 'back-pressure' : 'tasks.max');
        continue;
      }
      const waitedMs = Math.max(0, nowMs - wanting.waitingSinceMs);
      units.push({ wanting, rank: max - room - Math.floor(waitedMs / AGING_MS), siblingsWait });
      room -= 1;
      more = true;
    }
  }
}

function roomOf(
  { invocationsMax, rampMax, freeSlots }: PlannerLimits,
  total: number,
): { readonly room: number; readonly reason: LimitReason } {
  const rooms: readonly (readonly [LimitReason, number])[] = [
    ['invocations.max', invocationsMax - total],
    ['ramp', rampMax - total],
    ['no-free-slot', freeSlots],
  ];
  const [reason, room] = rooms.reduce((least, next) => (next[1] < least[1] ? next : least));
  return { room: Math.max(0, room), reason };
}

function given(units: readonly Unit[], { tails, isScarce }: { readonly tails: number; readonly isScarce: boolean }): Allotment[] {
  let tailsLeft = tails;
  return units.map(({ wanting: { shard, uid, demand }, siblingsWait }): Allotment => {
    const quantumMs = isScarce || siblingsWait ? QUANTUM_WHILE_OTHERS_WAIT_MS : QUANTUM_MS;
    const follows = demand.mode === 'tail' && tailsLeft > 0;
    if (follows) tailsLeft -= 1;
    // A tail has no slices to count: how long it may follow is its slice's duration.
    const slice = follows ? { ...demand.slice, durationMs: quantumMs } : demand.slice;
    return { shard, uid, mode: follows ? 'tail' : 'slice', slice, quantumMs };
  });
}

function byShard(a: Wanting, b: Wanting): number {
  if (a.shard === b.shard) return 0;
  return a.shard < b.shard ? -1 : 1;
}
