import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryLogBroker } from '../../../adapters/memory/memory-log-broker.ts';
import { MemoryStateStore } from '../../../adapters/memory/memory-state-store.ts';
import { MemoryTelemetry } from '../../../adapters/memory/memory-telemetry.ts';
import { type Connector, connectorKey, encodeConnector } from '../../../core/connector.ts';
import type { Offer } from '../../../core/offer.ts';
import type { Allotment } from '../../../core/planner/allot.ts';
import type { DemandReason } from '../../../core/planner/demand.ts';
import type { PlannedShard } from '../../../core/planner/view.ts';
import { queueShardId } from '../../../core/shard-id.ts';
import { Backlog } from '../../../scheduler/backlog.ts';
import { ConnectorCatalog } from '../../../scheduler/connector-catalog.ts';
import { Dispatch } from '../../../scheduler/dispatch.ts';
import { Planning } from '../../../scheduler/planning.ts';
import { DEFAULT_SCHEDULER_SETTINGS } from '../../../scheduler/settings.ts';
import type { ShardState } from '../../../scheduler/shard-state.ts';
import { ShardTable } from '../../../scheduler/shard-table.ts';
import { StoreRoundTrip } from '../../../scheduler/store-round-trip.ts';
import { NOW_MS } from '../../support/builders.ts';
import { aHost } from '../../support/hosts.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { type Plan, plan } from '../../support/plan.ts';
import { boundsOf, type PlannedShardFields, plannedShardFields } from '../../support/planning-arbitraries.ts';
import { InvokerByHand } from '../../support/schedulers.ts';

const QUEUES = 3;
/** Offers that holders in cursors may have come with, beside those that a plan sent. */
const HOLDERS = ['owner-0', 'owner-a', 'another', 'one-more'];
/** More than the fewest that found a plan that was out of date: a holder whose end nobody had on the agenda. */
const RUNS = 600;
/** Never the limit: what it allows depends on what ran before, which the whole plan is told. */
const RAMP = { burst: 1e6, perSecond: 1e6 };

type Step =
  | { readonly kind: 'learn'; readonly shard: number; readonly fields: PlannedShardFields }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'end'; readonly offer: number }
  | { readonly kind: 'plan'; readonly slots: number };

const steps: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant('learn' as const), shard: fc.nat(), fields: plannedShardFields }), weight: 4 },
  { arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 400, 3_000, 20_000) }), weight: 2 },
  { arbitrary: fc.record({ kind: fc.constant('end' as const), offer: fc.nat() }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('plan' as const), slots: fc.nat({ max: 12 }) }), weight: 3 },
);

const connectors = fc.record({
  targetState: fc.oneof({ arbitrary: fc.constant('running' as const), weight: 5 }, fc.constantFrom('paused', 'stopped')),
  tasksMax: fc.integer({ min: 1, max: 8 }),
  order: fc.constantFrom('queue', 'none'),
  freshnessMs: fc.constantFrom(0, 500, 10_000),
});

type ConnectorFields = typeof connectors extends fc.Arbitrary<infer Fields> ? Fields : never;

/** A scheduler's memory and its planning, over connectors of three queues each; nothing runs by itself. */
async function aPlanning(fields: readonly ConnectorFields[], invocationsMax: number) {
  const clock = new ManualClock();
  clock.advance(NOW_MS - clock.nowMs());
  const { registry, random } = aHost({ plugins: [memorySink(memoryTarget('append'))] });
  const store = new MemoryStateStore({ clock });
  for (const [index, { targetState, tasksMax, order, freshnessMs }] of fields.entries()) {
    const config = {
      ...{ 'connector.class': 'memory-append', topics: `topic-${index}`, 'tasks.max': String(tasksMax) },
      ...{ 'delivery.order': order, 'freshness.ms': String(freshnessMs), 'queue.slices.max': '4' },
    };
    const connector: Connector = { name: `sink-${index}`, uid: `uid-${index}`, revision: 1, targetState, config, createdAtMs: 0 };
    await store.put(connectorKey(connector.name), encodeConnector(connector), { ifAbsent: true });
  }
  const settings = { ...DEFAULT_SCHEDULER_SETTINGS, invocationsMax, ramp: RAMP };
  const deps = { ...settings, store, registry, random, clock, broker: new MemoryLogBroker({ clock }) };
  const telemetry = new MemoryTelemetry();
  const table = new ShardTable((state) => backlog.unfollow(state));
  const nobody = (): void => undefined;
  const catalog = new ConnectorCatalog({ ...deps, telemetry, configured: nobody, forgotten: nobody }, table);
  const backlog = new Backlog({ ...deps, telemetry, wanted: nobody, changed: nobody }, { table, catalog });
  const invoker = new InvokerByHand();
  const dispatch = new Dispatch({ ...deps, offers: 'mine-', invoker, ended: ({ state }) => table.touch(state) });
  const roundTrip = new StoreRoundTrip(deps);
  const planning = new Planning({ clock, settings, table, catalog, backlog, dispatch, roundTrip });
  await catalog.readDocuments();
  await catalog.listMissing();
  const states = fields.flatMap((_, index) =>
    Array.from({ length: QUEUES }, (_unused, queueId) =>
      table.ensure(queueShardId(`uid-${index}`, { topic: `topic-${index}`, brokerName: 'memory', queueId })),
    ),
  );
  return { clock, planning, table, catalog, backlog, invoker, dispatch, settings, states, roundTrip };
}

type PlanningParts = Awaited<ReturnType<typeof aPlanning>>;

/** The whole plan, of what is remembered at this moment. */
function wholePlan({ clock, catalog, dispatch, settings, states, roundTrip }: PlanningParts): Plan {
  const { sliceTargetMs, invocationsMax } = settings;
  return plan([...catalog.planned.values()], states.map(viewOf), {
    terms: { sliceTargetMs, storeRoundTripMs: roundTrip.ms },
    limits: { invocationsMax, rampMax: RAMP.burst, freeSlots: dispatch.freeSlots() },
    tails: dispatch.tails,
    nowMs: clock.nowMs(),
  });
}

function viewOf({ offers, endedOwners, ...state }: ShardState): PlannedShard {
  return { ...state, offers: new Set(offers), endedOwners: new Set(endedOwners.keys()) };
}

function learn(table: ShardTable, state: ShardState, fields: PlannedShardFields): void {
  const { cursor, behindNext, boundsKnown, endedOwners, notBeforeMs, isTriggered } = fields;
  const bounds = boundsKnown === 'yes' ? boundsOf(cursor, behindNext) : boundsKnown;
  Object.assign(state, { cursor, bounds, notBeforeMs, isTriggered });
  state.endedOwners.clear();
  for (const owner of endedOwners) state.endedOwners.set(owner, { owner, epoch: 0, isGone: false });
  for (const id of HOLDERS) state.offers.delete(id);
  for (const id of fields.offers) state.offers.add(id);
  table.touch(state);
}

async function takeStep(parts: PlanningParts, step: Step): Promise<void> {
  const { clock, table, states, invoker, planning } = parts;
  if (step.kind === 'learn') learn(table, states[step.shard % states.length] as ShardState, step.fields);
  else if (step.kind === 'pass') clock.advance(step.ms);
  else if (step.kind === 'end') {
    if (invoker.offers.length > 0)
      await invoker.end(step.offer % invoker.offers.length, { kind: 'died', owner: null, isGone: false, message: '' });
  } else {
    // First without a place, so that the reasons are those before anything is sent.
    invoker.slots = 0;
    const { reasons } = wholePlan(parts);
    planning.plan();
    expect(reasonsOf(parts)).toEqual(reasons);

    const sentBefore = invoker.offers.length;
    invoker.slots = step.slots - invoker.freeSlots();
    const { allotments } = wholePlan(parts);
    planning.plan();
    expect(invoker.offers.slice(sentBefore).map(allotmentOf)).toEqual(allotments);
  }
}

function reasonsOf({ planning, catalog }: PlanningParts): Plan['reasons'] {
  const whys = [...catalog.planned.keys()].flatMap((uid) => planning.why(uid));
  return new Map(whys.map(({ shard, reason, withheld }) => [shard, { demand: reason as DemandReason, withheld }]));
}

function allotmentOf({ shard, uid, mode, slice, quantumMs }: Offer): Allotment {
  return { shard, uid, mode, slice, quantumMs };
}

describe('Planning', () => {
  test('looks only at what changed, and comes to what a plan of everything says', async () => {
    const worlds = fc.record({
      fields: fc.array(connectors, { minLength: 1, maxLength: 4 }),
      invocationsMax: fc.integer({ min: 1, max: 20 }),
      taken: fc.array(steps, { minLength: 5, maxLength: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(worlds, async ({ fields, invocationsMax, taken }) => {
        const parts = await aPlanning(fields, invocationsMax);

        for (const step of [...taken, { kind: 'plan', slots: 12 } as const]) await takeStep(parts, step);

        parts.backlog.close();
      }),
      { numRuns: RUNS },
    );
  });
});
