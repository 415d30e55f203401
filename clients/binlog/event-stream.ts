/** What a server sends of its log, event by event, and where each stands in it. */
import { crc32 } from 'node:zlib';
import { ByteReader } from '../mysql/byte-reader.ts';
import type { MysqlConnection } from '../mysql/mysql-connection.ts';
import { MysqlProtocolError } from '../mysql/mysql-failure.ts';
import { isEnd, isRefusal, refusalIn } from '../mysql/result-packets.ts';
import type { BinlogPlace } from './binlog-events.ts';
import { ARTIFICIAL_FLAG, type EventHeader, readEventHeader, SIZE_AT } from './event-header.ts';
import { EventType } from './event-type.ts';
import { unpackTransaction } from './packed-events.ts';
import { UnreadableBinlog } from './unreadable.ts';

/** Positions in headers have 32 bits; a file with a large transaction may be longer. */
const POSITION_MODULUS = 2 ** 32;

const CHECKSUM_BYTES = 4;
const CHECKSUM_NONE = 0;

export class EventStream {
  /** Of the event that was reached. */
  header: EventHeader = { type: 0, atSeconds: 0, serverId: 0, size: 0, end: 0, flags: 0 };
  /** Stands behind the header. */
  bytes: ByteReader;
  readonly #connection: MysqlConnection;
  readonly #follows: boolean;
  #file: string;
  #position: number;
  /** In that file, up to where the server has nothing to send. */
  #silentUpTo = 0;
  /** `null`: the server did not say yet. */
  #hasChecksums: boolean | null = null;
  /** Events of a packed transaction. */
  #unpacked: ByteReader | null = null;
  #isAtEnd = false;

  constructor(connection: MysqlConnection, { from, follows }: { readonly from: BinlogPlace; readonly follows: boolean }) {
    this.#connection = connection;
    this.#follows = follows;
    this.#file = from.file;
    this.#position = from.position;
    this.bytes = connection.packet;
  }

  get isAtEnd(): boolean {
    return this.#isAtEnd;
  }

  /** Where the event that was reached ends. */
  get end(): BinlogPlace {
    return { file: this.#file, position: this.#position };
  }

  /** The same, or behind it, where the server said since that it leaves out what follows. `null`: it has not said where it begins. */
  get reached(): BinlogPlace | null {
    return this.#file === '' ? null : { file: this.#file, position: Math.max(this.#position, this.#silentUpTo) };
  }

  /** Where it begins; `null` where that is not known, as within a packed transaction. */
  get start(): number | null {
    return this.header.end === 0 || this.#unpacked !== null ? null : this.#position - this.header.size;
  }

  /** Moves to the next event; what was read of the one before is gone. `false`: it is not here yet, or there is none. */
  advance(): boolean {
    if (this.#advanceUnpacked()) return true;
    if (this.#isAtEnd || !this.#connection.advance()) return false;
    const { packet } = this.#connection;
    if (isRefusal(packet)) throw refusalIn(packet);
    if (isEnd(packet)) return this.#endHere();
    packet.skip(1);
    const { at } = packet;
    this.bytes = packet;
    this.header = readEventHeader(packet);
    const isChecked = this.#hasChecksums !== false || this.header.type === EventType.FORMAT_DESCRIPTION;
    const hasChecksum = isChecked && this.#takeOffChecksum(packet, at);
    this.#note(packet, hasChecksum);
    return this.header.type === EventType.TRANSACTION_PAYLOAD ? this.#unpack(packet) : true;
  }

  #advanceUnpacked(): boolean {
    const unpacked = this.#unpacked;
    if (unpacked === null) return false;
    const at = unpacked.end;
    if (at === unpacked.buffer.length) {
      this.#unpacked = null;
      return false;
    }
    this.bytes = unpacked.take(unpacked.buffer, at, at + unpacked.buffer.readUInt32LE(at + SIZE_AT));
    this.header = readEventHeader(this.bytes);
    return true;
  }

  #unpack(packet: ByteReader): boolean {
    this.#unpacked = new ByteReader().take(unpackTransaction(packet), 0, 0);
    return this.#advanceUnpacked();
  }

  #endHere(): false {
    if (this.#follows) throw new MysqlProtocolError('the server ended a log that is followed');
    this.#isAtEnd = true;
    this.#connection.close('the log was read to its end');
    return false;
  }

  /**
   * Whether there was one. What begins a file, or says that another comes, may have none, or one that says nothing.
   *
   * @throws {UnreadableBinlog} where it does not fit.
   */
  #takeOffChecksum(packet: ByteReader, from: number): boolean {
    const { type, flags } = this.header;
    const end = packet.end - CHECKSUM_BYTES;
    const fits = end > packet.at && crc32(packet.buffer.subarray(from, end)) === packet.buffer.readUInt32LE(end);
    if (fits) packet.end = end;
    const isBeginning = type === EventType.FORMAT_DESCRIPTION || (flags & ARTIFICIAL_FLAG) !== 0;
    if (!fits && this.#hasChecksums === true && !isBeginning) {
      throw new UnreadableBinlog('an event whose checksum does not fit', CHECK_DISK);
    }
    return fits;
  }

  /** Where it stands, and what it says of those that follow. */
  #note(packet: ByteReader, hasChecksum: boolean): void {
    const { type, flags, end } = this.header;
    if (end !== 0 && (flags & ARTIFICIAL_FLAG) === 0 && type !== EventType.HEARTBEAT) this.#moveTo(end);
    // It always ends with how events are checked, and four bytes that may say nothing.
    const kindAt = packet.end - (hasChecksum ? 1 : 1 + CHECKSUM_BYTES);
    if (type === EventType.FORMAT_DESCRIPTION) this.#hasChecksums = packet.buffer[kindAt] !== CHECKSUM_NONE;
    if (type === EventType.HEARTBEAT && packet.utf8(packet.left) === this.#file) this.#silentUpTo = end;
    if (type !== EventType.ROTATE) return;
    this.#silentUpTo = 0;
    this.#position = Number(packet.uint64());
    this.#file = packet.utf8(packet.left);
  }

  #moveTo(end: number): void {
    const high = this.#position - (this.#position % POSITION_MODULUS);
    this.#position = high + end >= this.#position ? high + end : high + POSITION_MODULUS + end;
  }
}

const CHECK_DISK = 'check the disk of the server, and the network between: what it logged is damaged';
