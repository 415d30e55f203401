/** Nobody was reached, the connection broke, or nothing came in time: what was asked for may have been done. */
export class MysqlUnreachable extends Error {
  override readonly name = 'MysqlUnreachable';
}

/** The server's own word. https://dev.mysql.com/doc/mysql-errors/9.4/en/server-error-reference.html, read 2026-11-26 */
export class MysqlRefusal extends Error {
  override readonly name = 'MysqlRefusal';
  readonly errno: number;
  readonly sqlState: string;

  constructor({ errno, sqlState, message }: { readonly errno: number; readonly sqlState: string; readonly message: string }) {
    super(message);
    this.errno = errno;
    this.sqlState = sqlState;
  }
}

/** What the server says is nothing that this client knows. */
export class MysqlProtocolError extends Error {
  override readonly name = 'MysqlProtocolError';
}
