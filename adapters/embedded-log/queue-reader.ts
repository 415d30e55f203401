import type { Offset } from '../../core/offset.ts';
import type { ReadLimits } from '../../core/ports.ts';
import type { LogRecord } from '../../core/record/connect-record.ts';
import { BatchCursor } from './batch-cursor.ts';
import type { SegmentFiles } from './segment-files.ts';
import type { SegmentIndexes } from './segment-index.ts';
import type { QueueState, Segment } from './topic-catalog.ts';

/** Places where somebody may read on, and the bytes that were read there already. */
const CURSORS_MAX = 64;
const CURSOR_CHUNKS_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Reads records of any queue. Whoever reads on behind what was read before finds the rest of its chunk, or at least the place of
 * the next one; anybody else looks it up in an index.
 */
export class QueueReader {
  readonly #files: SegmentFiles;
  readonly #indexes: SegmentIndexes;
  /** By queue and next offset, the one used last at the end. */
  readonly #cursors = new Map<string, BatchCursor>();
  #chunksBytes = 0;

  constructor({ files, indexes }: { readonly files: SegmentFiles; readonly indexes: SegmentIndexes }) {
    this.#files = files;
    this.#indexes = indexes;
  }

  /**
   * At least one record, from `from` on, which lies in `segment`; maybe fewer than the limits allow. Throws what the file system
   * throws, `ENOENT` where the segment is gone.
   *
   * @throws {FatalTaskError} `log.damaged` or `log.newer`.
   */
  async read(
    state: QueueState,
    segment: Segment,
    from: Offset,
    limits: Pick<ReadLimits, 'records' | 'bytes'>,
  ): Promise<readonly LogRecord[]> {
    const opened = await this.#files.open(state, segment.firstOffset);
    try {
      const cursor = await this.#cursorAt(state, segment, from);
      const records = await cursor.read({ ...opened, endAt: segment.bytes }, state.queue, from, limits);
      const next = records.at(-1)?.offset;
      if (next !== undefined) this.#keep(cursorKey(state, (next + 1n) as Offset), cursor);
      return records;
    } finally {
      opened.release();
    }
  }

  /** One of its own: others may read on at the same place. */
  async #cursorAt(state: QueueState, segment: Segment, from: Offset): Promise<BatchCursor> {
    const known = this.#cursors.get(cursorKey(state, from));
    if (known?.segment === segment.firstOffset) return known.copy();
    const { firstOffset } = segment;
    const batch = from === firstOffset ? { position: 0, offset: firstOffset } : await this.#indexes.find(state, segment, from);
    return new BatchCursor(firstOffset, batch);
  }

  #keep(key: string, cursor: BatchCursor): void {
    this.#drop(key);
    this.#cursors.set(key, cursor);
    this.#chunksBytes += cursor.chunkBytes;
    for (const [oldest] of this.#cursors) {
      if (this.#cursors.size <= CURSORS_MAX && this.#chunksBytes <= CURSOR_CHUNKS_BYTES_MAX) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#chunksBytes -= this.#cursors.get(key)?.chunkBytes ?? 0;
    this.#cursors.delete(key);
  }
}

function cursorKey({ id }: QueueState, next: Offset): string {
  return `${id}/${next}`;
}
