/** Runs after every write of a cursor: the invariants that one step can break. */
import {
  assertLogCursor,
  type CheckpointCursor,
  type Cursor,
  type HeldRange,
  type Holder,
  type LogCursor,
  type OpenRange,
  watermark,
} from '../../../core/cursor/cursor.ts';
import type { Json } from '../../../core/json.ts';
import { advance, type Offset } from '../../../core/offset.ts';
import { parseShardId, queueOfShard, type ShardId, sourceNamesOfShard } from '../../../core/shard-id.ts';
import type { Incarnation } from '../world/incarnation.ts';
import type { SourceRow } from '../world/setup.ts';
import type { World } from '../world/world.ts';
import { checkFailures } from './check-failures.ts';
import { checkGaps } from './check-gaps.ts';
import { checkClaimedLog, checkClaimedSource } from './check-limits.ts';
import type { CursorWrite } from './cursor-write.ts';
import { transitionsOf } from './transitions.ts';

export function checkCursorWrite(world: World, write: CursorWrite): void {
  const { shard, before, after } = write;
  world.cursors.set(shard, after);
  world.shards.add(shard);
  world.offers.cursor(shard, after, world.time.nowMs);
  for (const name of transitionsOf(before, after)) world.transition(name);
  if (before === null) return;
  checkGate(world, write, before);
  checkFailures(world, write, before, after);
  if (before.kind === 'log' && after.kind === 'log') checkLog(world, write, before, after);
  if (before.kind === 'checkpoint' && after.kind === 'checkpoint') checkCheckpoint(world, write, before, after);
}

/** I9: a claim passes only an open gate, and none that an acknowledged action has closed. */
function checkGate(world: World, { shard, after, caller }: CursorWrite, before: Cursor): void {
  if (after.epoch === before.epoch) return;
  const { uid } = parseShardId(shard);
  if (!caller.hasRead(uid, after.gate.revision))
    world.violate('I9', `${caller.name} claimed ${shard} with an older configuration than its gate has`);
  const acknowledged = world.acknowledged.get(uid)?.at(-1);
  if (after.gate.state !== 'running')
    world.violate('I9', `a slice of ${shard} started behind a gate that says ${after.gate.state}`);
  if (acknowledged !== undefined && after.gate.revision < acknowledged.revision) {
    world.violate(
      'I9',
      `a slice of ${shard} started at revision ${after.gate.revision}, after ${acknowledged.revision} was acknowledged`,
    );
  }
}

function checkLog(world: World, write: CursorWrite, before: LogCursor, after: LogCursor): void {
  const { shard, caller } = write;
  for (const range of after.open)
    if (range.kind === 'held' && range.epoch > before.epoch) world.owners.set(range.holder.owner, caller);
  assertLogCursor(after);
  if (after.epoch < before.epoch) world.violate('I2', `the epoch of ${shard} went back`);
  if (after.generation !== before.generation) return;
  if (watermark(after) < watermark(before)) {
    world.violate('I3', `the watermark of ${shard} went back from ${watermark(before)} to ${watermark(after)}`);
  }
  checkReclaims(world, write, before, after);
  noteSlices(world, write, before, after);
  checkClaimedLog(world, write, before, after);
  checkGaps(world, write, before, after);
  checkHeld(world, write, after);
  checkProgress(world, write, before, after);
}

/** I2: a range is taken from a holder only when that one has surely stopped: by its own clock, or seen to have ended. */
function checkReclaims(world: World, { shard, caller }: CursorWrite, before: LogCursor, after: LogCursor): void {
  for (const range of before.open) {
    if (range.kind !== 'held') continue;
    const isKept = after.open.some((other) => other.kind === 'held' && other.epoch === range.epoch);
    const isTaken =
      !isKept && after.open.some((other) => other.kind === 'held' && other.epoch > before.epoch && other.start === range.start);
    if (isTaken) checkStopped(world, range.holder, { caller, what: `${range.start} of ${shard}` });
  }
}

/** The same of a source: its place is taken from a holder. */
function checkReclaim(world: World, { shard, caller }: CursorWrite, before: CheckpointCursor, after: CheckpointCursor): void {
  if (before.holder === null || after.holder === null || after.epoch === before.epoch) return;
  checkStopped(world, before.holder, { caller, what: shard });
}

function checkStopped(
  world: World,
  { owner, deadlineAtMs }: Holder,
  { caller, what }: { readonly caller: Incarnation; readonly what: string },
): void {
  const holder = world.owners.get(owner);
  if (holder === undefined || holder === caller || !holder.isAlive() || world.hasRunEnded(owner)) return;
  const leftMs = deadlineAtMs - holder.clock.nowMs();
  if (leftMs > 0)
    world.violate('I2', `${caller.name} took ${what} from ${holder.name}, which still had ${Math.round(leftMs)} ms`);
}

/** What is claimed, and what is taken from a holder or given back by it: both may be done twice. */
function noteSlices(world: World, { shard }: CursorWrite, before: LogCursor, after: LogCursor): void {
  const { generation } = after;
  for (const { kind, start, ...range } of after.open) {
    if (kind === 'held' && 'epoch' in range && range.epoch > before.epoch)
      world.slices.claimed({ shard, generation, epoch: range.epoch }, { atMs: world.time.nowMs, revision: after.gate.revision });
  }
  for (const range of before.open) {
    if (range.kind !== 'held') continue;
    const isKept = after.open.some((other) => other.kind === 'held' && other.epoch === range.epoch);
    const rest = after.open.find(({ start, end }) =>
      range.end === null ? start >= range.start : end === range.end || start === range.start,
    );
    if (!isKept && rest !== undefined) world.slices.lost({ shard, generation, epoch: range.epoch }, rest.start);
  }
}

/** I4: where order counts, or an old write could land over a new one, one slice is held. What was abandoned does not count. */
function checkHeld(world: World, { shard }: CursorWrite, after: LogCursor): void {
  const held = after.open.filter((range): range is HeldRange => range.kind === 'held' && !isAbandoned(world, range));
  const max = heldMax(world, shard);
  if (held.length > max) world.violate('I4', `${held.length} slices of ${shard} are held, ${max} may be`);
}

/** Past its deadline, or seen to end: whether it is taken over or something else is claimed is the claimer's choice. */
function isAbandoned(world: World, { holder }: HeldRange): boolean {
  if (holder.deadlineAtMs < world.time.nowMs || world.hasRunEnded(holder.owner)) return true;
  return world.owners.get(holder.owner)?.isSeenDead === true;
}

function heldMax(world: World, shard: ShardId): number {
  const queue = queueOfShard(shard);
  const setup = world.setups.find(({ kind, topic }) => kind === 'sink' && topic === queue?.topic);
  if (setup?.kind !== 'sink') return 1;
  const parallel = setup.effect === 'versioned' || (setup.effect === 'append' && setup.config['delivery.order'] === 'none');
  return parallel ? Number(setup.config['queue.slices.max']) : 1;
}

/** I1, I2: what is newly finished was delivered, and the one who says so held it. */
function checkProgress(world: World, { shard, caller }: CursorWrite, before: LogCursor, after: LogCursor): void {
  const queue = queueOfShard(shard);
  if (queue === undefined) return;
  const skippedTo = after.gaps !== null && after.gaps.count !== (before.gaps?.count ?? 0) ? after.gaps.end : null;
  let moved = false;
  for (const { from, to, holder, epoch } of finishedBetween(before, after)) {
    const slice = epoch === null ? undefined : world.slices.find({ shard, generation: after.generation, epoch });
    const sinceMs = slice?.claimedAtMs ?? world.time.nowMs;
    for (let at = from; at < to; at = advance(at, 1)) {
      if (skippedTo !== null && at < skippedTo) continue;
      moved = true;
      const records = world.recordsSince(queue, at, sinceMs);
      const isFinished = records.some((record) => record.value === null || world.isFinished(shard, after.generation, record));
      if (!isFinished)
        return world.violate('I1', `${shard} counts ${at} as finished, which was neither delivered nor dead-lettered`);
      if (holder !== null && world.owners.get(holder) !== caller) {
        return world.violate('I2', `${caller.name} finished ${at} of ${shard}, which is held by another`);
      }
    }
  }
  if (moved) world.committedAtMs.set(shard, world.time.nowMs);
}

interface Finished {
  readonly from: Offset;
  readonly to: Offset;
  /** Who held it before; `null` for what was not claimed. */
  readonly holder: string | null;
  readonly epoch: number | null;
}

/** Ranges that were to be done before and are not any more. */
function finishedBetween(before: LogCursor, after: LogCursor): Finished[] {
  const finished: Finished[] = [];
  const todo: Todo[] = before.open.flatMap((range) => bounded(range, after));
  if (after.next > before.next) todo.push({ start: before.next, end: after.next, ...tailOwner(before) });
  for (const { start, end, holder, epoch } of todo) {
    for (let at = start; at < end; ) {
      const open = after.open.find((range) => range.start <= at && (range.end === null || range.end > at));
      if (open !== undefined) {
        at = open.end ?? end;
        continue;
      }
      if (at >= after.next) break;
      const nextOpen = after.open.find((range) => range.start > at);
      const to = [end, nextOpen?.start ?? end, after.next].reduce((a, b) => (a < b ? a : b));
      finished.push({ from: at, to, holder, epoch });
      at = to;
    }
  }
  return finished;
}

interface Todo extends Pick<Finished, 'holder' | 'epoch'> {
  readonly start: Offset;
  readonly end: Offset;
}

function bounded(range: OpenRange, after: LogCursor): Todo[] {
  const end = range.end ?? after.next;
  if (end <= range.start) return [];
  return [
    range.kind === 'held'
      ? { start: range.start, end, holder: range.holder.owner, epoch: range.epoch }
      : { start: range.start, end, holder: null, epoch: null },
  ];
}

function tailOwner(cursor: LogCursor): Pick<Finished, 'holder' | 'epoch'> {
  const last = cursor.open.at(-1);
  return last?.kind === 'held' && last.end === null
    ? { holder: last.holder.owner, epoch: last.epoch }
    : { holder: null, epoch: null };
}

// ---------------------------------------------------------------------------------------------------------------------

function checkCheckpoint(world: World, write: CursorWrite, before: CheckpointCursor, after: CheckpointCursor): void {
  const { shard, caller } = write;
  const { generation, epoch, gate } = after;
  if (after.holder !== null && epoch > before.epoch) {
    world.owners.set(after.holder.owner, caller);
    world.slices.claimed({ shard, generation, epoch }, { atMs: world.time.nowMs, revision: gate.revision });
  }
  checkClaimedSource(world, write, after);
  if (epoch < before.epoch) world.violate('I2', `the epoch of ${shard} went back`);
  if (after.generation !== before.generation) return;
  checkReclaim(world, write, before, after);
  const was = seqOf(before.checkpoint);
  const is = seqOf(after.checkpoint);
  if (is < was) world.violate('I3', `the checkpoint of ${shard} went back from ${was} to ${is}`);
  if (is === was) return;
  world.committedAtMs.set(shard, world.time.nowMs);
  if (before.holder === null || world.owners.get(before.holder.owner) !== caller) {
    world.violate('I2', `${caller.name} moved the checkpoint of ${shard}, which it does not hold`);
  }
  const rows = rowsOfShard(world, shard);
  for (let row = was; row < is; row += 1) {
    if (rows[row]?.silent !== true && !world.isFinished(shard, after.generation, row)) {
      return world.violate('I1', `the checkpoint of ${shard} covers row ${row}, which is not durable anywhere`);
    }
  }
}

function rowsOfShard(world: World, shard: ShardId): readonly SourceRow[] {
  const { uid } = parseShardId(shard);
  const setup = world.setups.find(({ name }) => world.uids.get(name) === uid);
  const part = sourceNamesOfShard(shard)?.[1] ?? '';
  return setup?.kind === 'source' ? (setup.rows.get(part) ?? []) : [];
}

function seqOf(checkpoint: Json): number {
  const plugin = checkpoint === null ? null : (checkpoint as { readonly p: Json }).p;
  return plugin === null ? 0 : (plugin as { readonly seq: number }).seq;
}
