import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Cell, Row, ShopDatabase } from './shop-database.ts';

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT, city TEXT, credit_cents INTEGER NOT NULL);
  CREATE TABLE products (sku TEXT PRIMARY KEY, title TEXT NOT NULL, price_cents INTEGER NOT NULL, stock INTEGER NOT NULL);
  CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, status TEXT NOT NULL, total_cents INTEGER NOT NULL, placed_at_ms INTEGER NOT NULL);
  CREATE TABLE order_items (order_id INTEGER, line INTEGER, sku TEXT NOT NULL, quantity INTEGER NOT NULL, price_cents INTEGER NOT NULL, PRIMARY KEY (order_id, line));
  CREATE TABLE probes (id INTEGER PRIMARY KEY, committed_at_ms INTEGER NOT NULL);
`;

/** A file. */
export class SqliteShop implements ShopDatabase {
  readonly place: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string) {
    this.place = path;
    this.#database = new DatabaseSync(path, { timeout: 10_000 });
    this.#database.exec(SCHEMA);
  }

  async begin(): Promise<void> {
    this.#database.exec('BEGIN IMMEDIATE');
  }

  async run(sql: string, ...values: readonly Cell[]): Promise<number> {
    return Number(this.#prepared(sql).run(...values).changes);
  }

  async insert(table: string, rows: readonly (readonly Cell[])[]): Promise<void> {
    for (const row of rows) this.#prepared(`INSERT INTO ${table} VALUES (${row.map(() => '?').join(', ')})`).run(...row);
  }

  async rows(table: string): Promise<readonly Row[]> {
    const statement = this.#database.prepare(`SELECT * FROM ${table}`);
    statement.setReadBigInts(true);
    return statement.all();
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #prepared(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}
