/** Cuts a stream of bytes into frames, wherever the stream is cut. */

/** Far above what a broker answers (256 KiB by default, 4 MiB for one message) and Java's own limit for what comes in. */
const FRAME_BYTES_MAX = 16 * 1024 * 1024;

/** A header's kind and length. */
const FRAME_BYTES_MIN = 4;

const LENGTH_BYTES = 4;

/**
 * Each frame gets memory of its own, of its size, as soon as its length is known, and every byte is copied once: a broker's answer
 * is one piece however the network cut it, keeps alive only itself, and the buffer of the socket can be used again.
 */
export class FrameReader {
  readonly #onFrame: (frame: Buffer) => void;
  #length = 0;
  #lengthBytes = 0;
  #frame: Buffer | null = null;
  #filled = 0;

  /** Told of each frame without its length. */
  constructor(onFrame: (frame: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  /** @throws {Error} when the bytes are not those of the protocol; nothing may be pushed after that. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) at = this.#frame === null ? this.#readLength(chunk, at) : this.#fill(this.#frame, chunk, at);
  }

  #readLength(chunk: Uint8Array, from: number): number {
    let at = from;
    while (this.#lengthBytes < LENGTH_BYTES && at < chunk.length) {
      this.#length = (this.#length << 8) | (chunk[at] ?? 0);
      this.#lengthBytes += 1;
      at += 1;
    }
    if (this.#lengthBytes === LENGTH_BYTES) this.#begin();
    return at;
  }

  #begin(): void {
    if (this.#length < FRAME_BYTES_MIN || this.#length > FRAME_BYTES_MAX) {
      throw new Error(`an answer of ${this.#length} bytes, which is none of RocketMQ's`);
    }
    this.#frame = Buffer.allocUnsafeSlow(this.#length);
    this.#filled = 0;
    this.#length = 0;
    this.#lengthBytes = 0;
  }

  #fill(frame: Buffer, chunk: Uint8Array, at: number): number {
    const bytes = Math.min(frame.length - this.#filled, chunk.length - at);
    frame.set(bytes === chunk.length ? chunk : chunk.subarray(at, at + bytes), this.#filled);
    this.#filled += bytes;
    if (this.#filled === frame.length) {
      this.#frame = null;
      this.#onFrame(frame);
    }
    return at + bytes;
  }
}
