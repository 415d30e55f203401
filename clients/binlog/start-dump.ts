/** Asks a server for its log, as a replica does. */
import type { MysqlConnection } from '../mysql/mysql-connection.ts';
import type { BinlogPlace } from './binlog-events.ts';
import { MariadbGtidSet } from './mariadb-gtid-set.ts';
import { MysqlGtidSet } from './mysql-gtid-set.ts';

export interface DumpOptions {
  /** Known to the server as one replica: of two with the same number it lets the older one go. */
  readonly serverId: number;
  /** A place in a file, or the transactions that are not wanted. */
  readonly from: BinlogPlace | MysqlGtidSet | MariadbGtidSet;
  /** Waits for what comes; otherwise the end is the end. */
  readonly follows: boolean;
  /** The place is one within a transaction. */
  readonly isInTransaction?: boolean;
}

const COMMAND_DUMP = 0x12;
const COMMAND_DUMP_GTID = 0x1e;

const FLAG_ENDS = 1;

/** How often a server says that there is nothing: whoever went is noticed by then, too. */
const HEARTBEAT_NS = 1_000_000_000n;

/** A replica that understands MariaDB's GTIDs. */
const MARIADB_CAPABILITY = 4;

/** Positions from here on cannot be said. */
export const POSITION_END = 2 ** 32;

/** Where a file's first event stands. */
const FIRST_POSITION = 4;

export async function startDump(connection: MysqlConnection, { serverId, from, follows }: DumpOptions): Promise<void> {
  await connection.query(
    `SET ${Object.entries(variables(connection, from))
      .map(([name, value]) => `@${name} = ${value}`)
      .join(', ')}`,
  );
  const flags = follows ? 0 : FLAG_ENDS;
  connection.command(from instanceof MysqlGtidSet ? dumpBehind(from, { flags, serverId }) : dumpFrom(from, { flags, serverId }));
}

function variables({ server }: MysqlConnection, from: DumpOptions['from']): Readonly<Record<string, string>> {
  return {
    // A server without checksums sends none.
    master_binlog_checksum: "'CRC32'",
    source_binlog_checksum: "'CRC32'",
    master_heartbeat_period: String(HEARTBEAT_NS),
    source_heartbeat_period: String(HEARTBEAT_NS),
    ...(server.isMariadb && { mariadb_slave_capability: String(MARIADB_CAPABILITY) }),
    ...(from instanceof MariadbGtidSet && { slave_connect_state: `'${from}'`, slave_gtid_strict_mode: '1' }),
  };
}

/** The file and the position say nothing to MariaDB once it knows a set of GTIDs. */
function dumpFrom(from: BinlogPlace | MariadbGtidSet, { flags, serverId }: { flags: number; serverId: number }): Buffer {
  const { file, position } = from instanceof MariadbGtidSet ? { file: '', position: FIRST_POSITION } : from;
  if (position >= POSITION_END) throw new RangeError(`position ${position} of ${file} is too large to be asked for`);
  const head = Buffer.allocUnsafe(11);
  head.writeUInt8(COMMAND_DUMP, 0);
  head.writeUInt32LE(position, 1);
  head.writeUInt16LE(flags, 5);
  head.writeUInt32LE(serverId, 7);
  return Buffer.concat([head, Buffer.from(file)]);
}

function dumpBehind(gtids: MysqlGtidSet, { flags, serverId }: { flags: number; serverId: number }): Buffer {
  const set = gtids.encode();
  const head = Buffer.allocUnsafe(23);
  head.writeUInt8(COMMAND_DUMP_GTID, 0);
  head.writeUInt16LE(flags, 1);
  head.writeUInt32LE(serverId, 3);
  head.writeUInt32LE(0, 7);
  head.writeBigUInt64LE(BigInt(FIRST_POSITION), 11);
  head.writeUInt32LE(set.length, 19);
  return Buffer.concat([head, set]);
}
