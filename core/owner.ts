/**
 * Who runs an offer: its owner begins with the offer's id and `/`, so that a scheduler knows its own, and is random, for an offer
 * may come twice. A holder is an owner with `.` and the number of the claim.
 */
import type { Random } from './ports.ts';

/** Of the 128 random bits 60 tell runs of one offer apart, and keep eight holders within a cursor's kilobyte. */
const RUN_ID_LENGTH = 10;

/** Enough to tell the offers of one scheduler from those of all others that may be about at the time. */
const OFFER_PREFIX_LENGTH = 6;

/** How the ids of a scheduler's offers begin. */
export function newOfferPrefix(random: Random): string {
  return random.id().slice(-OFFER_PREFIX_LENGTH);
}

export function newOwner(offerId: string, random: Random): string {
  return `${offerId}/${random.id().slice(-RUN_ID_LENGTH)}`;
}

/** Of an owner, or of a holder. */
export function offerIdOf(owner: string): string {
  const end = owner.indexOf('/');
  return end < 0 ? owner : owner.slice(0, end);
}

/** Whether a holder is one of this run's claims. */
export function isHolderOf(owner: string, holder: string): boolean {
  return holder.startsWith(`${owner}.`);
}
