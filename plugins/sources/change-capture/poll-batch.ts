import type { PolledRecord, PollLimits } from '../../api/source.ts';

/** What an event has beside its cells: names, positions, the source block. */
const EVENT_BYTES = 200;

/** The records of one poll, up to its limits. */
export class PollBatch {
  readonly records: PolledRecord[] = [];
  readonly #limits: PollLimits;
  #bytes = 0;

  constructor(limits: PollLimits) {
    this.#limits = limits;
  }

  /** Whether it fitted; the first one always does. */
  add(record: PolledRecord, bytes: number): boolean {
    const { records, bytes: bytesMax } = this.#limits;
    if (this.records.length > 0 && (this.records.length >= records || this.#bytes + bytes > bytesMax)) return false;
    this.records.push(record);
    this.#bytes += bytes;
    return true;
  }

  get isFull(): boolean {
    return this.records.length >= this.#limits.records || this.#bytes >= this.#limits.bytes;
  }
}

/** Of an event with these cells, roughly. */
export function eventBytes(cells: readonly unknown[]): number {
  let bytes = EVENT_BYTES;
  for (let index = 0; index < cells.length; index += 1) {
    const cell = cells[index];
    bytes += typeof cell === 'string' || cell instanceof Uint8Array ? cell.length : 8;
  }
  return bytes;
}
