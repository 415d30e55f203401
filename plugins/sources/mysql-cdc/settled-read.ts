/** Reads that see all that the log was read for, and say which place in the log they see. */
import type { BinlogPlace } from '../../../clients/binlog/binlog-events.ts';
import type { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import { RetryableError } from '../../../core/errors.ts';
import type { LogCheckpoint } from './cdc-checkpoint.ts';
import { isBefore, isKnown } from './log-places.ts';
import { gtidsOnTheirWay, type LogPlace, logEnd } from './server-facts.ts';
import { textLiteral } from './sql-text.ts';

/** A server that waits for a replica before others see a change may take longer; then it is tried again. */
const SETTLE_SECONDS = 5;

/** Tries to find a moment at which all is seen; between two of them the server is asked, which takes its time. */
const TRIES_MAX = 1_000;

/** Of every session that reads rows. */
export const SESSION = "SET sql_mode = '', time_zone = '+00:00', character_set_results = 'utf8mb4'";

/**
 * `read` is called once, or again where a moment did not do.
 *
 * - MySQL with GTIDs is asked to wait until what was given is seen. Without them, the read waits for the locks of whoever is
 *   committing, which takes no longer than a commit.
 * - MariaDB opens transactions that see one place in the log, and says which.
 */
export async function readBehind(
  connection: MysqlConnection,
  { place, gtids }: LogCheckpoint,
  read: (waitsForWriters: boolean) => Promise<void>,
): Promise<BinlogPlace> {
  if (connection.server.isMariadb) {
    // Behind a set of transactions, all of them are in its log by now.
    const behind = isKnown(place) ? place : (await logEnd(connection)).place;
    return readAtPlace(connection, behind, () => read(false));
  }
  if (gtids !== null) await settle(connection, gtids);
  await read(gtids === null);
  return (await logEnd(connection)).place;
}

/**
 * From here on reads of this session see all that was in the log at a place, and by now. `true`: as long as they wait for the locks of
 * whoever is committing.
 */
export async function settleSession(connection: MysqlConnection, behind: BinlogPlace): Promise<boolean> {
  if (connection.server.isMariadb) {
    await readAtPlace(connection, behind, async () => undefined);
    return false;
  }
  const { gtids } = await logEnd(connection);
  if (gtids !== null) await settle(connection, gtids);
  return gtids === null;
}

/**
 * Nothing that was in the log before this is still on its way: a change may be there a moment before others see it, and for as long as
 * `binlog_group_commit_sync_delay` or a replica that is waited for takes.
 *
 * MariaDB needs none of this: what it reads says which place in the log it is as of. Nor do reads that wait for locks.
 */
export async function settleLog(connection: MysqlConnection, { gtids }: LogPlace): Promise<void> {
  if (connection.server.isMariadb || gtids === null) return;
  const onTheirWay = await gtidsOnTheirWay(connection);
  if (onTheirWay !== '') await settle(connection, onTheirWay);
}

async function settle(connection: MysqlConnection, gtids: string): Promise<void> {
  const [[timedOut] = []] = await connection.query(`SELECT WAIT_FOR_EXECUTED_GTID_SET(${textLiteral(gtids)}, ${SETTLE_SECONDS})`);
  if (timedOut !== '0') throw unsettled();
}

async function readAtPlace(connection: MysqlConnection, behind: BinlogPlace, read: () => Promise<void>): Promise<BinlogPlace> {
  for (let tried = 0; tried < TRIES_MAX; tried += 1) {
    await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
    const status = new Map(
      (await connection.query("SHOW STATUS LIKE 'binlog_snapshot_%'")).map(([key, value]) => [key?.toLowerCase(), value]),
    );
    const place = { file: status.get('binlog_snapshot_file') ?? '', position: Number(status.get('binlog_snapshot_position')) };
    const isBehind = !isBefore(place, behind);
    if (isBehind) await read();
    await connection.query('COMMIT');
    if (isBehind) return place;
  }
  throw unsettled();
}

function unsettled(): RetryableError {
  return new RetryableError(
    'changes that are in the log are not seen by a read yet; next: nothing, as long as the server commits a large transaction or waits for a replica; otherwise end the session that keeps a GTID (@@global.gtid_owned)',
    { code: 'source.unavailable' },
  );
}
