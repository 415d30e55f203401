/**
 * The whole plan at once: what each shard deserves, and who gets it. The scheduler does the same in steps, looking only at shards
 * that changed, and is held against this one (`test/unit/scheduler/planning.properties.test.ts`).
 */

import { type Allotment, allot, type LimitReason, limitOf, type Wanting } from '../../core/planner/allot.ts';
import { type Demand, type DemandReason, demandOf, isSettled } from '../../core/planner/demand.ts';
import type { PlannedConnector, PlannedShard, PlannerLimits, PlannerTerms, Running } from '../../core/planner/view.ts';
import type { ShardId } from '../../core/shard-id.ts';

export interface Plan {
  readonly allotments: readonly Allotment[];
  /** Of every shard: why it gets what it gets. */
  readonly reasons: ReadonlyMap<ShardId, { readonly demand: DemandReason; readonly withheld: LimitReason | null }>;
}

export function plan(
  connectors: readonly PlannedConnector[],
  shards: readonly PlannedShard[],
  {
    terms,
    limits,
    tails,
    nowMs,
  }: {
    readonly terms: PlannerTerms;
    readonly limits: PlannerLimits;
    /** Those that run, by connector. */
    readonly tails: Running['tails'];
    readonly nowMs: number;
  },
): Plan {
  const byUid = new Map(connectors.map((connector) => [connector.uid, connector]));
  const demands = new Map<ShardId, Demand>();
  const running = { total: 0, byConnector: new Map<string, number>(), tails, shards: new Map<string, number>() };
  const wanting: Wanting[] = [];
  for (const shard of shards) {
    const connector = byUid.get(shard.uid);
    if (connector === undefined) continue;
    const demand = demandOf(connector, shard, terms, nowMs);
    demands.set(shard.shard, demand);
    running.total += demand.running;
    running.byConnector.set(shard.uid, (running.byConnector.get(shard.uid) ?? 0) + demand.running);
    if (!isSettled(demand)) running.shards.set(shard.uid, (running.shards.get(shard.uid) ?? 0) + 1);
    if (demand.slots > 0) {
      wanting.push({ shard: shard.shard, uid: shard.uid, demand, waitingSinceMs: shard.waitingSinceMs ?? nowMs });
    }
  }
  const allotments = allot(wanting, byUid, running, limits, nowMs);
  return { allotments, reasons: reasonsOf({ demands, wanting, byUid, running, limits, allotments }) };
}

function reasonsOf({
  demands,
  wanting,
  byUid,
  running,
  limits,
  allotments,
}: {
  readonly demands: ReadonlyMap<ShardId, Demand>;
  readonly wanting: readonly Wanting[];
  readonly byUid: ReadonlyMap<string, PlannedConnector>;
  readonly running: Running;
  readonly limits: PlannerLimits;
  readonly allotments: readonly Allotment[];
}): Plan['reasons'] {
  const given = countBy(allotments, ({ shard }) => shard);
  const givenTo = countBy(allotments, ({ uid }) => uid);
  const total = running.total + allotments.length;
  const left = { ...limits, freeSlots: limits.freeSlots - allotments.length };
  const withheld = new Map<ShardId, LimitReason>();
  for (const { shard, uid, demand } of wanting) {
    const connector = byUid.get(uid);
    if (connector === undefined || demand.slots <= (given.get(shard) ?? 0)) continue;
    const runs = (running.byConnector.get(uid) ?? 0) + (givenTo.get(uid) ?? 0);
    withheld.set(shard, limitOf(connector, { runs, total }, left));
  }
  return new Map([...demands].map(([shard, { reason }]) => [shard, { demand: reason, withheld: withheld.get(shard) ?? null }]));
}

function countBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): ReadonlyMap<Key, number> {
  const counts = new Map<Key, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}
