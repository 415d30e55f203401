/** Pauses between attempts: doubling, capped, with full jitter so that many failing shards do not come back at once. */
import type { Random } from './ports.ts';

/** Kafka Connect's first pause of `errors.retry`. */
const FIRST_MS = 300;
/** Doubling further changes nothing: 300 ms * 2^20 is 87 hours. */
const DOUBLINGS_MAX = 20;

/** Pause before attempt `attempts + 1`, where `attempts` have failed (1 or more): between half and all of the doubled pause. */
export function backoffMs({ attempts, maxMs }: { readonly attempts: number; readonly maxMs: number }, random: Random): number {
  const fullMs = Math.min(FIRST_MS * 2 ** Math.min(attempts - 1, DOUBLINGS_MAX), maxMs);
  return Math.round(fullMs * (0.5 + random.next() / 2));
}

/** One minute, doubling to thirty: Strimzi's automatic restarts pause alike. */
const RESTART_FIRST_MS = 60_000;
const RESTART_MAX_MS = 30 * 60_000;

/** When a failed shard may restart by itself; `null` when its restarts are used up. */
export function restartAtMs({
  restarts,
  restartsMax,
  nowMs,
}: {
  readonly restarts: number;
  readonly restartsMax: number;
  readonly nowMs: number;
}): number | null {
  if (restarts >= restartsMax) return null;
  return nowMs + Math.min(RESTART_FIRST_MS * 2 ** Math.min(restarts, DOUBLINGS_MAX), RESTART_MAX_MS);
}
