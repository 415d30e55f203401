/** Why each shard of a connector gets an invocation, or gets none. */
import type { z } from 'zod';
import { demandOf } from '../../../core/planner/demand.ts';
import { queueOfShard } from '../../../core/shard-id.ts';
import type { AppDeps } from '../../app-deps.ts';
import type { ConnectorView } from '../../connector-view.ts';
import { readLeader } from '../../leader-lock.ts';
import type { ShardReason } from '../../planning.ts';
import { DEFAULT_SCHEDULER_SETTINGS } from '../../settings.ts';
import { shardPositions } from '../../shard-positions.ts';
import { foundView } from '../found-connector.ts';
import { type Answer, type Call, defineRoute, type Route } from '../route.ts';
import { Reasons } from './entities.ts';
import { meaningOf, TOPIC_MISSING } from './reasons.ts';

export const whyRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/sortie/v1/connectors/{connector}/why',
    role: 'read',
    summary: 'Why each of its shards gets an invocation, or gets none',
    answers: { 200: { description: 'The reasons of the planner', body: Reasons } },
    run: why,
  }),
];

async function why(deps: AppDeps, { param }: Call<unknown>): Promise<Answer> {
  const view = await foundView(deps, param('connector'));
  const { scheduler } = deps;
  const { name, uid } = view.connector;
  const { leads } = scheduler;
  const planned = leads ? scheduler.why(uid) : [];
  // One that was just created the leader has not planned for yet.
  const reasons = planned.length > 0 ? planned : await reasonsFromStore(deps, view);
  const body: z.output<typeof Reasons> = {
    connector: name,
    state: view.status.connector.state,
    problem: view.problem,
    leads,
    leader: leads ? null : await readLeader(deps),
    missingTopics: (await missingTopics(deps, view)).map((topic) => ({ topic, means: TOPIC_MISSING })),
    shards: reasons.map((reason) => ({ ...reason, means: meaningOf(reason) })),
  };
  return { status: 200, body };
}

/** Of what is not there no shard says why nothing of it is moved; a queue that was there and is gone has its shard. */
async function missingTopics({ broker }: AppDeps, { topics, shards }: ConnectorView): Promise<readonly string[]> {
  const known = new Set(shards.map(({ shard }) => queueOfShard(shard)?.topic));
  const missing: string[] = [];
  // One after the other, as for all that reads topics beside the invocations.
  for (const topic of topics) if (!known.has(topic) && (await broker.queues(topic)).length === 0) missing.push(topic);
  return missing;
}

type SeenReason = Omit<ShardReason, 'offers'> & { readonly offers: number | null };

/** Far less than any slice: what it changes is how many invocations are deserved, not why. */
const STORE_ROUND_TRIP_MS = 1;

/** What the planner would say that knows only what is stored and what the log holds: nothing of limits, pauses and offers. */
async function reasonsFromStore(deps: AppDeps, view: ConnectorView): Promise<readonly SeenReason[]> {
  const nowMs = deps.clock.nowMs();
  const terms = { sliceTargetMs: DEFAULT_SCHEDULER_SETTINGS.sliceTargetMs, storeRoundTripMs: STORE_ROUND_TRIP_MS };
  const positions = await shardPositions(deps, view);
  return positions.map(({ shard, cursor, problem, queue, bounds, isRead }) => {
    const seen = {
      shard,
      uid: view.connector.uid,
      cursor,
      bounds: queue === null ? null : (bounds ?? 'gone'),
      ...UNTOUCHED,
    } as const;
    const reason = isRead && problem === null ? demandOf(view.planned, seen, terms, nowMs).reason : null;
    return { shard, reason, withheld: null, problem: problem?.message ?? view.problem, offers: null };
  });
}

const UNTOUCHED = {
  offers: new Set<string>(),
  endedOwners: new Set<string>(),
  notBeforeMs: 0,
  pollAfterMs: 0,
  isTriggered: false,
  waitingSinceMs: null,
} as const;
