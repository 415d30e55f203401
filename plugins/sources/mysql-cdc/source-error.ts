/** What failures of a server mean for the runtime. Each message names the server, what happened and the next step. */
import { UnreadableBinlog } from '../../../clients/binlog/unreadable.ts';
import { MysqlProtocolError, MysqlRefusal, MysqlUnreachable } from '../../../clients/mysql/mysql-failure.ts';
import { type ConnectError, FatalTaskError, RetryableError } from '../../../core/errors.ts';
import type { CdcSettings } from './cdc-config.ts';

/** https://dev.mysql.com/doc/mysql-errors/9.4/en/server-error-reference.html, https://mariadb.com/kb/en/mariadb-error-code-reference/, read 2026-11-26 */
const Errno = {
  ACCESS_DENIED_TO_DATABASE: 1_044,
  ACCESS_DENIED: 1_045,
  TABLE_ACCESS_DENIED: 1_142,
  COLUMN_ACCESS_DENIED: 1_143,
  SPECIFIC_ACCESS_DENIED: 1_227,
  SOURCE_FATAL_ERROR_READING_BINLOG: 1_236,
  PASSWORD_EXPIRED: 1_820,
  ACCOUNT_LOCKED: 3_118,
  AUTH_PLUGIN: 2_059,
  ACCESS_DENIED_WITHOUT_PASSWORD: 1_698,
  SAME_REPLICA_ID_IN_MARIADB: 4_052,
} as const;

const UNAUTHORIZED: ReadonlySet<number> = new Set([
  Errno.ACCESS_DENIED_TO_DATABASE,
  Errno.ACCESS_DENIED,
  Errno.TABLE_ACCESS_DENIED,
  Errno.COLUMN_ACCESS_DENIED,
  Errno.SPECIFIC_ACCESS_DENIED,
  Errno.PASSWORD_EXPIRED,
  Errno.ACCOUNT_LOCKED,
  Errno.AUTH_PLUGIN,
  Errno.ACCESS_DENIED_WITHOUT_PASSWORD,
]);

/** Of another replica, or of a later invocation, which then goes on. */
const SAME_ID = /same server_(?:uuid|id)/i;

/** What a server says of a place or a set of transactions that its log does not have (any more). */
const LOG_LOST =
  /could not find first log|purged|impossible position|position > file size|not in the (?:master|source)'s binlog|deleted|older than/i;

/** Whether the log does not reach back to where it was to be read from. */
export function isLogLost(error: unknown): boolean {
  return error instanceof MysqlRefusal && error.errno === Errno.SOURCE_FATAL_ERROR_READING_BINLOG && LOG_LOST.test(error.message);
}

/** Whatever is none of the server's failures stays what it is. */
export function sourceError(error: unknown, config: CdcSettings): unknown {
  const server = `${config['database.hostname']}:${config['database.port']}`;
  const details = { server };
  if (error instanceof UnreadableBinlog) {
    return new FatalTaskError(`the log of ${server} cannot be read on: ${error.message}; next: ${error.next}`, {
      code: 'source.unreadable',
      details,
      cause: error,
    });
  }
  if (error instanceof MysqlUnreachable || error instanceof MysqlProtocolError) {
    return new RetryableError(`${server} did not answer: ${error.message}`, {
      code: 'source.unavailable',
      details,
      cause: error,
    });
  }
  return error instanceof MysqlRefusal ? refused(error, server) : error;
}

function refused(error: MysqlRefusal, server: string): ConnectError {
  const { errno, message } = error;
  const options = { details: { server, errno }, cause: error };
  const said = `${server} refuses: ${message} (${errno})`;
  if (UNAUTHORIZED.has(errno)) {
    const next = 'check database.user and database.password, and what that user is granted';
    return new FatalTaskError(`${said}; next: ${next}`, { ...options, code: 'source.unauthorized' });
  }
  if (errno === Errno.SAME_REPLICA_ID_IN_MARIADB || SAME_ID.test(message)) {
    const next =
      'nothing, if that was a later invocation of this connector; otherwise give one of the two another database.server.id';
    return new RetryableError(`${said}; next: ${next}`, { ...options, code: 'source.unavailable' });
  }
  if (isLogLost(error)) {
    const next = 'reset the offsets of the connector, and let the server keep its log for longer (binlog_expire_logs_seconds)';
    return new FatalTaskError(`${said}; next: ${next}`, { ...options, code: 'source.log_lost' });
  }
  return new RetryableError(said, { ...options, code: 'source.unavailable' });
}
