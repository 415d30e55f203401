/** What a claim asks for, derived from the effect of the target and the configuration. */

import type { RuntimeConfig } from '../core/config/connector-config.ts';
import type { ClaimRequest, LogClaimRequest } from '../core/cursor/claim.ts';
import type { Offer } from '../core/offer.ts';
import type { Effect } from '../plugins/api/sink.ts';

export interface ClaimTerms {
  /** Slices of one queue that may be held at once. */
  readonly heldMax: number;
  readonly graceMs: number;
  readonly ended: Offer['ended'];
}

/**
 * One slice at a time where an old write could land over a newer one, or where order was asked for. An `overwrite` target's
 * late put can land even after its invocation was seen to end, so only time tells that it is over. The same holds of a send
 * that an exactly-once source began: an invocation that has answered may have left one under way, behind which nobody may look
 * back yet.
 */
export function claimTerms(
  effect: Effect,
  runtime: RuntimeConfig,
  { skewMaxMs, offer, looksBack }: { readonly skewMaxMs: number; readonly offer: Offer; readonly looksBack: boolean },
): ClaimTerms {
  const parallel = effect === 'versioned' || (effect === 'append' && runtime['delivery.order'] === 'none');
  const late = lateMs(effect, runtime);
  return {
    heldMax: parallel ? runtime['queue.slices.max'] : 1,
    graceMs: skewMaxMs + late,
    ended: late > 0 || looksBack ? [] : offer.ended,
  };
}

/** How long a put that nobody waits for any more may still land over what is put after it. */
export function lateMs(effect: Effect, runtime: RuntimeConfig): number {
  return effect === 'overwrite' ? runtime['put.timeout.ms'] : 0;
}

export type ClaimMoment = Pick<ClaimRequest, 'holder' | 'nowMs' | 'revision'>;

export function logClaimRequest(
  moment: ClaimMoment,
  terms: ClaimTerms,
  { records, max }: Pick<LogClaimRequest, 'records' | 'max'>,
): LogClaimRequest {
  return {
    ...moment,
    graceMs: terms.graceMs,
    ended: terms.ended,
    heldMax: terms.heldMax,
    ordered: terms.heldMax === 1,
    records,
    max,
  };
}
