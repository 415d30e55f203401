/**
 * Shards whose invocation ended together with its host. Which of them ended it nobody can tell, so each runs alone, one after the
 * other and a single slice each, until it has come to an end of its own. So the one that crashes its host takes nobody along
 * again: the cursor of a bystander would count its deaths, and blame a record for them that did nothing.
 *
 * One offer of each shard waits for its turn, or runs. That may take longer than a scheduler waits for any word of it, so it sends
 * others, and all of them would run alone, one after the other, to find nothing left.
 */
import type { InvocationEnd, Offer, RunRecord } from '../../core/offer.ts';
import type { ShardId } from '../../core/shard-id.ts';

/** More than end with one host. */
const WAITING_MAX = 64;

/** The one that was suspected first is let off. */
const SHARDS_MAX = 1_024;

export class Suspects {
  readonly #shards = new Set<ShardId>();
  #turn: Promise<unknown> = Promise.resolve();
  /** Those whose turn is yet to come, and the one whose turn it is. */
  readonly #waiting = new Set<ShardId>();

  has(shard: ShardId): boolean {
    return this.#shards.has(shard);
  }

  add(shards: readonly ShardId[]): void {
    for (const shard of shards) this.#shards.add(shard);
    for (const shard of this.#shards) {
      if (this.#shards.size <= SHARDS_MAX) return;
      this.#shards.delete(shard);
    }
  }

  /** Waits for its turn; each before it takes as long as an invocation may. `invoke` never rejects. */
  async invoke(offer: Offer, invoke: (offer: Offer) => Promise<InvocationEnd>): Promise<InvocationEnd> {
    const { shard } = offer;
    if (this.#waiting.has(shard)) return refused('an invocation of this shard waits to run alone already');
    if (this.#waiting.size >= WAITING_MAX) return refused(`${WAITING_MAX} invocations wait to run alone`);
    this.#waiting.add(shard);
    const turn = this.#turn.then(() => invoke({ ...offer, mode: 'slice', quantumMs: 0 }));
    this.#turn = turn;
    const end = await turn;
    this.#waiting.delete(shard);
    if (end.kind === 'completed' && isInnocent(end.result.run)) this.#shards.delete(shard);
    return end;
  }
}

/**
 * It came to an end of its own, or holds no record that could have ended a host: a tail that is left at the end of its log is no
 * slice, and would wait for a record for ever. One that claimed nothing for another reason has not shown anything.
 */
function isInnocent({ outcome, refusal }: RunRecord): boolean {
  return outcome !== null || refusal === 'nothing-to-claim';
}

/** Hosts have room for what is not suspected. */
function refused(message: string): InvocationEnd {
  return { kind: 'refused', message, isForShard: true };
}
