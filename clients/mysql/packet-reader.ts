/**
 * Cuts a stream of bytes into packets: 3 bytes of length, one that counts them, and the payload. What is longer than 16 MiB goes in
 * several, all full but the last.
 *
 * Packets are views of what came from the socket: nothing is copied but those that the network cut, or the protocol.
 */
import { ByteReader } from './byte-reader.ts';

const HEADER_BYTES = 4;

/** A packet of this length goes on in the next one. */
const FULL_BYTES = 2 ** 24 - 1;

export class PacketReader {
  /** Stands on the packet that was reached last. */
  readonly packet = new ByteReader();
  /** What the other side counted it as, for an answer. */
  sequence = 0;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  readonly #more: Buffer[] = [];
  #moreBytes = 0;

  /** Bytes that are here and not read yet. */
  get waitingBytes(): number {
    return this.#chunk.length - this.#at + this.#moreBytes;
  }

  push(chunk: Buffer): void {
    this.#more.push(chunk);
    this.#moreBytes += chunk.length;
  }

  /** `false`: the next packet is not here as a whole. */
  advance(): boolean {
    if (!this.#gather(HEADER_BYTES)) return false;
    const length = this.#chunk.readUIntLE(this.#at, 3);
    if (length === FULL_BYTES) return this.#advanceLong();
    if (!this.#gather(HEADER_BYTES + length)) return false;
    this.#move(length);
    return true;
  }

  #move(length: number): void {
    this.sequence = this.#chunk[this.#at + 3] ?? 0;
    const from = this.#at + HEADER_BYTES;
    this.#at = from + length;
    this.packet.take(this.#chunk, from, this.#at);
  }

  #advanceLong(): boolean {
    let bytes = 0;
    for (let length = FULL_BYTES; length === FULL_BYTES; bytes += HEADER_BYTES + length) {
      if (!this.#gather(bytes + HEADER_BYTES)) return false;
      length = this.#chunk.readUIntLE(this.#at + bytes, 3);
      if (!this.#gather(bytes + HEADER_BYTES + length)) return false;
    }
    const pieces: Buffer[] = [];
    for (const end = this.#at + bytes; this.#at < end; ) {
      this.#move(this.#chunk.readUIntLE(this.#at, 3));
      pieces.push(this.#chunk.subarray(this.packet.at, this.packet.end));
    }
    this.packet.take(Buffer.concat(pieces));
    return true;
  }

  /** So many bytes in one piece from where it stands. Copies once they are all here, not before. */
  #gather(bytes: number): boolean {
    const here = this.#chunk.length - this.#at;
    if (here >= bytes) return true;
    if (here + this.#moreBytes < bytes) return false;
    const pieces = [this.#chunk.subarray(this.#at)];
    for (let gathered = here; gathered < bytes; ) {
      const piece = this.#more.shift() as Buffer;
      pieces.push(piece);
      gathered += piece.length;
      this.#moreBytes -= piece.length;
    }
    // What is left of the last piece comes along: it is one reading of the socket, or a packet of its own.
    this.#chunk = here === 0 && pieces.length === 2 ? (pieces[1] as Buffer) : Buffer.concat(pieces);
    this.#at = 0;
    return true;
  }
}
