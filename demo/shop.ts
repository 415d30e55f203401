/** The shop: a database with customers, products, orders and their items, and people who keep changing it. */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { seededRandom } from './seeded-random.ts';

export const TABLES = ['customers', 'products', 'orders', 'order_items'] as const;
export type Table = (typeof TABLES)[number];

/** Key columns of each table. */
export const KEYS: Readonly<Record<Table, readonly string[]>> = {
  customers: ['id'],
  products: ['sku'],
  orders: ['id'],
  order_items: ['order_id', 'line'],
};

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT, city TEXT, credit_cents INTEGER NOT NULL);
  CREATE TABLE products (sku TEXT PRIMARY KEY, title TEXT NOT NULL, price_cents INTEGER NOT NULL, stock INTEGER NOT NULL);
  CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, status TEXT NOT NULL, total_cents INTEGER NOT NULL, placed_at_ms INTEGER NOT NULL);
  CREATE TABLE order_items (order_id INTEGER, line INTEGER, sku TEXT NOT NULL, quantity INTEGER NOT NULL, price_cents INTEGER NOT NULL, PRIMARY KEY (order_id, line));
  CREATE TABLE probes (id INTEGER PRIMARY KEY, committed_at_ms INTEGER NOT NULL);
`;

const CUSTOMERS = 5_000;
const PRODUCTS = 1_000;
const ORDERS = 11_000;
const ITEMS_PER_ORDER = 3;

/** Rows of a new shop. */
export const SHOP_ROWS = CUSTOMERS + PRODUCTS + ORDERS * (1 + ITEMS_PER_ORDER);

const CITIES = ['Aarhus', 'Bogotá', 'Cork', 'Đà Nẵng', 'Essen', 'Fès', 'Göteborg', '杭州'];
const STATUSES = ['placed', 'paid', 'packed', 'sent'];

/** 2026-01-01. */
const FIRST_ORDER_MS = Date.UTC(2026, 0, 1);
/** Larger than 2^53, so that a digit lost on the way shows. */
const LARGE_CREDIT = 9_007_199_254_740_993n;

export class Shop {
  readonly #database: DatabaseSync;
  readonly #random: () => number;
  readonly #statements = new Map<string, StatementSync>();
  #customers = CUSTOMERS;
  #products = PRODUCTS;
  #orders = ORDERS;
  #probes = 0;
  /** Rows that were inserted, updated or deleted, those of transactions that were rolled back aside. */
  changes = 0;

  /** Makes the database, with its first rows in it. The same seed makes the same rows, and the same changes in the same order. */
  constructor(path: string, { seed }: { readonly seed: number }) {
    this.#random = seededRandom(seed);
    this.#database = new DatabaseSync(path, { timeout: 10_000 });
    this.#database.exec(SCHEMA);
    this.#transaction(() => {
      for (let id = 1; id <= CUSTOMERS; id += 1) this.#addCustomer(id);
      for (let number = 1; number <= PRODUCTS; number += 1) this.#addProduct(number);
      for (let id = 1; id <= ORDERS; id += 1) this.#addOrder(id, ITEMS_PER_ORDER);
    });
    this.changes = 0;
  }

  /** Something that happens in a shop: one transaction. */
  step(): void {
    const dice = this.#random();
    if (dice < 0.35) this.#order();
    else if (dice < 0.6) this.#advance();
    else if (dice < 0.75) this.#restock();
    else if (dice < 0.85) this.#cancel();
    else if (dice < 0.92) this.#rename();
    else if (dice < 0.97) this.#renumber();
    else this.#changeMind();
  }

  /** A row whose way to the replica is timed. */
  probe(): void {
    this.#probes += 1;
    this.#run('INSERT INTO probes VALUES (?, ?)', this.#probes, Date.now());
  }

  get probes(): number {
    return this.#probes;
  }

  close(): void {
    this.#database.close();
  }

  #order(): void {
    this.#transaction(() => {
      this.#orders += 1;
      this.#addOrder(this.#orders, 1 + this.#below(5));
    });
  }

  #advance(): void {
    const id = 1 + this.#below(this.#orders);
    this.#run('UPDATE orders SET status = ? WHERE id = ?', this.#pick(STATUSES), id);
  }

  #restock(): void {
    this.#run('UPDATE products SET stock = stock + ?, price_cents = price_cents + 1 WHERE sku = ?', this.#below(50), this.#sku());
  }

  #cancel(): void {
    const id = 1 + this.#below(this.#orders);
    this.#transaction(() => {
      this.#run('DELETE FROM order_items WHERE order_id = ?', id);
      this.#run('DELETE FROM orders WHERE id = ?', id);
    });
  }

  #rename(): void {
    const id = 1 + this.#below(this.#customers);
    this.#run('UPDATE customers SET name = ?, email = NULL WHERE id = ?', `Customer "${id}" née O'Neil`, id);
  }

  /** Another key: one row goes, and another one comes. */
  #renumber(): void {
    this.#products += 1;
    this.#run('UPDATE products SET sku = ? WHERE sku = ?', skuOf(this.#products), this.#sku());
  }

  /** Rolled back: nobody may ever see it. */
  #changeMind(): void {
    const before = this.changes;
    this.#database.exec('BEGIN IMMEDIATE');
    this.#run('UPDATE customers SET credit_cents = -1');
    this.#run('DELETE FROM products');
    this.#database.exec('ROLLBACK');
    this.changes = before;
  }

  #addCustomer(id: number): void {
    const city = this.#pick(CITIES);
    const credit = id === 1 ? LARGE_CREDIT : this.#below(100_000);
    this.#run('INSERT INTO customers VALUES (?, ?, ?, ?, ?)', id, `Customer ${id}`, `c${id}@shop.example`, city, credit);
  }

  #addProduct(number: number): void {
    this.#run(
      'INSERT INTO products VALUES (?, ?, ?, ?)',
      skuOf(number),
      `Product ${number}`,
      100 + this.#below(9_900),
      this.#below(500),
    );
  }

  #addOrder(id: number, items: number): void {
    let totalCents = 0;
    for (let line = 1; line <= items; line += 1) {
      const quantity = 1 + this.#below(4);
      const priceCents = 100 + this.#below(9_900);
      totalCents += quantity * priceCents;
      this.#run('INSERT INTO order_items VALUES (?, ?, ?, ?, ?)', id, line, this.#sku(), quantity, priceCents);
    }
    const customer = 1 + this.#below(this.#customers);
    this.#run('INSERT INTO orders VALUES (?, ?, ?, ?, ?)', id, customer, 'placed', totalCents, FIRST_ORDER_MS + id * 1_000);
  }

  #transaction(change: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    change();
    this.#database.exec('COMMIT');
  }

  #run(sql: string, ...values: readonly (string | number | bigint)[]): void {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    this.changes += Number(statement.run(...values).changes);
  }

  #sku(): string {
    return skuOf(1 + this.#below(this.#products));
  }

  #pick(words: readonly string[]): string {
    return words[this.#below(words.length)] as string;
  }

  #below(end: number): number {
    return Math.floor(this.#random() * end);
  }
}

function skuOf(number: number): string {
  return `SKU-${String(number).padStart(6, '0')}`;
}
