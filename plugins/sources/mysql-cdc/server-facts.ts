/** What a server says of itself and of its log. */
import type { BinlogPlace } from '../../../clients/binlog/binlog-events.ts';
import type { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import { MysqlRefusal } from '../../../clients/mysql/mysql-failure.ts';
import { FatalTaskError } from '../../../core/errors.ts';

/** Of a file, where its first event stands. */
const FIRST_POSITION = 4;

export interface LogPlace {
  readonly place: BinlogPlace;
  /** Transactions before that, as the server prints them; `null` where it gives them no names. */
  readonly gtids: string | null;
}

/** A server says so of words that it does not know. */
const SYNTAX_ERROR = 1_064;

/** The same as long as it is the same server: MySQL's uuid; of MariaDB, which has none, where and as what it runs. */
export async function serverIdentity(connection: MysqlConnection): Promise<string> {
  const sql = connection.server.isMariadb
    ? "SELECT CONCAT_WS(':', @@global.server_id, @@hostname, @@port)"
    : 'SELECT @@global.server_uuid';
  const [[identity] = []] = await connection.query(sql);
  return identity ?? '';
}

export interface NamingFacts {
  /** What it logs changes with. */
  readonly number: bigint;
  /** Names of databases and tables are kept in small letters, however they are written. */
  readonly foldsNames: boolean;
}

export async function namingFacts(connection: MysqlConnection): Promise<NamingFacts> {
  const [[number, folding] = []] = await connection.query('SELECT @@global.server_id, @@global.lower_case_table_names');
  return { number: BigInt(number ?? 0), foldsNames: folding === '1' };
}

/**
 * GTIDs of MySQL's transactions that are on their way: each is given before it is in the log, and kept until all others see what it did.
 * `''`: of none.
 */
export async function gtidsOnTheirWay(connection: MysqlConnection): Promise<string> {
  const [[owned] = []] = await connection.query('SELECT @@global.gtid_owned');
  // `uuid:5#12:6#13uuid:tag:1#14`, each with the thread that has it, and nothing between what two uuids have.
  const begins = [...(owned ?? '').matchAll(UUID)].map(({ index }) => index);
  const sources = begins.map((begin, index) => (owned ?? '').slice(begin, begins[index + 1]));
  return sources.map((source) => source.replace(/#\d+/g, '')).join(',');
}

const UUID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}(?=:)/gi;

/**
 * Of the transactions before that place, those that are named were seen by others; the rest is on its way.
 *
 * @throws {FatalTaskError} where there is no log.
 */
export async function logEnd(connection: MysqlConnection): Promise<LogPlace> {
  const [row] = await statusRows(connection);
  if (row === undefined) {
    throw new FatalTaskError('the server keeps no binary log; next: start it with log_bin', { code: 'source.misconfigured' });
  }
  const [file, position, , , executed] = row;
  const place = { file: file ?? '', position: Number(position) };
  if (!connection.server.isMariadb)
    return { place, gtids: (await hasGtids(connection)) ? (executed ?? '').replaceAll('\n', '') : null };
  const [[gtids] = []] = await connection.query(`SELECT BINLOG_GTID_POS('${place.file}', ${place.position})`);
  return { place, gtids: gtids ?? '' };
}

/** Of the log, those that the server still has, in their order. */
export async function logFiles(connection: MysqlConnection): Promise<readonly string[]> {
  return (await connection.query('SHOW BINARY LOGS')).map(([file]) => file ?? '');
}

/** The first change that the log still has. */
export async function logBeginning(connection: MysqlConnection): Promise<LogPlace> {
  const [file = ''] = await logFiles(connection);
  const place = { file, position: FIRST_POSITION };
  const { isMariadb } = connection.server;
  const sql = isMariadb ? `SELECT BINLOG_GTID_POS('${place.file}', ${place.position})` : 'SELECT @@global.gtid_purged';
  const [[gtids] = []] = await connection.query(sql);
  return { place, gtids: (await hasGtids(connection)) ? (gtids ?? '').replaceAll('\n', '') : null };
}

/** Whether all transactions have names. */
async function hasGtids(connection: MysqlConnection): Promise<boolean> {
  if (connection.server.isMariadb) return true;
  const [[mode] = []] = await connection.query('SELECT @@global.gtid_mode');
  return mode === 'ON';
}

/** Newer servers of MySQL have another name for it. */
async function statusRows(connection: MysqlConnection): Promise<readonly (readonly (string | null)[])[]> {
  if (connection.server.isMariadb) return connection.query('SHOW MASTER STATUS');
  try {
    return await connection.query('SHOW BINARY LOG STATUS');
  } catch (error) {
    if (!(error instanceof MysqlRefusal) || error.errno !== SYNTAX_ERROR) throw error;
    return connection.query('SHOW MASTER STATUS');
  }
}
