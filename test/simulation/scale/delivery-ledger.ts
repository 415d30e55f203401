/**
 * What was delivered of each queue, known independently of any cursor: nothing fails in these worlds, so each record is to be
 * delivered once, and slices that are held at once are disjoint (I4). A cursor never says more than that (I1).
 */
import { type LogCursor, watermark } from '../../../core/cursor/cursor.ts';
import { type Offset, offset, recordsBetween } from '../../../core/offset.ts';
import type { ShardId } from '../../../core/shard-id.ts';

interface Stretch {
  start: Offset;
  end: Offset;
}

interface ShardLedger {
  /** Ascending, and none touches another: with K slices at once there are few. */
  readonly delivered: Stretch[];
  count: number;
  /** By owner; `end: null` is a tail. */
  readonly held: Map<string, { readonly start: Offset; readonly end: Offset | null }>;
}

export class DeliveryLedger {
  readonly #violate: (what: string) => void;
  readonly #shards = new Map<ShardId, ShardLedger>();
  /** Records in all. */
  delivered = 0;

  constructor(violate: (what: string) => void) {
    this.#violate = violate;
  }

  claimed(
    shard: ShardId,
    owner: string,
    { start, end, heldMax }: { readonly start: Offset; readonly end: Offset | null; readonly heldMax: number },
  ): void {
    const { held, delivered } = this.#of(shard);
    for (const [other, range] of held) {
      if (start < (range.end ?? INFINITE) && (end ?? INFINITE) > range.start)
        this.#violate(`I4: ${owner} claimed [${start}, ${end}) of ${shard} while ${other} held [${range.start}, ${range.end})`);
    }
    if (delivered.some((stretch) => stretch.start < (end ?? INFINITE) && stretch.end > start))
      this.#violate(`I4: ${owner} claimed [${start}, ${end}) of ${shard}, part of which was delivered`);
    held.set(owner, { start, end });
    if (held.size > heldMax) this.#violate(`I4: ${held.size} slices of ${shard} are held at once, ${heldMax} may be`);
  }

  closed(shard: ShardId, owner: string, end: Offset): void {
    const { held } = this.#of(shard);
    const tail = held.get(owner);
    if (tail !== undefined) held.set(owner, { start: tail.start, end });
  }

  left(shard: ShardId, owner: string): void {
    this.#of(shard).held.delete(owner);
  }

  /** Answers up to where everything is delivered. */
  put(shard: ShardId, start: Offset, end: Offset): Offset {
    const ledger = this.#of(shard);
    const { delivered } = ledger;
    let at = delivered.findIndex((stretch) => stretch.end >= start);
    if (at < 0) at = delivered.length;
    const next = delivered[at];
    if (next !== undefined && next.start < end && next.end > start)
      this.#violate(`I4: [${start}, ${end}) of ${shard} was delivered twice`);
    if (next?.end === start) next.end = end;
    else delivered.splice(at, 0, { start, end });
    const grown = delivered[at] as Stretch;
    const above = delivered[at + 1];
    if (above?.start === grown.end) {
      grown.end = above.end;
      delivered.splice(at + 1, 1);
    }
    const records = recordsBetween(start, end);
    ledger.count += records;
    this.delivered += records;
    const [first] = delivered;
    return first?.start === 0n ? first.end : offset(0);
  }

  committed(shard: ShardId, { next, open }: LogCursor): void {
    const finished = open.reduce((records, { start, end }) => records - recordsBetween(start, end ?? next), Number(next));
    const { count } = this.#of(shard);
    if (finished > count)
      this.#violate(`I1: the cursor of ${shard} says ${finished} records are finished, ${count} are delivered`);
  }

  /** At the end: each record up to `max` was delivered once, and the cursor says so. */
  checkDrained(shard: ShardId, cursor: LogCursor | null, max: Offset): void {
    const { delivered, held } = this.#of(shard);
    const [all, ...others] = delivered;
    const isWhole = max === 0n ? all === undefined : all?.start === 0n && all.end === max && others.length === 0;
    if (!isWhole) this.#violate(`I1: of ${shard} not everything up to ${max} is delivered`);
    if (held.size > 0) this.#violate(`I4: somebody still holds a slice of ${shard}`);
    const at = cursor === null ? offset(0) : watermark(cursor);
    if (at !== max) this.#violate(`I1: the cursor of ${shard} stands at ${at}, not at ${max}`);
  }

  #of(shard: ShardId): ShardLedger {
    let ledger = this.#shards.get(shard);
    if (ledger === undefined) {
      ledger = { delivered: [], count: 0, held: new Map() };
      this.#shards.set(shard, ledger);
    }
    return ledger;
  }
}

const INFINITE = 2n ** 63n;
