/**
 * Once nothing fails any more, nobody waits for long: a queue with records to be read, and nothing in the way, has offers sent for it
 * again and again, however busy its neighbours are.
 */
import { type LogCursor, watermark } from '../../../core/cursor/cursor.ts';
import { queueShardId } from '../../../core/shard-id.ts';
import { DEFAULT_SCHEDULER_SETTINGS } from '../../../scheduler/settings.ts';
import type { World } from '../world/world.ts';

/** What schedulers were not told while things failed, a sweep finds. */
const KNOWN_AFTER_MS = DEFAULT_SCHEDULER_SETTINGS.sweepMs + 5_000;

/** The longest pause after empty outcomes, 15 s, and a turn of a whole claim, 20 s, for four of its neighbours on the only slot. */
const WAITS_MAX_MS = 100_000;

export async function checkWaiting(world: World): Promise<void> {
  const { time, wellSinceMs, offers } = world;
  if (wellSinceMs === null) return;
  for (const setup of world.setups) {
    if (setup.kind !== 'sink') continue;
    const queues = await world.broker.queues(setup.topic);
    const bounds = await world.broker.bounds(queues);
    for (const [index, queue] of queues.entries()) {
      const shard = queueShardId(world.uids.get(setup.name) ?? '', queue);
      const cursor = world.cursors.get(shard);
      if (cursor?.kind !== 'log' || !isFree(cursor, time.nowMs) || watermark(cursor) >= (bounds[index]?.max ?? 0n)) continue;
      const [unread] = world.recordsAt(queue, watermark(cursor)).slice(-1);
      const sinceMs = Math.max(offers.sentAtMs(shard), wellSinceMs + KNOWN_AFTER_MS, unread?.storedAtMs ?? 0);
      const waitsMs = time.nowMs - sinceMs;
      if (waitsMs > WAITS_MAX_MS)
        world.violate('waiting', `${shard} has records to be read, and for ${Math.round(waitsMs)} ms nobody was sent`);
    }
  }
}

/** Neither its gate nor its status is in the way, nor a holder, nor a back-off. */
function isFree({ gate, status, open }: LogCursor, nowMs: number): boolean {
  if (gate.state !== 'running' || status.state !== 'active') return false;
  return open.every((range) => range.kind === 'free' && range.retryAtMs <= nowMs);
}
