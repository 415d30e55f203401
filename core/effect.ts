/** What a target's effect allows the runtime to do. */
import { PUT_TIMEOUT_MAX_MS, type RuntimeConfig } from './config/connector-config.ts';

/**
 * What redelivery and a zombie's late write do to the target; the runtime derives parallelism and promises from it.
 *
 * | effect          | parallel slices of a queue | promise                                                        |
 * | --------------- | -------------------------- | --------------------------------------------------------------- |
 * | `transactional` | one                        | exactly once: the target holds the position beside the data     |
 * | `versioned`     | several                    | each key ends at its newest version; older writes change nothing |
 * | `append`        | several, order aside       | at least once, with an idempotency key                          |
 * | `overwrite`     | one                        | each key ends at its newest value; at least once                |
 */
export type Effect = 'transactional' | 'versioned' | 'append' | 'overwrite';

/** Slices of one queue that may be held at once: one where an old write could land over a newer one, or order was asked for. */
export function slicesMax(effect: Effect, runtime: RuntimeConfig): number {
  const parallel = effect === 'versioned' || (effect === 'append' && runtime['delivery.order'] === 'none');
  return parallel ? runtime['queue.slices.max'] : 1;
}

/** How long a put that nobody waits for any more may still land over what is put after it. */
export function lateMs(effect: Effect, runtime: RuntimeConfig): number {
  return effect === 'overwrite' ? runtime['put.timeout.ms'] : 0;
}

/** The same of a put that somebody else began: perhaps with an older configuration, so with the longest limit there is. */
export function lateMaxMs(effect: Effect): number {
  return effect === 'overwrite' ? PUT_TIMEOUT_MAX_MS : 0;
}

/** A send that began right before its claim ran out: thirty seconds until it answers, and what it appends a second later (`LogBroker`). */
export const SEND_LATE_MAX_MS = 31_000;
