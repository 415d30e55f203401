/** Longer than this no endpoint may keep a shard waiting, whatever date it names; as long as `errors.retry.delay.max.ms` may be. */
const RETRY_AFTER_MAX_MS = 3_600_000;

/** What `Retry-After` asks for, in seconds or as a date; 0 where it is absent or cannot be read. */
export function retryAfterMs(text: string | null, nowMs: number): number {
  if (text === null) return 0;
  const wishMs = /^\s*\d+\s*$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isNaN(wishMs) ? 0 : Math.min(Math.max(wishMs, 0), RETRY_AFTER_MAX_MS);
}
