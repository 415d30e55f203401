/**
 * Undoes LZ4's frame format, as producers of RocketMQ write it: a frame is a head and blocks, a block is runs of bytes that stand there
 * and copies of bytes that came before. https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md and lz4_Block_format.md, read
 * 2026-11-26. Checksums are passed over: the broker has its own of the message.
 *
 *     uint32 magic | flags | block size | [uint64 bytes in all] | [uint32 dictionary] | checksum of the head
 *     blocks: uint32 bytes, the highest bit for one that is not compressed | bytes | [uint32 checksum]; a size of 0 ends them
 */
const MAGIC = 0x184d2204;

/** Bits of the flags. */
const BLOCK_CHECKSUM = 0x10;
const CONTENT_SIZE = 0x08;
const DICTIONARY = 0x01;

const NOT_COMPRESSED = 0x8000_0000;

const SHORTEST_COPY = 4;

/** A length of 15 goes on behind its token, in bytes of which each but the last is 255. */
const LENGTH_GOES_ON = 15;

/** @throws {Error} where it is no such frame, or holds more than `bytesMax`. */
export function lz4Decompress(frame: Uint8Array, bytesMax: number): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (frame.length < 7 || view.getUint32(0, true) !== MAGIC) throw new Error('no LZ4 frame');
  const flags = view.getUint8(4);
  if ((flags & DICTIONARY) !== 0) throw new Error('it needs a dictionary');
  const output = new Output(bytesMax);
  let at = (flags & CONTENT_SIZE) === 0 ? 7 : 15;
  for (;;) {
    const size = view.getUint32(at, true);
    if (size === 0) return output.bytes();
    const block = frame.subarray(at + 4, at + 4 + (size & ~NOT_COMPRESSED));
    if ((size & NOT_COMPRESSED) === 0) decodeBlock(block, output);
    else output.append(block);
    at += 4 + block.length + ((flags & BLOCK_CHECKSUM) === 0 ? 0 : 4);
  }
}

function decodeBlock(block: Uint8Array, output: Output): void {
  let at = 0;
  const byte = (): number => {
    const next = block[at];
    if (next === undefined) throw new Error('a block ends too early');
    at += 1;
    return next;
  };
  const length = (begun: number): number => {
    let all = begun;
    for (let more = begun === LENGTH_GOES_ON ? 255 : 0; more === 255; all += more) more = byte();
    return all;
  };
  while (at < block.length) {
    const token = byte();
    const plain = length(token >> 4);
    if (at + plain > block.length) throw new Error('a block ends too early');
    output.append(block.subarray(at, at + plain));
    at += plain;
    // The last run has no copy behind it.
    if (at === block.length) return;
    const distance = byte() | (byte() << 8);
    output.copy(distance, length(token & 0xf) + SHORTEST_COPY);
  }
}

/** What came out so far: blocks may copy from the ones before. */
class Output {
  readonly #bytesMax: number;
  #bytes = new Uint8Array(4_096);
  #length = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  append(bytes: Uint8Array): void {
    this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** What is copied may reach into what it makes. */
  copy(distance: number, count: number): void {
    if (distance === 0 || distance > this.#length) throw new Error('a copy begins before all that came');
    this.#grow(count);
    const end = this.#length + count;
    for (; this.#length < end; this.#length += 1) this.#bytes[this.#length] = this.#bytes[this.#length - distance] as number;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(count: number): void {
    const wanted = this.#length + count;
    if (wanted > this.#bytesMax) throw new Error(`it holds more than ${this.#bytesMax} bytes`);
    if (wanted <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.min(Math.max(wanted, this.#bytes.length * 2), this.#bytesMax));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
