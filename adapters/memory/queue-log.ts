import type { MessageQueue } from '../../core/message-queue.ts';
import { advance, type Offset, offset, recordsBetween } from '../../core/offset.ts';
import type { OutgoingRecord, QueueBounds, ReadLimits, ReadResult, SendResult } from '../../core/ports.ts';
import type { LogRecord } from '../../core/record/connect-record.ts';
import { recordBytes, recordTooLarge } from '../record-limit.ts';

/**
 * The records of one queue. A read hands out the stored objects, so it costs a slice of an array and no allocation per
 * record; the size of each record lies beside it, so limits never look inside.
 */
export class QueueLog {
  readonly queue: MessageQueue;
  #min = offset(0);
  readonly #records: LogRecord[] = [];
  readonly #sizes: number[] = [];

  constructor(queue: MessageQueue) {
    this.queue = queue;
  }

  get max(): Offset {
    return advance(this.#min, this.#records.length);
  }

  bounds(): QueueBounds {
    return { min: this.#min, max: this.max };
  }

  read(from: Offset, limits: Pick<ReadLimits, 'records' | 'bytes'>): ReadResult {
    const bounds = this.bounds();
    if (from < bounds.min || from >= bounds.max) return { records: [], next: from, bounds };
    const start = recordsBetween(bounds.min, from);
    const end = this.#end(start, limits);
    return { records: this.#records.slice(start, end), next: advance(from, end - start), bounds };
  }

  #end(start: number, limits: Pick<ReadLimits, 'records' | 'bytes'>): number {
    const last = Math.min(this.#records.length, start + limits.records);
    let bytes = this.#sizes[start] ?? 0;
    let end = start + 1;
    while (end < last) {
      bytes += this.#sizes[end] ?? 0;
      if (bytes > limits.bytes) break;
      end += 1;
    }
    return end;
  }

  append(
    records: readonly OutgoingRecord[],
    { storedAtMs, recordBytesMax }: { storedAtMs: number; recordBytesMax: number },
  ): SendResult {
    const refused: SendResult['refused'][number][] = [];
    for (const [index, record] of records.entries()) {
      const bytes = recordBytes(record);
      if (bytes > recordBytesMax) {
        refused.push({ index, error: recordTooLarge(bytes, recordBytesMax) });
        continue;
      }
      this.#records.push(this.#stored(record, storedAtMs));
      this.#sizes.push(bytes);
    }
    return { endOffset: this.max, refused };
  }

  #stored({ key, value, tag, headers, bornAtMs }: OutgoingRecord, storedAtMs: number): LogRecord {
    return { queue: this.queue, offset: this.max, key, value, tag, headers, bornAtMs, storedAtMs };
  }

  /** Looks at each record: where the clock has jumped back, store times are in no order that could be bisected. */
  offsetAt(atMs: number): Offset {
    const index = this.#records.findIndex(({ storedAtMs }) => storedAtMs >= atMs);
    return index === -1 ? this.max : advance(this.#min, index);
  }

  truncateBefore(min: Offset): void {
    const gone = Math.min(recordsBetween(this.#min, min), this.#records.length);
    this.#records.splice(0, gone);
    this.#sizes.splice(0, gone);
    this.#min = advance(this.#min, gone);
  }
}
