/** What waits and what is held: of each connector, and of each shard of one. */
import type { z } from 'zod';
import { type Cursor, type Holder, heldRanges } from '../../../core/cursor/cursor.ts';
import { readSourceCheckpoint } from '../../../core/cursor/source-checkpoint.ts';
import { offerIdOf } from '../../../core/owner.ts';
import { isDiscoveryShard, sourceNamesOfShard } from '../../../core/shard-id.ts';
import { sideBySide } from '../../../core/side-by-side.ts';
import type { AppDeps } from '../../app-deps.ts';
import { viewConnectors } from '../../connector-view.ts';
import { type ShardPosition, shardPositions, totalBacklog } from '../../shard-positions.ts';
import type { ShardView } from '../../status.ts';
import { foundView } from '../found-connector.ts';
import { type Answer, type Call, defineRoute, type Route } from '../route.ts';
import { ConnectorBacklogs, ShardList } from './entities.ts';

/** Each asks the log for its queues. */
const LOOKS_AT_ONCE = 8;

export const shardRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/sortie/v1/connectors',
    role: 'read',
    summary: 'What waits for each connector, and how much of it is held by invocations',
    answers: { 200: { description: 'In the order of their names', body: ConnectorBacklogs } },
    run: backlogs,
  }),
  defineRoute({
    method: 'GET',
    path: '/sortie/v1/connectors/{connector}/shards',
    role: 'read',
    summary: 'How far each shard came, what waits in it, and who holds what',
    answers: { 200: { description: 'Its shards', body: ShardList } },
    run: shards,
  }),
];

async function backlogs(deps: AppDeps): Promise<Answer> {
  const views = await viewConnectors(deps);
  const rows: z.output<typeof ConnectorBacklogs>[number][] = [];
  await sideBySide([...views.entries()], LOOKS_AT_ONCE, async ([index, { name, view }]) => {
    const { type, connector } = view.status;
    const positions = 'connector' in view ? await shardPositions(deps, view) : [];
    const held = positions.reduce((total, { cursor }) => total + heldOf(cursor).length, 0);
    const sums = { backlogRecords: totalBacklog(positions), positions: sumOf(positions) };
    rows[index] = { connector: name, type, state: connector.state, shards: positions.length, held, ...sums };
  });
  return { status: 200, body: rows };
}

async function shards(deps: AppDeps, { param }: Call<unknown>): Promise<Answer> {
  const view = await foundView(deps, param('connector'));
  const positions = await shardPositions(deps, view);
  const { name, uid } = view.connector;
  const body = { connector: name, uid, backlogRecords: totalBacklog(positions), shards: positions.map(shardOf) };
  return { status: 200, body };
}

// ---------------------------------------------------------------------------------------------------------------------

function sumOf(positions: readonly ShardPosition[]): string | null {
  const known = positions.flatMap(({ position }) => position ?? []);
  return known.length === 0 ? null : String(known.reduce<bigint>((sum, position) => sum + position, 0n));
}

type Shard = z.output<typeof ShardList>['shards'][number];

function shardOf(position: ShardPosition): Shard {
  const { shard, cursor, isRead, queue, bounds, backlogRecords } = position;
  const common = { shard, isRead, ...stateOf(position), generation: cursor?.generation ?? null, held: [...heldOf(cursor)] };
  if (queue !== null) {
    const log = cursor?.kind === 'log' ? cursor : null;
    return {
      kind: 'queue',
      ...common,
      ...queue,
      position: textOf(position.position),
      next: textOf(log?.next),
      min: textOf(bounds?.min),
      max: textOf(bounds?.max),
      backlogRecords,
      waiting: (log?.open ?? []).flatMap((range) => {
        if (range.kind === 'held') return [];
        const { start, end, attempts, deaths, retryAtMs, error } = range;
        return { start: String(start), end: String(end), attempts, deaths, retryAtMs, code: error };
      }),
    };
  }
  if (isDiscoveryShard(shard)) return { kind: 'discovery', ...common };
  const checkpoint = cursor?.kind === 'checkpoint' ? readSourceCheckpoint(cursor.checkpoint).p : null;
  return { kind: 'source', ...common, names: [...(sourceNamesOfShard(shard) ?? [])], checkpoint };
}

function stateOf({ cursor, problem }: ShardView): Pick<Shard, 'state' | 'code' | 'restartAtMs'> {
  if (problem !== null) return { state: 'unreadable', code: problem.code, restartAtMs: null };
  if (cursor === null) return { state: 'new', code: null, restartAtMs: null };
  const { status } = cursor;
  if (status.state !== 'failed') return { state: status.state, code: null, restartAtMs: null };
  return { state: 'failed', code: status.code, restartAtMs: status.retryAtMs };
}

function heldOf(cursor: Cursor | null): readonly Shard['held'][number][] {
  if (cursor === null) return [];
  if (cursor.kind === 'checkpoint') return cursor.holder === null ? [] : [heldBy(cursor.holder, cursor.epoch)];
  return heldRanges(cursor).map(({ holder, epoch, start, end }) => ({
    ...heldBy(holder, epoch),
    start: String(start),
    end: textOf(end),
  }));
}

function heldBy({ owner, deadlineAtMs }: Holder, epoch: number): Shard['held'][number] {
  return { offerId: offerIdOf(owner), epoch, deadlineAtMs };
}

function textOf(offset: bigint | null | undefined): string | null {
  return offset === null || offset === undefined ? null : String(offset);
}
