/** Events that say which transaction begins. */
import type { ByteReader } from '../mysql/byte-reader.ts';
import type { Gtid } from './gtid.ts';
import { UnreadableBinlog } from './unreadable.ts';

export interface GtidEvent {
  /** `null`: the server gives its transactions no names. */
  readonly gtid: Gtid | null;
  /** When this server committed it, in microseconds since 1970; `null` where it does not say. */
  readonly committedAtUs: number | null;
  /** Whether what follows belongs together until it is committed; otherwise that is said later, or it is one statement. */
  readonly isOpen: boolean;
}

const UUID_BYTES = 16;

/** What stands in a GTID event for "numbers of the group commit follow". */
const LOGICAL_CLOCK = 2;

/** MySQL's GTID and ANONYMOUS_GTID. https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Gtid__event.html, read 2026-11-26 */
export class MysqlGtidEvents {
  /** Most transactions are of the source of the one before. */
  readonly #lastUuid = Buffer.alloc(UUID_BYTES);
  #lastSource = '00000000-0000-0000-0000-000000000000';

  read(bytes: ByteReader, isAnonymous: boolean): GtidEvent {
    bytes.skip(1);
    const source = this.#source(bytes);
    const number = Number(bytes.int64());
    const gtid = isAnonymous ? null : { source, number, text: `${source}:${number}` };
    const hasTime = bytes.left >= 1 + 16 + 7 && bytes.uint8() === LOGICAL_CLOCK;
    if (!hasTime) return { gtid, committedAtUs: null, isOpen: false };
    bytes.skip(16);
    // Seven bytes; the highest bit says that the time of another server follows.
    const low = bytes.uint32();
    const high = bytes.uint24() & 0x7f_ffff;
    return { gtid, committedAtUs: high * 2 ** 32 + low, isOpen: false };
  }

  #source(bytes: ByteReader): string {
    const { buffer, at } = bytes;
    bytes.skip(UUID_BYTES);
    if (buffer.compare(this.#lastUuid, 0, UUID_BYTES, at, at + UUID_BYTES) !== 0) {
      buffer.copy(this.#lastUuid, 0, at, at + UUID_BYTES);
      this.#lastSource = uuidText(this.#lastUuid);
    }
    return this.#lastSource;
  }
}

/**
 * MySQL's GTID_TAGGED, a message of numbered fields: flags, uuid, number, tag, and others that are not needed.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/PageLibsMysqlSerialization.html, read 2026-11-26
 */
export function readTaggedGtid(bytes: ByteReader): GtidEvent {
  const version = variableInteger(bytes);
  // Behind the size stands the last field that must be understood.
  variableInteger(bytes);
  const required = variableInteger(bytes);
  if (version !== 1n || required > 12n) {
    throw new UnreadableBinlog(`a tagged GTID of version ${version}`, 'report the version of the server');
  }
  const Field = { FLAGS: 0, UUID: 1, NUMBER: 2, TAG: 3, LAST_COMMITTED: 4, SEQUENCE: 5, COMMITTED_AT: 6 } as const;
  const uuid = Buffer.alloc(UUID_BYTES);
  let number = 0;
  let tag = '';
  let committedAtUs: number | null = null;
  while (bytes.left > 0) {
    const field = Number(variableInteger(bytes));
    if (field > Field.COMMITTED_AT) break;
    if (field === Field.UUID) for (let index = 0; index < UUID_BYTES; index += 1) uuid[index] = Number(variableInteger(bytes));
    else if (field === Field.NUMBER) number = Number(signedInteger(bytes));
    else if (field === Field.TAG) tag = bytes.utf8(Number(variableInteger(bytes)));
    else if (field === Field.COMMITTED_AT) committedAtUs = Number(variableInteger(bytes));
    else variableInteger(bytes);
  }
  const source = tag === '' ? uuidText(uuid) : `${uuidText(uuid)}:${tag}`;
  return { gtid: { source, number, text: `${source}:${number}` }, committedAtUs, isOpen: false };
}

const STANDS_ALONE = 1;

/** https://mariadb.com/kb/en/gtid_event/, read 2026-11-26 */
export function readMariadbGtid(bytes: ByteReader, serverId: number): GtidEvent {
  const sequence = bytes.uint64();
  const domain = bytes.uint32();
  const isOpen = (bytes.uint8() & STANDS_ALONE) === 0;
  const gtid = { source: String(domain), number: Number(sequence), text: `${domain}-${serverId}-${sequence}` };
  return { gtid, committedAtUs: null, isOpen };
}

function uuidText(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Ones at the end of the first byte count the bytes that follow; the first one's other bits are the lowest. */
function variableInteger(bytes: ByteReader): bigint {
  const first = bytes.uint8();
  let more = 0;
  while (more < 8 && ((first >> more) & 1) === 1) more += 1;
  if (more === 8) return bytes.uint64();
  let rest = 0n;
  for (let index = 0; index < more; index += 1) rest |= BigInt(bytes.uint8()) << BigInt(8 * index);
  return BigInt(first >> (more + 1)) | (rest << BigInt(7 - more));
}

function signedInteger(bytes: ByteReader): bigint {
  const packed = variableInteger(bytes);
  return (packed & 1n) === 1n ? -(packed >> 1n) - 1n : packed >> 1n;
}
