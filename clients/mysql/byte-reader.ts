/**
 * Reads the integers and texts of MySQL's protocol, least significant byte first, from a stretch of a buffer. One reader moves from
 * packet to packet, so that none is allocated for each.
 */
export class ByteReader {
  at = 0;
  end = 0;
  buffer: Buffer = NOTHING;
  #view: DataView = new DataView(NOTHING.buffer, NOTHING.byteOffset, 0);

  /** From here on it reads this stretch. */
  take(buffer: Buffer, from = 0, to = buffer.length): this {
    if (buffer !== this.buffer) {
      this.buffer = buffer;
      this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
    }
    this.at = from;
    this.end = to;
    return this;
  }

  get left(): number {
    return this.end - this.at;
  }

  uint8(): number {
    const value = this.#view.getUint8(this.at);
    this.at += 1;
    return value;
  }

  int8(): number {
    const value = this.#view.getInt8(this.at);
    this.at += 1;
    return value;
  }

  uint16(): number {
    const value = this.#view.getUint16(this.at, true);
    this.at += 2;
    return value;
  }

  int16(): number {
    const value = this.#view.getInt16(this.at, true);
    this.at += 2;
    return value;
  }

  uint24(): number {
    const value = this.#view.getUint16(this.at, true) | (this.#view.getUint8(this.at + 2) << 16);
    this.at += 3;
    return value;
  }

  int24(): number {
    return (this.uint24() << 8) >> 8;
  }

  uint32(): number {
    const value = this.#view.getUint32(this.at, true);
    this.at += 4;
    return value;
  }

  int32(): number {
    const value = this.#view.getInt32(this.at, true);
    this.at += 4;
    return value;
  }

  uint48(): number {
    const low = this.uint32();
    return low + this.uint16() * 2 ** 32;
  }

  uint64(): bigint {
    const value = this.#view.getBigUint64(this.at, true);
    this.at += 8;
    return value;
  }

  int64(): bigint {
    const value = this.#view.getBigInt64(this.at, true);
    this.at += 8;
    return value;
  }

  float32(): number {
    const value = this.#view.getFloat32(this.at, true);
    this.at += 4;
    return value;
  }

  float64(): number {
    const value = this.#view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  /** Of so many bytes, at most six, the most significant first. */
  bigEndian(bytes: number): number {
    let value = 0;
    for (const end = this.at + bytes; this.at < end; this.at += 1) value = value * 256 + this.#view.getUint8(this.at);
    return value;
  }

  /** Of so many bytes, at most four, the least significant first. */
  littleEndian(bytes: number): number {
    switch (bytes) {
      case 1:
        return this.uint8();
      case 2:
        return this.uint16();
      case 3:
        return this.uint24();
      default:
        return this.uint32();
    }
  }

  /** A length, as the protocol packs it. @throws {Error} for one that no memory holds. */
  length(): number {
    const first = this.uint8();
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.uint16();
    if (first === 0xfd) return this.uint24();
    const value = this.uint64();
    if (first !== 0xfe || value > MEMORY_BYTES_MAX) throw new Error(`a length of ${first}, ${value}`);
    return Number(value);
  }

  skip(bytes: number): void {
    this.at += bytes;
  }

  /** A view of the buffer, not a copy. @throws {Error} where they are not there. */
  bytes(count: number): Buffer {
    const from = this.at;
    this.at += count;
    if (this.at > this.end) throw new Error(`${count} bytes where ${this.end - from} are left`);
    return this.buffer.subarray(from, this.at);
  }

  utf8(bytes: number): string {
    const from = this.at;
    this.at += bytes;
    if (this.at > this.end) throw new Error(`text of ${bytes} bytes where ${this.end - from} are left`);
    return this.buffer.toString('utf8', from, this.at);
  }

  /** Up to a zero byte, which is read too; or up to the end. */
  utf8ToZero(): string {
    const zero = this.buffer.indexOf(0, this.at);
    const isThere = zero >= 0 && zero < this.end;
    const text = this.utf8((isThere ? zero : this.end) - this.at);
    if (isThere) this.at += 1;
    return text;
  }
}

const NOTHING = Buffer.alloc(0);

/** More than any packet of a server that was ever made: `max_allowed_packet` ends at 1 GiB. */
const MEMORY_BYTES_MAX = 2n ** 31n;
