import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { claim, claimTail } from '../../../../core/cursor/claim.ts';
import type { LogCursor } from '../../../../core/cursor/cursor.ts';
import { advance } from '../../../../core/offset.ts';
import type { Allotment } from '../../../../core/planner/allot.ts';
import { type Demand, demandOf } from '../../../../core/planner/demand.ts';
import type { PlannedConnector, PlannedShard } from '../../../../core/planner/view.ts';
import type { ShardId } from '../../../../core/shard-id.ts';
import { CLAIM_MS, NOW_MS } from '../../../support/builders.ts';
import { claimableLogCursors } from '../../../support/cursor-arbitraries.ts';
import { type Plan, plan } from '../../../support/plan.ts';
import { aConnector, aQueueShard, TERMS, UNLIMITED } from '../../../support/planning.ts';
import { type PlannedWorld, plannedWorlds } from '../../../support/planning-arbitraries.ts';

function planOf({ connectors, shards, limits, tailsRunning }: PlannedWorld): Plan {
  return plan(connectors, shards, { terms: TERMS, limits, tails: new Map([['another', tailsRunning]]), nowMs: NOW_MS });
}

function demandsOf({ connectors, shards }: PlannedWorld): ReadonlyMap<ShardId, Demand> {
  const byUid = new Map(connectors.map((connector) => [connector.uid, connector]));
  return new Map(shards.map((shard) => [shard.shard, demandOf(byUid.get(shard.uid) as PlannedConnector, shard, TERMS, NOW_MS)]));
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, next) => total + next, 0);
}

/** How often each shard is among them. */
function countsOf(allotments: readonly Allotment[]): ReadonlyMap<ShardId, number> {
  const counts = new Map<ShardId, number>();
  for (const { shard } of allotments) counts.set(shard, (counts.get(shard) ?? 0) + 1);
  return counts;
}

describe('plan', () => {
  test('never gives more than invocations.max, the ramp and the free slots allow', () => {
    fc.assert(
      fc.property(plannedWorlds, (world) => {
        const { invocationsMax, rampMax, freeSlots } = world.limits;

        const { allotments } = planOf(world);

        const running = sum([...demandsOf(world).values()].map((demand) => demand.running));
        expect(allotments.length).toBeLessThanOrEqual(
          Math.max(0, Math.min(invocationsMax - running, rampMax - running, freeSlots)),
        );
      }),
    );
  });

  test('never gives a connector more than tasks.max, nor more than its target bears', () => {
    fc.assert(
      fc.property(plannedWorlds, (world) => {
        const { allotments } = planOf(world);

        const demands = demandsOf(world);
        for (const { uid, tasksMax, bears } of world.connectors) {
          const shards = world.shards.filter((shard) => shard.uid === uid);
          const running = sum(shards.map(({ shard }) => demands.get(shard)?.running ?? 0));
          const given = allotments.filter((allotment) => allotment.uid === uid).length;
          expect(given).toBeLessThanOrEqual(Math.max(0, Math.min(tasksMax, bears ?? tasksMax) - running));
        }
      }),
    );
  });

  test('never gives a shard more than its slices at once', () => {
    fc.assert(
      fc.property(plannedWorlds, (world) => {
        const { allotments } = planOf(world);

        const given = countsOf(allotments);
        const demands = demandsOf(world);
        const kOf = new Map(world.connectors.map(({ uid, slicesPerShardMax }) => [uid, slicesPerShardMax]));
        for (const { shard, uid, cursor } of world.shards) {
          const count = given.get(shard) ?? 0;
          const running = demands.get(shard)?.running ?? 0;
          expect(count).toBeLessThanOrEqual(Math.max(0, (cursor?.kind === 'log' ? (kOf.get(uid) ?? 0) : 1) - running));
        }
      }),
    );
  });

  test('never lets tails hold more than half of what may run, or one', () => {
    fc.assert(
      fc.property(plannedWorlds, (world) => {
        const { allotments } = planOf(world);

        const { invocationsMax, rampMax, freeSlots } = world.limits;
        const running = sum([...demandsOf(world).values()].map((demand) => demand.running));
        const mayRun = running + Math.max(0, Math.min(invocationsMax - running, rampMax - running, freeSlots));
        const tails = allotments.filter(({ mode }) => mode === 'tail').length;
        if (tails > 0) expect(world.tailsRunning + tails).toBeLessThanOrEqual(Math.max(1, mayRun / 2));
      }),
    );
  });

  test('never gives anything to what is stopped, paused, deleted, done, gone, or failed for good', () => {
    fc.assert(
      fc.property(plannedWorlds, (world) => {
        const { allotments } = planOf(world);

        const given = countsOf(allotments);
        const states = new Map(world.connectors.map(({ uid, targetState }) => [uid, targetState]));
        for (const { shard, uid, cursor, bounds } of world.shards) {
          const status = cursor?.status;
          const isSettled =
            status?.state === 'done' ||
            (status?.state === 'gone' && (bounds === null || typeof bounds === 'string')) ||
            (status?.state === 'failed' && (status.retryAtMs === null || status.retryAtMs > NOW_MS));
          if (states.get(uid) !== 'running' || isSettled) expect(given.get(shard)).toBeUndefined();
        }
      }),
    );
  });

  test('gives a shard whose head fails, and an ordered one, at most one invocation', () => {
    fc.assert(
      fc.property(plannedWorlds, (world) => {
        const { allotments } = planOf(world);

        const given = countsOf(allotments);
        const demands = demandsOf(world);
        const ordered = new Set(
          world.connectors.filter(({ slicesPerShardMax }) => slicesPerShardMax === 1).map(({ uid }) => uid),
        );
        for (const { shard, uid, cursor } of world.shards) {
          const head = cursor?.kind === 'log' ? cursor.open[0] : undefined;
          const fails = head !== undefined && head.attempts + head.deaths > 0;
          if (!fails && !ordered.has(uid)) continue;
          const count = given.get(shard) ?? 0;
          expect(count).toBeLessThanOrEqual(1);
          if (count === 1) expect(demands.get(shard)?.running).toBe(0);
        }
      }),
    );
  });

  test('is the same in whatever order it is told of connectors and shards', () => {
    const shuffled = plannedWorlds.chain((world) =>
      fc.record({
        world: fc.constant(world),
        connectors: fc.shuffledSubarray([...world.connectors], { minLength: world.connectors.length }),
        shards: fc.shuffledSubarray([...world.shards], { minLength: world.shards.length }),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ world, connectors, shards }) => {
        expect(planOf({ ...world, connectors, shards })).toEqual(planOf(world));
      }),
    );
  });

  test('never gives a shard fewer for having more backlog, all else equal', () => {
    const grown = plannedWorlds
      .filter(({ shards }) => shards.some(({ bounds }) => typeof bounds === 'object' && bounds !== null))
      .chain((world) =>
        fc.record({
          world: fc.constant(world),
          shard: fc.constantFrom(...world.shards.filter(({ bounds }) => typeof bounds === 'object' && bounds !== null)),
          more: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 1_000_000 })),
        }),
      )
      // What lies below `next` is no backlog: there the log has shrunk.
      .filter(({ shard: { cursor, bounds } }) => cursor?.kind !== 'log' || boundsMax(bounds) >= cursor.next);
    fc.assert(
      fc.property(grown, ({ world, shard, more }) => {
        const shards = world.shards.map((other) => (other === shard ? withMore(other, more) : other));

        const before = countsOf(planOf(world).allotments).get(shard.shard) ?? 0;
        const after = countsOf(planOf({ ...world, shards }).allotments).get(shard.shard) ?? 0;

        expect(after).toBeGreaterThanOrEqual(before);
      }),
    );
  });

  test('sends nobody who finds nothing to claim, as long as what was seen is so: nobody for a ninth open range', () => {
    const facts = fc.record({
      // Claims that halve a range open one more; the planner does not count on it.
      cursor: claimableLogCursors().filter(({ open }) => open.every(({ kind, deaths }) => kind === 'free' || deaths === 0)),
      behindNext: fc.oneof(fc.nat({ max: 3_000 }), fc.nat({ max: 50_000 })),
      slicesPerShardMax: fc.integer({ min: 1, max: 10 }),
      ended: fc.subarray(['owner-0', 'owner-1', 'owner-2', 'owner-a']),
    });
    fc.assert(
      fc.property(facts, ({ cursor, behindNext, slicesPerShardMax, ended }) => {
        const max = advance(cursor.next, behindNext);
        const shard = aQueueShard({ cursor, bounds: { min: cursor.next, max }, endedOwners: new Set(ended) });

        const { allotments } = planOf({
          connectors: [aConnector({ slicesPerShardMax })],
          shards: [shard],
          limits: UNLIMITED,
          tailsRunning: 0,
        });

        const claims = claimsOfAll(allotments, { cursor, max, slicesPerShardMax, ended });
        expect(claims).toEqual(allotments.map(() => 'claimed'));
      }),
    );
  });
});

function boundsMax(bounds: PlannedShard['bounds']): bigint {
  return typeof bounds === 'object' && bounds !== null ? bounds.max : 0n;
}

function withMore(shard: PlannedShard, more: number): PlannedShard {
  const { bounds } = shard;
  if (typeof bounds !== 'object' || bounds === null) return shard;
  return { ...shard, bounds: { ...bounds, max: advance(bounds.max, more) } };
}

/** What becomes of the claims that the offers lead to, made one after the other. */
function claimsOfAll(
  allotments: readonly Allotment[],
  {
    cursor: first,
    max,
    slicesPerShardMax,
    ended,
  }: {
    readonly cursor: LogCursor;
    readonly max: ReturnType<typeof advance>;
    readonly slicesPerShardMax: number;
    readonly ended: readonly string[];
  },
): readonly string[] {
  const holders = first.open.flatMap((range) =>
    range.kind === 'held' ? [{ owner: range.holder.owner, epoch: range.epoch }] : [],
  );
  let cursor = first;
  return allotments.map(({ mode, slice }, index) => {
    const answer = (mode === 'tail' ? claimTail : claim)(cursor, {
      holder: { owner: `claimer-${index}`, deadlineAtMs: NOW_MS + CLAIM_MS },
      nowMs: NOW_MS,
      revision: cursor.gate.revision,
      graceMs: aConnector().graceMs,
      ended: holders.filter(({ owner }) => ended.includes(owner)),
      records: slice.records,
      max,
      ordered: slicesPerShardMax === 1,
      heldMax: slicesPerShardMax,
    });
    if (answer.kind === 'refused') return answer.reason;
    cursor = answer.cursor;
    return answer.kind;
  });
}
