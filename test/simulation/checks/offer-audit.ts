/**
 * What schedulers send, against what they could know: how many invocations of a connector at once, and to whom none any more.
 *
 * Two rules hold at every offer:
 *   1. Of what one process has sent for a connector, at most `tasks.max` are under way: sent less than `offer.ttlMs` ago, and
 *      not answered by an end. What it could not know does not count: copies that the network made, offers of other processes,
 *      and those that it gave up for lost and that run all the same.
 *   2. Once nothing fails any more, nothing is sent for a connector that has been closed for 10 s, nor for a shard that has
 *      failed or ended for good for as long. Of what happened before, a note may be lost: the sweep finds it in 60 s.
 */
import type { Cursor } from '../../../core/cursor/cursor.ts';
import type { Offer } from '../../../core/offer.ts';
import type { ShardId } from '../../../core/shard-id.ts';
import { DEFAULT_SCHEDULER_SETTINGS } from '../../../scheduler/settings.ts';

const { offerTtlMs, sweepMs } = DEFAULT_SCHEDULER_SETTINGS;

const KNOWN_WITHIN_MS = 10_000;

/** A sweep, and the look, the read and the plan around it. */
const SWEPT_WITHIN_MS = sweepMs + 5_000;

interface Moment {
  readonly nowMs: number;
  /** Since when nothing fails any more; `null` while anything may. */
  readonly wellSinceMs: number | null;
}

export class OfferAudit {
  /** By process and connector, when each offer was sent. */
  readonly #underWay = new Map<string, Map<Offer, number>>();
  readonly #closedSinceMs = new Map<string, number>();
  readonly #hopelessSinceMs = new Map<ShardId, number>();
  readonly #sentAtMs = new Map<ShardId, number>();
  /** Invocations that hosts took. */
  readonly started = new Map<ShardId, number>();

  /** The connector's document says so now. */
  connector(uid: string, { isOpen, nowMs }: { readonly isOpen: boolean; readonly nowMs: number }): void {
    if (isOpen) this.#closedSinceMs.delete(uid);
    else if (!this.#closedSinceMs.has(uid)) this.#closedSinceMs.set(uid, nowMs);
  }

  cursor(shard: ShardId, cursor: Cursor, nowMs: number): void {
    if (!isHopeless(cursor)) this.#hopelessSinceMs.delete(shard);
    else if (!this.#hopelessSinceMs.has(shard)) this.#hopelessSinceMs.set(shard, nowMs);
  }

  /** Answers what is wrong with it. */
  sent(sender: string, offer: Offer, { tasksMax, ...moment }: Moment & { readonly tasksMax: number }): string | null {
    const { nowMs } = moment;
    this.#sentAtMs.set(offer.shard, nowMs);
    const key = `${sender} ${offer.uid}`;
    const underWay = this.#underWay.get(key) ?? new Map<Offer, number>();
    this.#underWay.set(key, underWay);
    for (const [known, sentAtMs] of underWay) if (sentAtMs + offerTtlMs <= nowMs) underWay.delete(known);
    underWay.set(offer, nowMs);
    if (underWay.size > tasksMax)
      return `${sender} has ${underWay.size} offers of ${offer.connector} under way, its tasks.max is ${tasksMax}`;
    const closedMs = knownForMs(this.#closedSinceMs.get(offer.uid), moment);
    if (closedMs > 0) return `${sender} offers ${offer.shard}, whose connector was closed long before`;
    const hopelessMs = knownForMs(this.#hopelessSinceMs.get(offer.shard), moment);
    return hopelessMs > 0 ? `${sender} offers ${offer.shard}, which had failed or ended for good long before` : null;
  }

  /** It ended, and its sender was told. */
  answered(sender: string, offer: Offer): void {
    this.#underWay.get(`${sender} ${offer.uid}`)?.delete(offer);
  }

  took({ shard }: Offer): void {
    this.started.set(shard, (this.started.get(shard) ?? 0) + 1);
  }

  /** When anybody sent an offer for it last. */
  sentAtMs(shard: ShardId): number {
    return this.#sentAtMs.get(shard) ?? Number.NEGATIVE_INFINITY;
  }
}

/** Only somebody's act helps, or nothing. */
function isHopeless({ status }: Cursor): boolean {
  return status.state === 'done' || (status.state === 'failed' && status.retryAtMs === null);
}

/** For how long every scheduler must have known it; 0: not yet. */
function knownForMs(sinceMs: number | undefined, { nowMs, wellSinceMs }: Moment): number {
  if (sinceMs === undefined || wellSinceMs === null) return 0;
  const knownAtMs = sinceMs >= wellSinceMs ? sinceMs + KNOWN_WITHIN_MS : wellSinceMs + SWEPT_WITHIN_MS;
  return Math.max(0, nowMs - knownAtMs);
}
