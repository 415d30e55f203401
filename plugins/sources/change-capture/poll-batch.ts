import type { PolledRecord, PollLimits } from '../../api/source.ts';

/** What an event has beside its cells: names, positions, the source block. */
const EVENT_BYTES = 200;

/** The queues of each take their place in a checkpoint, where they have not been written to for a while. */
const TOPICS_MAX = 50;

/** The records of one poll, up to its limits. */
export class PollBatch {
  readonly records: PolledRecord[] = [];
  readonly #limits: PollLimits;
  readonly #topics = new Set<string>();
  #bytes = 0;

  constructor(limits: PollLimits) {
    this.#limits = limits;
  }

  /** Whether it fitted; the first one always does. */
  add(record: PolledRecord, bytes: number): boolean {
    const { records, bytes: bytesMax } = this.#limits;
    if (this.records.length > 0 && (this.records.length >= records || this.#bytes + bytes > bytesMax)) return false;
    if (this.#topics.size === TOPICS_MAX && !this.#topics.has(record.topic)) return false;
    this.#topics.add(record.topic);
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
