/** The positions of a connector: where its shards stand, and, while it is stopped, where they are to stand. */
import type { z } from 'zod';
import type { ResetRefusal } from '../../core/cursor/steer.ts';
import type { ShardId } from '../../core/shard-id.ts';
import type { AppDeps } from '../app-deps.ts';
import type { ConnectorView } from '../connector-view.ts';
import { alterSink, alterSource, OffsetsRefused, offsetsOf, resetAll } from '../offsets.ts';
import { ApiError } from './api-error.ts';
import { AlterOffsetsRequest, ConnectorOffsets, Message } from './entities.ts';
import { foundView } from './found-connector.ts';
import { sinkPosition, sourcePosition } from './offset-request.ts';
import { type Answer, type Call, defineRoute, type Route } from './route.ts';

export const offsetRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/connectors/{connector}/offsets',
    role: 'read',
    summary: 'Where its shards stand: records below are finished',
    answers: { 200: { description: 'The offset of each partition', body: ConnectorOffsets } },
    run: async (deps, { param }) => ({ status: 200, body: { offsets: offsetsOf(await foundView(deps, param('connector'))) } }),
  }),
  defineRoute({
    method: 'PATCH',
    path: '/connectors/{connector}/offsets',
    role: 'operate',
    summary: 'Sets the offsets of the partitions that are named; null: where a new connector would start',
    body: { schema: AlterOffsetsRequest, numbers: 'exact' },
    answers: { 200: { description: 'They are set', body: Message } },
    run: alter,
  }),
  defineRoute({
    method: 'DELETE',
    path: '/connectors/{connector}/offsets',
    role: 'operate',
    summary: 'Sets all of them to where a new connector would start',
    answers: { 200: { description: 'They are set', body: Message } },
    run: reset,
  }),
];

async function alter(deps: AppDeps, { param, body }: Call<z.output<typeof AlterOffsetsRequest>>): Promise<Answer> {
  const wanted = body.offsets ?? [];
  if (wanted.length === 0) throw new ApiError(400, 'Partitions / offsets need to be provided for an alter offsets request');
  const view = await stoppedView(deps, param('connector'));
  const alterAll = (): ReturnType<typeof alterSink> =>
    view.status.type === 'source'
      ? alterSource(deps, view, wanted.map(sourcePosition))
      : alterSink(deps, view, wanted.map(sinkPosition));
  demandNoneLeft(view, await unlessRefused(alterAll));
  deps.scheduler.connectorChanged(view.connector.name);
  return { status: 200, body: { message: 'The offsets for this connector have been altered successfully' } };
}

async function reset(deps: AppDeps, { param }: Call<unknown>): Promise<Answer> {
  const view = await stoppedView(deps, param('connector'));
  demandNoneLeft(view, await resetAll(deps, view));
  deps.scheduler.connectorChanged(view.connector.name);
  return { status: 200, body: { message: 'The offsets for this connector have been reset successfully' } };
}

/** Stopped is stopped (I9): also every gate says so. */
async function stoppedView(deps: AppDeps, name: string): Promise<ConnectorView> {
  const view = await foundView(deps, name);
  if (view.status.connector.state !== 'STOPPED') throw notStopped(name);
  return view;
}

function notStopped(name: string): ApiError {
  return new ApiError(
    400,
    `Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/${name}/stop' endpoint`,
  );
}

async function unlessRefused<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof OffsetsRefused) throw new ApiError(400, error.message);
    throw error;
  }
}

/** Clients try again on 409, and that is what helps. */
function demandNoneLeft(
  { connector: { name } }: ConnectorView,
  left: ReadonlyMap<ShardId, ResetRefusal | 'unknown-shard'>,
): void {
  if (left.size === 0) return;
  if ([...left.values()].includes('not-stopped')) throw notStopped(name);
  throw new ApiError(
    409,
    `The offsets of ${left.size} partition(s) of connector ${name} cannot be modified yet, since an invocation may still be writing; the same request can be sent again`,
  );
}
