/** What a claim asks for, derived from the effect of the target and the configuration. */

import type { RuntimeConfig } from '../core/config/connector-config.ts';
import type { ClaimRequest, LogClaimRequest } from '../core/cursor/claim.ts';
import { type Effect, lateMaxMs, SEND_LATE_MAX_MS, slicesMax } from '../core/effect.ts';
import type { Offer } from '../core/offer.ts';

export interface ClaimTerms {
  /** Slices of one queue that may be held at once. */
  readonly heldMax: number;
  readonly graceMs: number;
  readonly ended: Offer['ended'];
}

/**
 * An `overwrite` target's late put can land even after its invocation was seen to end, so only time tells that it is over. The
 * same holds of a send that an exactly-once source began, where its invocation has answered and lives on: nobody may look back
 * behind it yet. What is gone sends nothing more, and the look-back waits for what was on its way.
 */
export function claimTerms(
  effect: Effect,
  runtime: RuntimeConfig,
  { skewMaxMs, offer, looksBack }: { readonly skewMaxMs: number; readonly offer: Offer; readonly looksBack: boolean },
): ClaimTerms {
  const late = lateMaxMs(effect);
  return {
    heldMax: slicesMax(effect, runtime),
    graceMs: skewMaxMs + (looksBack ? SEND_LATE_MAX_MS : late),
    ended: late > 0 ? [] : offer.ended.filter(({ isGone }) => isGone || !looksBack),
  };
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
