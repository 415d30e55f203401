import type { MessageQueue } from '../../../core/message-queue.ts';
import type { Offset } from '../../../core/offset.ts';
import type { ReadLimits } from '../../../core/ports.ts';
import { messageOffset, messageStarts } from '../message-layout.ts';
import { PulledRecord } from './pulled-record.ts';

/** Makes records of answers, as many as a read's limits allow. */
export class RecordCollector {
  readonly #queue: MessageQueue;
  readonly #limits: ReadLimits;
  readonly #records: PulledRecord[] = [];
  /** At least what the records have; exact up to `#exactUpTo`. */
  #bytes = 0;
  #exactBytes = 0;
  #exactUpTo = 0;
  #stoppedAt: Offset | null = null;

  constructor(queue: MessageQueue, limits: ReadLimits) {
    this.#queue = queue;
    this.#limits = limits;
  }

  get records(): readonly PulledRecord[] {
    return this.#records;
  }

  /** Of the first record that the limits left out; `null` where there was none. */
  get stoppedAt(): Offset | null {
    return this.#stoppedAt;
  }

  /** `false`: the limits are reached. Records before `from` came already. */
  take(answer: Buffer, from: bigint): boolean {
    for (const at of messageStarts(answer)) {
      const offset = messageOffset(answer, at) as Offset;
      if (offset < from) continue;
      const record = new PulledRecord(answer, at, { queue: this.#queue, offset });
      if (!this.#isWanted(record) || this.#add(record)) continue;
      this.#stoppedAt = offset;
      return false;
    }
    return this.#records.length < this.#limits.records;
  }

  /** A broker compares the hashes of tags: others of the same hash come with them. */
  #isWanted(record: PulledRecord): boolean {
    const { filter } = this.#limits;
    return filter?.kind !== 'tags' || (record.tag !== null && filter.tags.includes(record.tag));
  }

  #add(record: PulledRecord): boolean {
    if (this.#records.length >= this.#limits.records) return false;
    const bytes = this.#bytes + record.contentBytesMax;
    if (bytes > this.#limits.bytes && this.#records.length > 0) {
      const exact = this.#exact() + record.contentBytes;
      if (exact > this.#limits.bytes) return false;
      this.#bytes = exact;
      this.#exactBytes = exact;
      this.#exactUpTo = this.#records.length + 1;
    } else this.#bytes = bytes;
    this.#records.push(record);
    return true;
  }

  #exact(): number {
    for (const record of this.#records.slice(this.#exactUpTo)) this.#exactBytes += record.contentBytes;
    this.#exactUpTo = this.#records.length;
    return this.#exactBytes;
  }
}
