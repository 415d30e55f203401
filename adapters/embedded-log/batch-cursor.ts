import type { MessageQueue } from '../../core/message-queue.ts';
import { advance, type Offset } from '../../core/offset.ts';
import type { ReadLimits } from '../../core/ports.ts';
import type { LogRecord } from '../../core/record/connect-record.ts';
import { BATCH_HEADER_BYTES, BATCH_VERSION, type BatchHeader, isBodyWhole } from './batch-codec.ts';
import { logDamaged } from './log-error.ts';
import type { OpenSegment } from './segment-files.ts';
import { assertVersion, type BatchPlace, headerAt, placeBehind, readBytes } from './segment-walk.ts';
import { contentBytesAt, frameBytesAt, type RecordSource, storedRecord } from './stored-record.ts';

/** One read of a file; a larger batch is read as a whole. Records are views of it, so one record keeps so much in memory. */
const CHUNK_BYTES = 512 * 1024;
const CHUNK_BYTES_MIN = 16 * 1024;

/** What a record takes beyond its content, as far as it matters for how much is read. */
const OVERHEAD_BYTES = 64;

const NOTHING = Buffer.alloc(0);

type Limits = Pick<ReadLimits, 'records' | 'bytes'>;

/** A batch that was found whole, and its next record. */
interface Entered {
  readonly header: BatchHeader;
  readonly index: number;
  /** Byte of the chunk. */
  readonly at: number;
}

/** A segment, with as much of it as is in the log. */
export interface OpenStretch extends OpenSegment {
  readonly endAt: number;
}

/** Goes through the batches of a segment, in chunks of its file. A copy goes on from the same place, with the same chunk. */
export class BatchCursor {
  readonly segment: Offset;
  #batch: BatchPlace;
  #entered: Entered | null = null;
  /** Of the batch, where its header was seen: so much is read at least. */
  #batchBytes = 0;
  #chunk: Buffer = NOTHING;
  #chunkAt = 0;

  /** `batch`: any at or before the first record that is asked for. */
  constructor(segment: Offset, batch: BatchPlace) {
    this.segment = segment;
    this.#batch = batch;
  }

  get chunkBytes(): number {
    return this.#chunk.length;
  }

  copy(): BatchCursor {
    const copy = new BatchCursor(this.segment, this.#batch);
    copy.#entered = this.#entered;
    copy.#batchBytes = this.#batchBytes;
    copy.#chunk = this.#chunk;
    copy.#chunkAt = this.#chunkAt;
    return copy;
  }

  /**
   * Records from `from` on, which is in the stretch: at least one, and no more than one chunk holds.
   *
   * @throws {FatalTaskError} `log.damaged` or `log.newer`.
   */
  async read(stretch: OpenStretch, queue: MessageQueue, from: Offset, limits: Limits): Promise<readonly LogRecord[]> {
    const records: LogRecord[] = [];
    const left = { ...limits };
    while (left.records > 0 && this.#batch.position < stretch.endAt) {
      // What ends a chunk, and what is damaged, is for the next read: this one has something to answer.
      this.#entered ??= records.length > 0 ? this.#enterLoaded(stretch.endAt) : await this.#enter(stretch, from, limits);
      if (this.#entered === null) break;
      if (!this.#take(this.#entered, { queue, from, left, records })) break;
    }
    if (this.#entered === null) this.#isLoaded(stretch.endAt);
    return records;
  }

  /** Whether the batch lies in the chunk. Where it does not, lets go of the chunk, but remembers how long the batch is. */
  #isLoaded(endAt: number): boolean {
    const header = this.#header(endAt);
    if (header !== null && this.#batch.position + header.bytes <= this.#chunkAt + this.#chunk.length) return true;
    this.#batchBytes = header?.bytes ?? 0;
    this.#chunk = NOTHING;
    return false;
  }

  #enterLoaded(endAt: number): Entered | null {
    const header = this.#isLoaded(endAt) ? this.#header(endAt) : null;
    return header === null || header.version > BATCH_VERSION ? null : this.#entry(header);
  }

  /** Finds and loads the batch that holds `from`. Each turn reads, goes on by a batch, or ends. */
  async #enter(stretch: OpenStretch, from: Offset, limits: Limits): Promise<Entered> {
    while (this.#batch.position < stretch.endAt) {
      const header = this.#header(stretch.endAt) ?? (await this.#load(stretch, limits));
      assertVersion(header, { ...stretch, place: this.#batch });
      const behind = placeBehind(this.#batch, header);
      if (behind.offset <= from) {
        this.#goTo(behind);
        continue;
      }
      if (behind.position > this.#chunkAt + this.#chunk.length) {
        this.#batchBytes = header.bytes;
        await this.#load(stretch, limits);
      }
      const entry = this.#entry(header);
      if (entry === null) throw this.#damaged(stretch, 'the batch that begins here is not what was written');
      return entry;
    }
    throw this.#damaged(stretch, `it ends before offset ${from}`);
  }

  /** The first record of the batch, which lies in the chunk; `null` where the batch is not what was written. */
  #entry(header: BatchHeader): Entered | null {
    const at = this.#batch.position - this.#chunkAt;
    return isBodyWhole(this.#chunk, at, header) ? { header, index: 0, at: at + BATCH_HEADER_BYTES } : null;
  }

  /** Moves records into the answer; false where the limit of bytes is reached. */
  #take(
    { header, index: fromIndex, at: fromAt }: Entered,
    answer: {
      readonly queue: MessageQueue;
      readonly from: Offset;
      readonly left: { records: number; bytes: number };
      readonly records: LogRecord[];
    },
  ): boolean {
    const { queue, from, left, records } = answer;
    const source: RecordSource = { chunk: this.#chunk, queue, storedAtMs: header.storedAtMs };
    let index = fromIndex;
    let at = fromAt;
    let offset = advance(header.firstOffset, index);
    let isWithin = true;
    while (index < header.records && left.records > 0) {
      if (offset >= from) {
        left.bytes -= contentBytesAt(this.#chunk, at);
        isWithin = left.bytes >= 0 || records.length === 0;
        if (!isWithin) break;
        records.push(storedRecord(source, at, offset));
        left.records -= 1;
      }
      at += frameBytesAt(this.#chunk, at);
      index += 1;
      offset = advance(offset, 1n);
    }
    if (index < header.records) this.#entered = { header, index, at };
    else this.#goTo(placeBehind(this.#batch, header));
    return isWithin;
  }

  #goTo(batch: BatchPlace): void {
    this.#batch = batch;
    this.#batchBytes = 0;
    this.#entered = null;
  }

  /** Of the batch, where the chunk holds a sound one. */
  #header(endAt: number): BatchHeader | null {
    const at = this.#batch.position - this.#chunkAt;
    if (at < 0 || at + BATCH_HEADER_BYTES > this.#chunk.length) return null;
    return headerAt(this.#chunk, at, { place: this.#batch, endAt });
  }

  /** Reads the batch from the file, as much of it as is known to be needed, and more. */
  async #load(stretch: OpenStretch, limits: Limits): Promise<BatchHeader> {
    const wanted = Math.min(CHUNK_BYTES, Math.max(CHUNK_BYTES_MIN, limits.bytes + limits.records * OVERHEAD_BYTES));
    // With the header behind the batch, the next read knows how much it needs.
    const bytes = this.#batchBytes === 0 ? wanted : Math.max(wanted, this.#batchBytes + BATCH_HEADER_BYTES);
    const { position } = this.#batch;
    this.#chunk = await readBytes(stretch.file, position, Math.min(bytes, stretch.endAt - position));
    this.#chunkAt = position;
    const header = this.#header(stretch.endAt);
    if (header === null) throw this.#damaged(stretch, 'no batch begins here');
    if (this.#chunk.length < this.#batchBytes) throw this.#damaged(stretch, 'the file ends within the batch that begins here');
    return header;
  }

  #damaged({ path }: OpenStretch, reason: string): Error {
    return logDamaged({ path, position: this.#batch.position }, reason);
  }
}
