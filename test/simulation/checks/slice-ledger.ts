/** What every slice did, seen from outside: when it was claimed, what it put, and what of that others may have to put again. */
import type { Offset } from '../../../core/offset.ts';
import type { ConnectRecord } from '../../../core/record/connect-record.ts';
import type { SliceIdentity } from '../../../plugins/api/sink.ts';

interface SliceEntry {
  readonly claimedAtMs: number;
  /** Of the gate it passed. */
  readonly revision: number;
  /** Bytes by offset: a record that is put again counts once. */
  readonly put: Map<Offset, number>;
  /** Positions of its batches: a batch that is tried again begins nothing. */
  readonly batches: Set<string>;
  /** From here on another slice does it again; `null` while it finishes what it claimed. */
  lostFrom: Offset | null;
}

/** Values of these records, by offset. */
export function bytesOf(records: readonly ConnectRecord[]): ReadonlyMap<Offset, number> {
  return new Map(records.flatMap(({ log }): [Offset, number][] => (log === null ? [] : [[log.offset, log.value?.length ?? 0]])));
}

export class SliceLedger {
  readonly #slices = new Map<string, SliceEntry>();
  /** By shard and generation. */
  readonly #unflushed = new Map<string, number>();

  claimed(slice: SliceIdentity, { atMs, revision }: { readonly atMs: number; readonly revision: number }): void {
    this.#slices.set(keyOf(slice), { claimedAtMs: atMs, revision, put: new Map(), batches: new Set(), lostFrom: null });
  }

  find(slice: SliceIdentity): SliceEntry | undefined {
    return this.#slices.get(keyOf(slice));
  }

  /** What a slice has put from here on somebody else will put again. */
  lost(slice: SliceIdentity, from: Offset): void {
    const entry = this.find(slice);
    if (entry !== undefined && (entry.lostFrom === null || entry.lostFrom > from)) entry.lostFrom = from;
  }

  /** A flush of so many records failed, and may have landed in part. */
  flushFailed({ shard, generation }: SliceIdentity, records: number): void {
    const key = `${shard}#${generation}`;
    this.#unflushed.set(key, (this.#unflushed.get(key) ?? 0) + records);
  }

  /** At most so many records can be in an `append` target once more. */
  duplicatesMax({ shard, generation }: Omit<SliceIdentity, 'epoch'>): number {
    const prefix = `${shard}#${generation}`;
    let records = this.#unflushed.get(prefix) ?? 0;
    for (const [key, { put, lostFrom }] of this.#slices) {
      if (lostFrom === null || !key.startsWith(`${prefix}#`)) continue;
      for (const at of put.keys()) if (at >= lostFrom) records += 1;
    }
    return records;
  }
}

function keyOf({ shard, generation, epoch }: SliceIdentity): string {
  return `${shard}#${generation}#${epoch}`;
}
