/** A MySQL server of a benchmark's own, with nothing else in its log than what is to be read. */
import { join } from 'node:path';
import { systemClock } from '../../adapters/system.ts';
import { MysqlConnection } from '../../clients/mysql/mysql-connection.ts';
import { DatabaseServer } from '../../servers/database/database-server.ts';
import { mysqlProgram } from '../../servers/mysql/mysql-program.ts';

/** What is measured is how the log is read, not how it is written. */
const QUICK = { sync_binlog: '0', innodb_flush_log_at_trx_commit: '0', innodb_buffer_pool_size: '256M' };

const FILL_TIMEOUT_MS = 300_000;

export const DATABASE = 'shop';

const COLUMNS =
  'id BIGINT AUTO_INCREMENT PRIMARY KEY, customer VARCHAR(40), total DECIMAL(10,2), placed DATETIME(3), status VARCHAR(10), note VARCHAR(100), items INT';
export const ROW =
  "('customer-123', 12.34, '2026-01-01 10:00:00.123', 'paid', 'a note that is a little longer than all of the others', 7)";

export class BenchDatabase {
  readonly #server: DatabaseServer;
  readonly #connection: MysqlConnection;

  private constructor(server: DatabaseServer, connection: MysqlConnection) {
    this.#server = server;
    this.#connection = connection;
  }

  static async start(folder: string, say: (text: string) => void): Promise<BenchDatabase> {
    const server = await DatabaseServer.start(mysqlProgram, { folder: join(folder, 'mysql'), settings: QUICK, say });
    const { port } = server;
    const login = { host: '127.0.0.1', port, user: 'root', password: '', program: 'bench', clock: systemClock };
    const connection = await MysqlConnection.open(login);
    await connection.query(`CREATE DATABASE ${DATABASE} CHARACTER SET utf8mb4`);
    return new BenchDatabase(server, connection);
  }

  get port(): number {
    return this.#server.port;
  }

  /** What tells a connector where it is. */
  get address(): Readonly<Record<string, string>> {
    return { 'database.hostname': '127.0.0.1', 'database.port': String(this.port), 'database.user': 'root' };
  }

  /** An empty table, and a log that begins behind it. */
  async createTable(table: string, columns = COLUMNS): Promise<void> {
    await this.#connection.query(`CREATE TABLE ${DATABASE}.${table} (${columns})`);
    await this.#connection.query('RESET BINARY LOGS AND GTIDS');
  }

  async insert(table: string, { rows, perStatement }: { readonly rows: number; readonly perStatement: number }): Promise<void> {
    const values = new Array<string>(perStatement).fill(ROW).join(', ');
    for (let done = 0; done < rows; done += perStatement) {
      await this.run(`INSERT INTO ${DATABASE}.${table} (customer, total, placed, status, note, items) VALUES ${values}`);
    }
  }

  /** Each in a transaction of its own, by the server itself. */
  async insertOneByOne(table: string, rows: number): Promise<void> {
    await this.run(
      `CREATE PROCEDURE ${DATABASE}.fill_${table}() BEGIN DECLARE i INT DEFAULT 0; WHILE i < ${rows} DO INSERT INTO ${DATABASE}.${table} (customer, total, placed, status, note, items) VALUES ${ROW}; SET i = i + 1; END WHILE; END`,
    );
    await this.run(`CALL ${DATABASE}.fill_${table}()`);
  }

  async run(sql: string): Promise<void> {
    await this.#connection.query(sql, FILL_TIMEOUT_MS);
  }

  async stop(): Promise<void> {
    this.#connection.close();
    await this.#server.kill();
  }
}
