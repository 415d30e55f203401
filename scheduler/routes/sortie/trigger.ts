/** Starts the work of a connector now, and says when it is done. */
import type { z } from 'zod';
import type { ShardId } from '../../../core/shard-id.ts';
import type { AppDeps } from '../../app-deps.ts';
import type { ConnectorView } from '../../connector-view.ts';
import { type Goals, goalsOf, progressOf, stateOf } from '../../drain.ts';
import { shardPositions } from '../../shard-positions.ts';
import { ApiError } from '../api-error.ts';
import { connectorNotFound, foundView } from '../found-connector.ts';
import type { Query } from '../query.ts';
import { type Answer, type Call, defineRoute, type Route } from '../route.ts';
import { RunProgress, StartRunRequest } from './entities.ts';
import type { Places } from './places.ts';
import { type IntParameter, queryInt } from './query-int.ts';

const TIMEOUT: IntParameter = {
  name: 'timeoutMs',
  description:
    'How long to wait at most. Then the answer says how far it came, and the same request with it as its body goes on.',
  schema: { type: 'integer', minimum: 0, maximum: 60_000, default: 30_000 },
};

/** Of the store and the log, for each that waits. */
const LOOK_EVERY_MS = 250;

export function triggerRoutes(waits: Places): readonly Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/sortie/v1/connectors/{connector}/runs',
      role: 'operate',
      summary: 'Starts its work now: no time of its own is waited for',
      query: [
        word('wait', 'drained', 'The answer comes when there is nothing more to move.'),
        word('upTo', 'now', 'What comes into a queue from now on is not waited for.'),
        TIMEOUT,
      ],
      body: { schema: StartRunRequest, numbers: 'exact', isOptional: true },
      answers: {
        200: { description: 'It is drained, or what is left has failed and waits for an operator', body: RunProgress },
        202: { description: 'It is at work', body: RunProgress },
      },
      run: (deps, call) => start(deps, waits, call),
    }),
  ];
}

function word(name: string, value: string, description: string) {
  return { name, description, schema: { type: 'string', enum: [value] } };
}

async function start(
  deps: AppDeps,
  waits: Places,
  { param, query, body, signal }: Call<z.output<typeof StartRunRequest>>,
): Promise<Answer> {
  const name = param('connector');
  const waitMs = isGiven(query, 'wait', 'drained') ? queryInt(query, TIMEOUT) : 0;
  const upToNow = isGiven(query, 'upTo', 'now');
  const first = await runningView(deps, name);
  const { uid } = first.connector;
  // Before the trigger: what starts by it began after the moment that is asked for.
  const positions = await shardPositions(deps, first);
  const goals = goalsIn(body) ?? goalsOf(positions, { upToNow });
  await deps.scheduler.trigger(uid);

  const untilMs = deps.clock.monotonicMs() + waitMs;
  const over = AbortSignal.any([signal, deps.scheduler.stopping]);
  const look = async (): Promise<Answer> => {
    const view = await runningView(deps, name);
    if (view.connector.uid !== uid) throw new ApiError(404, connectorNotFound(name));
    return answerOf(name, goals, progressOf(await shardPositions(deps, view), goals, { upToNow }));
  };
  const answer = answerOf(name, goals, progressOf(positions, goals, { upToNow }));
  if (waitMs === 0) return { ...answer, status: 202 };
  return waits.within(async () => {
    let last = answer;
    while (last.status !== 200 && !over.aborted && deps.clock.monotonicMs() < untilMs) {
      await deps.clock.sleep(Math.min(LOOK_EVERY_MS, untilMs - deps.clock.monotonicMs()), over);
      last = await look();
    }
    return last;
  });
}

/** @throws {ApiError} 409: of one that may not run there is nothing to start, or to wait for. */
async function runningView(deps: AppDeps, name: string): Promise<ConnectorView> {
  const view = await foundView(deps, name);
  const { targetState } = view.connector;
  if (targetState === 'deleted') throw new ApiError(404, connectorNotFound(name));
  if (targetState !== 'running') throw new ApiError(409, `Connector ${name} is ${targetState}; resume it first`);
  if (view.problem !== null) throw new ApiError(409, `The configuration of connector ${name} cannot be used: ${view.problem}`);
  return view;
}

/** @throws {ApiError} 400 for any other word. */
function isGiven(query: Query, name: string, value: string): boolean {
  const given = query.first(name);
  if (given === undefined || given === value) return given === value;
  throw new ApiError(400, `${name}: must be ${value}`);
}

function goalsIn({ goals }: z.output<typeof StartRunRequest>): Goals | null {
  if (goals === undefined) return null;
  return new Map(Object.entries(goals).map(([shard, goal]) => [shard as ShardId, BigInt(goal)]));
}

function answerOf(connector: string, goals: Goals, progress: ReturnType<typeof progressOf>): Answer {
  const state = stateOf(progress);
  const body: z.output<typeof RunProgress> = {
    connector,
    state,
    goals: Object.fromEntries([...goals].map(([shard, goal]) => [shard, String(goal)])),
    shards: progress.map(({ shard, state: own, position, goal }) => ({
      shard,
      state: own,
      position: position === null ? null : String(position),
      goal: goal === null ? null : String(goal),
    })),
  };
  return { status: state === 'moving' ? 202 : 200, body };
}
