import { join } from 'node:path';
import { systemClock } from '../../adapters/system.ts';
import { MysqlConnection } from '../../clients/mysql/mysql-connection.ts';
import { type DatabaseProgram, DatabaseServer } from '../../servers/database/database-server.ts';
import type { Cell, Row, ShopDatabase } from './shop-database.ts';

const SCHEMA = [
  'CREATE DATABASE shop CHARACTER SET utf8mb4',
  'USE shop',
  'CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(100) NOT NULL, email VARCHAR(100), city VARCHAR(40), credit_cents BIGINT NOT NULL)',
  'CREATE TABLE products (sku VARCHAR(20) PRIMARY KEY, title VARCHAR(100) NOT NULL, price_cents INT NOT NULL, stock INT NOT NULL)',
  'CREATE TABLE orders (id INT PRIMARY KEY, customer_id INT NOT NULL, status VARCHAR(10) NOT NULL, total_cents INT NOT NULL, placed_at_ms BIGINT NOT NULL)',
  'CREATE TABLE order_items (order_id INT, line INT, sku VARCHAR(20) NOT NULL, quantity INT NOT NULL, price_cents INT NOT NULL, PRIMARY KEY (order_id, line))',
  'CREATE TABLE probes (id INT PRIMARY KEY, committed_at_ms BIGINT NOT NULL)',
];

/** All rows of a statement are one packet, of which servers take 16 MB. */
const ROWS_PER_STATEMENT = 1_000;

/** A real server of MySQL or MariaDB, started for the shop. */
export class ServerShop implements ShopDatabase {
  readonly #server: DatabaseServer;
  readonly #connection: MysqlConnection;

  private constructor(server: DatabaseServer, connection: MysqlConnection) {
    this.#server = server;
    this.#connection = connection;
  }

  static async start(
    program: DatabaseProgram,
    { folder, say }: { readonly folder: string; readonly say: (text: string) => void },
  ): Promise<ServerShop> {
    const server = await DatabaseServer.start(program, { folder: join(folder, program.name), say });
    try {
      const login = { host: '127.0.0.1', port: server.port, user: 'root', password: '', program: 'demo', clock: systemClock };
      const connection = await MysqlConnection.open(login);
      for (const statement of SCHEMA) await connection.query(statement);
      return new ServerShop(server, connection);
    } catch (error) {
      await server.kill();
      throw error;
    }
  }

  get port(): number {
    return this.#server.port;
  }

  get place(): string {
    return `the database shop on 127.0.0.1:${this.port}, user root, no password`;
  }

  async begin(): Promise<void> {
    await this.#connection.query('BEGIN');
  }

  async run(sql: string, ...values: readonly Cell[]): Promise<number> {
    let index = 0;
    await this.#connection.query(sql.replaceAll('?', () => literal(values[index++] as Cell)));
    const [row] = await this.#connection.query('SELECT ROW_COUNT()');
    return Math.max(Number(row?.[0]), 0);
  }

  async insert(table: string, rows: readonly (readonly Cell[])[]): Promise<void> {
    for (let done = 0; done < rows.length; done += ROWS_PER_STATEMENT) {
      const values = rows.slice(done, done + ROWS_PER_STATEMENT).map((row) => `(${row.map(literal).join(', ')})`);
      await this.#connection.query(`INSERT INTO ${table} VALUES ${values.join(', ')}`);
    }
  }

  async rows(table: string): Promise<readonly Row[]> {
    const columns = (await this.#connection.query(`SHOW COLUMNS FROM ${table}`)).map(([name]) => String(name));
    const rows = await this.#connection.query(`SELECT * FROM ${table}`);
    return rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index]])));
  }

  async close(): Promise<void> {
    this.#connection.close();
    await this.#server.kill();
  }
}

function literal(cell: Cell): string {
  return typeof cell === 'string' ? `'${cell.replace(/['\\]/g, '\\$&')}'` : String(cell);
}
