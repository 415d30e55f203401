/** The history of a connector's invocations. */
import type { AppDeps } from '../../app-deps.ts';
import { type RunPlace, readRunsFrom } from '../../run-history.ts';
import { ApiError } from '../api-error.ts';
import { foundConnector } from '../found-connector.ts';
import { type Answer, type Call, defineRoute, type Route } from '../route.ts';
import { RunPage } from './entities.ts';
import { type IntParameter, queryInt } from './query-int.ts';

const LIMIT: IntParameter = {
  name: 'limit',
  description: 'Runs at most, unless more have ended within the last seconds.',
  schema: { type: 'integer', minimum: 1, maximum: 1_000, default: 50 },
};

export const runRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/sortie/v1/connectors/{connector}/runs',
    role: 'read',
    summary: 'What its invocations did, the newest first; those that found nothing to claim are left out',
    query: [LIMIT, { name: 'from', description: 'The next of the answer before.', schema: { type: 'string' } }],
    answers: { 200: { description: 'Runs, and where to go on', body: RunPage } },
    run: history,
  }),
];

async function history(deps: AppDeps, { param, query }: Call<unknown>): Promise<Answer> {
  const { uid } = await foundConnector(deps, param('connector'));
  const runsMax = queryInt(query, LIMIT);
  const token = query.first('from');
  const from = token === undefined ? null : placeOf(token);
  // First what no page holds yet: it may be in one by the time the pages are read.
  const fresh = from === null ? deps.history.unwritten(uid) : [];
  const { runs, next } = await readRunsFrom(deps.store, uid, { runsMax: Math.max(runsMax - fresh.length, 1), from });
  const owners = new Set(fresh.map(({ owner }) => owner));
  const body = {
    runs: [...fresh, ...runs.filter(({ owner }) => !owners.has(owner))],
    next: next === null ? null : tokenOf(next),
  };
  return { status: 200, body };
}

/** Neither a key of the store nor an offer's id has it. */
const SEPARATOR = '~';

function tokenOf({ page, index, after }: RunPlace): string {
  return [index, page, after ?? ''].join(SEPARATOR);
}

/** @throws {ApiError} 400 */
function placeOf(token: string): RunPlace {
  const [index = '', page, after, ...rest] = token.split(SEPARATOR);
  if (!/^\d{1,4}$/.test(index) || page === undefined || after === undefined || rest.length > 0)
    throw new ApiError(400, 'from: must be what an answer before had as next');
  return { page, index: Number(index), after: after === '' ? null : after };
}
