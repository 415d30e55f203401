/**
 * Bytes of a file as lines, in memory that does not grow with the file.
 *
 * How lines are told apart does not depend on how the bytes come in: each line ends behind its line feed, and one that is longer
 * than `lineBytesMax` ends there, with what is left of it skipped. So the end of a line is the same whenever it is read again.
 */
import { isUtf8 } from 'node:buffer';
import { assert } from '../../../core/assert.ts';
import { type Footprint, stepped } from './footprint.ts';

const LINE_FEED = 0x0a;
const NO_BYTES = Buffer.alloc(0);

export interface Line {
  /** Without its line feed. */
  readonly bytes: Buffer;
  /** Behind it, its line feed included: where to resume. */
  readonly end: number;
  /** Not of a line that is too long, or was taken before its end came. */
  readonly hasFeed: boolean;
  /** Whether the line goes on beyond what is allowed; `bytes` are its beginning. */
  readonly isTooLong: boolean;
  readonly isUtf8: boolean;
}

/** Where to resume. */
export interface LineState {
  /** Up to the next byte to be taken. */
  readonly footprint: Footprint;
  /** The rest of a line that was too long is still to be skipped. */
  readonly skips: boolean;
  /** The last line was taken before its line feed had come. */
  readonly isOpen: boolean;
}

export class LineBuffer {
  readonly #lineBytesMax: number;
  #bytes: Buffer = NO_BYTES;
  /** Up to the first of `#bytes`. */
  #before: Footprint;
  /** Into `#bytes`: the next byte to be taken, and up to where no line feed was found. */
  #at = 0;
  #scanned = 0;
  #offset: number;
  #skips: boolean;
  #isOpen: boolean;
  /** Whether everything up to the last line feed is UTF-8, which is much cheaper to ask at once than line by line. */
  #isAllUtf8 = false;

  constructor({ footprint, skips, isOpen }: LineState, { lineBytesMax }: { readonly lineBytesMax: number }) {
    this.#lineBytesMax = lineBytesMax;
    this.#before = footprint;
    this.#offset = footprint.offset;
    this.#skips = skips;
    this.#isOpen = isOpen;
  }

  get state(): LineState {
    return { footprint: this.#taken, skips: this.#skips, isOpen: this.#isOpen };
  }

  /** Bytes that belong to no whole line yet. */
  get pending(): number {
    return this.#bytes.length - this.#at;
  }

  /** Where the next bytes are to be read from. */
  get readOffset(): number {
    return this.#offset + this.pending;
  }

  /** Of all that was read, up to there. */
  get read(): Footprint {
    return stepped(this.#before, this.#bytes);
  }

  get #taken(): Footprint {
    return stepped(this.#before, this.#bytes.subarray(0, this.#at));
  }

  /** `chunk` is kept, and handed out as parts of lines: nobody may write to it again. */
  add(chunk: Buffer): void {
    this.#scanned -= this.#at;
    this.#before = this.#taken;
    this.#bytes = this.pending === 0 ? chunk : Buffer.concat([this.#bytes.subarray(this.#at), chunk]);
    this.#at = 0;
    this.#isAllUtf8 = isUtf8(this.#bytes.subarray(0, this.#bytes.lastIndexOf(LINE_FEED) + 1));
  }

  /** The next line, without taking it; `null`: more bytes are needed. */
  peek(): Line | null {
    if (!this.#isReady()) return null;
    const found = this.#bytes.indexOf(LINE_FEED, Math.max(this.#scanned, this.#at));
    const length = (found < 0 ? this.#bytes.length : found) - this.#at;
    if (length > this.#lineBytesMax) return this.#line(this.#lineBytesMax, { takes: this.#lineBytesMax, isTooLong: true });
    if (found >= 0) return this.#line(length, { takes: length + 1, isTooLong: false });
    this.#scanned = this.#bytes.length;
    return null;
  }

  take({ end, isTooLong }: Line): void {
    const taken = end - this.#offset;
    assert(taken > 0 && taken <= this.pending, 'a line is taken that was peeked at');
    this.#drop(taken);
    this.#skips = isTooLong;
    this.#isOpen = false;
  }

  /** What there is of a line that nobody will end, or not soon; `null` where there is nothing. */
  takeOpen(): Line | null {
    if (!this.#isReady() || this.pending === 0) return null;
    const line = this.#line(this.pending, { takes: this.pending, isTooLong: false });
    this.#drop(this.pending);
    this.#isOpen = true;
    return line;
  }

  /** Skips what is to be skipped; `false` where its end has not come yet. */
  #isReady(): boolean {
    if (this.#skips) {
      const end = this.#bytes.indexOf(LINE_FEED, this.#at);
      this.#drop((end < 0 ? this.#bytes.length : end + 1) - this.#at);
      this.#skips = end < 0;
      if (this.#skips) return false;
    }
    if (this.#isOpen && this.#bytes[this.#at] === LINE_FEED) {
      this.#drop(1);
      this.#isOpen = false;
    }
    return true;
  }

  #drop(count: number): void {
    this.#at += count;
    this.#offset += count;
    if (this.#scanned < this.#at) this.#scanned = this.#at;
  }

  #line(length: number, { takes, isTooLong }: { readonly takes: number; readonly isTooLong: boolean }): Line {
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    const hasFeed = takes > length;
    return { bytes, end: this.#offset + takes, hasFeed, isTooLong, isUtf8: (hasFeed && this.#isAllUtf8) || isUtf8(bytes) };
  }
}
