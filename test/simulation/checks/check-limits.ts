/** Bounds of slices (I6): how much a claim takes and for how long, when a put may start, and how much goes through it. */
import type { CheckpointCursor, HeldRange, LogCursor } from '../../../core/cursor/cursor.ts';
import type { Offset } from '../../../core/offset.ts';
import { nextSliceRecords } from '../../../core/planner/slice-size.ts';
import { parseShardId } from '../../../core/shard-id.ts';
import { DEFAULT_SETTINGS } from '../../../functions/host.ts';
import type { Effect, PutBatch } from '../../../plugins/api/sink.ts';
import type { Incarnation } from '../world/incarnation.ts';
import type { World } from '../world/world.ts';
import type { CursorWrite } from './cursor-write.ts';
import { bytesOf } from './slice-ledger.ts';

/** What clocks may differ by, and the reset and the reclaims count on. */
const SKEW_MAX_MS = 5_000;

/** Every simulated connector's `put.timeout.ms`. */
const PUT_TIMEOUT_MS = 3_000;

/**
 * From an acknowledgement to the last batch that may still start: a slice looks at its gate once a second, may be in a put
 * then, and its look, its read and the write before them may each take as long as a slow store or log does.
 */
const LAST_BATCH_WITHIN_MS = 1_000 + PUT_TIMEOUT_MS + 5_000;

/** I6: nothing is claimed that was not offered, nor for longer than a claim lasts. */
export function checkClaimedLog(world: World, { shard, caller }: CursorWrite, before: LogCursor, after: LogCursor): void {
  for (const range of after.open) {
    if (range.kind !== 'held' || world.owners.get(range.holder.owner) !== caller) continue;
    checkDeadline(world, { shard, caller }, range.holder.deadlineAtMs);
    if (range.epoch <= before.epoch) continue;
    const records = range.end === null ? 0 : Number(range.end - range.start);
    const max = claimMax(range, { caller, shard, before });
    if (records > max) world.violate('I6', `${caller.name} claimed ${records} records of ${shard}, ${max} were to be had`);
  }
}

export function checkClaimedSource(world: World, { shard, caller }: CursorWrite, { holder }: CheckpointCursor): void {
  if (holder !== null && world.owners.get(holder.owner) === caller) checkDeadline(world, { shard, caller }, holder.deadlineAtMs);
}

/** New work by the offer in hand, or by the pace that was measured after it was sent; what is open already by its own size. */
function claimMax(
  { start }: HeldRange,
  { caller, shard, before }: Pick<CursorWrite, 'caller' | 'shard'> & { readonly before: LogCursor },
): number {
  const offered = Math.max(0, ...caller.offersOf(shard).map(({ slice }) => nextSliceRecords(slice, before.pace)));
  const open = before.open.find((range) => range.start === start);
  return open === undefined || open.end === null ? offered : Number(open.end - open.start);
}

function checkDeadline(world: World, { shard, caller }: Pick<CursorWrite, 'shard' | 'caller'>, deadlineAtMs: number): void {
  const aheadMs = deadlineAtMs - world.time.nowMs;
  if (aheadMs > DEFAULT_SETTINGS.claimMs + SKEW_MAX_MS)
    world.violate(
      'I6',
      `${caller.name} holds ${shard} for ${Math.round(aheadMs)} ms, a claim lasts ${DEFAULT_SETTINGS.claimMs} ms`,
    );
}

/** A put is about to leave its process. */
export function checkPut(world: World, caller: Incarnation, batch: PutBatch, effect: Effect): void {
  const slice = world.slices.find(batch);
  // A cursor that was deleted may be written again by nobody, but its last slice may still be under way.
  if (slice === undefined) return;
  const position = JSON.stringify(batch.position);
  if (!slice.batches.has(position)) checkStart(world, caller, batch, slice.revision);
  slice.batches.add(position);
  checkBytes(world, caller, batch, slice.put);
  if (effect === 'overwrite') checkRoom(world, caller, batch);
}

/** I9: some time after a change of the gate was acknowledged, no slice from before it starts another batch. */
function checkStart(world: World, caller: Incarnation, { shard, epoch }: PutBatch, revision: number): void {
  const { uid } = parseShardId(shard);
  const closed = world.acknowledged.get(uid)?.find((acknowledged) => acknowledged.revision > revision);
  if (closed === undefined || caller.wasFrozenSince(closed.atMs)) return;
  const lateMs = world.time.nowMs - closed.atMs;
  if (lateMs > LAST_BATCH_WITHIN_MS)
    world.violate(
      'I9',
      `epoch ${epoch} of ${shard} started a batch ${Math.round(lateMs)} ms after revision ${closed.revision} was acknowledged`,
    );
}

/** I6: a slice ends with the batch that reaches its bytes. */
function checkBytes(world: World, caller: Incarnation, { shard, epoch, records }: PutBatch, put: Map<Offset, number>): void {
  const offered = Math.max(0, ...caller.offersOf(shard).map(({ slice }) => slice.bytes));
  const batch = bytesOf(records);
  let before = 0;
  for (const [at, bytes] of put) if (!batch.has(at)) before += bytes;
  const isNew = [...batch.keys()].some((at) => !put.has(at));
  for (const [at, bytes] of batch) put.set(at, bytes);
  // What is put again belongs to the batch before.
  if (isNew && before > 0 && before >= offered)
    world.violate('I6', `epoch ${epoch} of ${shard} goes on after ${before} bytes, ${offered} were offered`);
}

/** I4: an overwrite target's put has its whole timeout before the deadline, for it lands over whatever is there. */
function checkRoom(world: World, caller: Incarnation, { shard, epoch }: PutBatch): void {
  const cursor = world.cursors.get(shard);
  const held = cursor?.kind === 'log' ? cursor.open.find((range) => range.kind === 'held' && range.epoch === epoch) : undefined;
  if (held?.kind !== 'held') return;
  const leftMs = held.holder.deadlineAtMs - caller.clock.nowMs();
  if (leftMs < PUT_TIMEOUT_MS)
    world.violate('I4', `epoch ${epoch} of ${shard} overwrites with ${Math.round(leftMs)} ms left of its claim`);
}
