import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { advance, type Offset } from '../../core/offset.ts';
import { stampBatch } from './batch-codec.ts';
import type { EncodedBatch } from './encode-batches.ts';
import { newSegment } from './new-segment.ts';
import type { SegmentFiles } from './segment-files.ts';
import { lastSegment, type QueueState, type Segment } from './topic-catalog.ts';

/** When a segment is full. The first batch always fits, and a record is never split. */
export interface SegmentLimits {
  readonly bytes: number;
  /** Since its first batch; absent: never. */
  readonly ageMs?: number | undefined;
}

/**
 * Appends to one queue while the log is locked, and so in one turn. What it has written counts once `state` is stored; until then
 * nobody reads it, and where that never happens the next append overwrites it.
 */
export class QueueWriter {
  readonly #files: SegmentFiles;
  readonly #limits: SegmentLimits;
  readonly #nowMs: number;
  readonly #sealed: Segment[] = [];
  #state: QueueState;
  /** The last segment, from the first write on. */
  #fd: number | null = null;

  constructor(state: QueueState, deps: { readonly files: SegmentFiles; readonly limits: SegmentLimits; readonly nowMs: number }) {
    this.#state = state;
    this.#files = deps.files;
    this.#limits = deps.limits;
    // A clock that jumps back makes no older records: times do not decrease along a queue.
    this.#nowMs = Math.max(Math.floor(deps.nowMs), state.storedAtMs);
  }

  /** As it is after what was appended. */
  get state(): QueueState {
    return this.#state;
  }

  /** Segments that are full since, oldest first. They are durable. */
  get sealed(): readonly Segment[] {
    return this.#sealed;
  }

  /** Answers the offset of the first record. Throws what the file system throws. */
  append(batches: readonly EncodedBatch[]): Offset {
    const firstOffset = this.#state.next;
    for (const batch of batches) {
      if (this.#isFull(batch.bytes.length)) this.#seal();
      this.#write(batch);
    }
    return firstOffset;
  }

  /** Makes durable what the last segment holds; the others are. */
  sync(): void {
    if (this.#fd === null) return;
    fdatasyncSync(this.#fd);
    this.#state = { ...this.#state, syncedBytes: this.#state.segmentBytes };
  }

  release(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #write({ bytes, records }: EncodedBatch): void {
    const { next, segmentBytes, segmentSinceMs } = this.#state;
    stampBatch(bytes, { firstOffset: next, storedAtMs: this.#nowMs });
    writeWhole(this.#openSegment(), bytes, segmentBytes);
    this.#state = {
      ...this.#state,
      next: advance(next, records),
      segmentBytes: segmentBytes + bytes.length,
      lastBatchAt: segmentBytes,
      segmentSinceMs: segmentBytes === 0 ? this.#nowMs : segmentSinceMs,
      storedAtMs: this.#nowMs,
    };
  }

  #isFull(moreBytes: number): boolean {
    const { segmentBytes, segmentSinceMs } = this.#state;
    if (segmentBytes === 0) return false;
    const isOld = this.#limits.ageMs !== undefined && this.#nowMs - segmentSinceMs >= this.#limits.ageMs;
    return isOld || segmentBytes + moreBytes > this.#limits.bytes;
  }

  #openSegment(): number {
    const { segmentOffset, segmentBytes } = this.#state;
    const path = this.#files.path(this.#state, segmentOffset);
    this.#fd ??= segmentBytes === 0 ? this.#newSegment(path) : openSync(path, 'r+');
    return this.#fd;
  }

  #newSegment(path: string): number {
    this.#files.forget(path);
    return newSegment(path);
  }

  /** Synced whatever the log's mode: only the last segment of a queue may have lost its end when the power comes back. */
  #seal(): void {
    fdatasyncSync(this.#openSegment());
    this.release();
    this.#sealed.push(lastSegment(this.#state));
    this.#state = { ...this.#state, segmentOffset: this.#state.next, segmentBytes: 0, syncedBytes: 0, lastBatchAt: 0 };
  }
}

/** The machine may write less than asked, as where the disk is full; the rest then fails with the reason. */
function writeWhole(fd: number, bytes: Buffer, position: number): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(fd, bytes, written, bytes.length - written, position + written);
}
