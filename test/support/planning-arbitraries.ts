/** Whatever a planner may be shown: connectors, shards in any state, and limits. */
import fc from 'fast-check';
import type { Cursor } from '../../core/cursor/cursor.ts';
import { advance, offset } from '../../core/offset.ts';
import type { PlannedConnector, PlannedShard, PlannerLimits } from '../../core/planner/view.ts';
import { GRACE_MS, NOW_MS } from './builders.ts';
import { checkpointCursors, claimableCheckpointCursors, claimableLogCursors, logCursors } from './cursor-arbitraries.ts';
import { aConnector, aQueueShard } from './planning.ts';

export interface PlannedWorld {
  readonly connectors: readonly PlannedConnector[];
  readonly shards: readonly PlannedShard[];
  readonly limits: PlannerLimits;
  readonly tailsRunning: number;
}

const targetStates = fc.oneof(
  { arbitrary: fc.constant('running' as const), weight: 4 },
  { arbitrary: fc.constantFrom('paused', 'stopped', 'deleted'), weight: 1 },
);

const connectorFields = fc.record({
  targetState: targetStates,
  tasksMax: fc.integer({ min: 1, max: 12 }),
  bears: fc.option(fc.integer({ min: 1, max: 6 })),
  slicesPerShardMax: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 10 })),
  freshnessMs: fc.constantFrom(0, 0, 500, 60_000),
  graceMs: fc.constant(GRACE_MS),
});

const cursors: fc.Arbitrary<Cursor | null> = fc.oneof(
  { arbitrary: claimableLogCursors(), weight: 4 },
  { arbitrary: logCursors(), weight: 2 },
  { arbitrary: claimableCheckpointCursors(), weight: 2 },
  { arbitrary: checkpointCursors(), weight: 1 },
  { arbitrary: fc.constant(null), weight: 1 },
);

const times = fc.constantFrom(0, NOW_MS - 90_000, NOW_MS - 7_000, NOW_MS, NOW_MS + 3_000);

/** Offers and ended holders bear the names that the cursors' holders have, or others. */
export const plannedShardFields = fc.record({
  cursor: cursors,
  behindNext: fc.oneof(fc.constant(0), fc.integer({ min: -50, max: 3_000 }), fc.integer({ min: 0, max: 500_000 })),
  boundsKnown: fc.oneof(
    { arbitrary: fc.constant('yes' as const), weight: 6 },
    fc.constantFrom('unknown' as const, 'gone' as const),
  ),
  offers: fc.subarray(['owner-0', 'owner-a', 'another', 'one-more']).map((ids): ReadonlySet<string> => new Set(ids)),
  endedOwners: fc.subarray(['owner-0', 'owner-1', 'owner-2', 'owner-b']).map((owners) => new Set(owners)),
  notBeforeMs: fc.oneof({ arbitrary: fc.constant(0), weight: 4 }, times),
  isTriggered: fc.boolean(),
  waitingSinceMs: fc.option(times.map((atMs) => Math.min(atMs, NOW_MS))),
});

export type PlannedShardFields = typeof plannedShardFields extends fc.Arbitrary<infer Fields> ? Fields : never;

/** Some records behind `next`, or fewer than there were. */
export function boundsOf(cursor: Cursor | null, behindNext: number): PlannedShard['bounds'] {
  if (cursor?.kind === 'checkpoint') return null;
  const next = cursor?.next ?? offset(0);
  const max = next + BigInt(behindNext) < 0n ? offset(0) : advance(next, behindNext);
  return { min: offset(0), max };
}

const limits: fc.Arbitrary<PlannerLimits> = fc.record({
  invocationsMax: fc.integer({ min: 0, max: 60 }),
  rampMax: fc.integer({ min: 0, max: 60 }),
  freeSlots: fc.integer({ min: -1, max: 40 }),
});

export const plannedWorlds: fc.Arbitrary<PlannedWorld> = fc
  .record({
    connectors: fc.array(fc.record({ fields: connectorFields, shards: fc.array(plannedShardFields, { maxLength: 5 }) }), {
      minLength: 1,
      maxLength: 4,
    }),
    limits,
    tailsRunning: fc.nat({ max: 10 }),
  })
  .map(({ connectors, ...rest }) => ({
    ...rest,
    connectors: connectors.map(({ fields }, index) => aConnector({ uid: `uid-${index}`, ...fields })),
    shards: connectors.flatMap(({ shards }, index) =>
      shards.map(({ boundsKnown, behindNext, ...shard }, queueId) =>
        aQueueShard({
          uid: `uid-${index}`,
          queueId,
          ...shard,
          bounds: boundsKnown === 'yes' ? boundsOf(shard.cursor, behindNext) : boundsKnown,
        }),
      ),
    ),
  }));
