/** The shop: a database with customers, products, orders and their items, and people who keep changing it. */
import type { Cell, Row, ShopDatabase } from './databases/shop-database.ts';
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
  readonly #database: ShopDatabase;
  readonly #random: () => number;
  #customers = CUSTOMERS;
  #products = PRODUCTS;
  #orders = ORDERS;
  #probes = 0;
  /** Rows that were inserted, updated or deleted, those of transactions that were rolled back aside. */
  changes = 0;

  private constructor(database: ShopDatabase, random: () => number) {
    this.#database = database;
    this.#random = random;
  }

  /** With its first rows in it. The same seed makes the same rows, and the same changes in the same order. */
  static async open(database: ShopDatabase, { seed }: { readonly seed: number }): Promise<Shop> {
    const shop = new Shop(database, seededRandom(seed));
    await shop.#fill();
    return shop;
  }

  /** Something that happens in a shop: one transaction. */
  async step(): Promise<void> {
    const dice = this.#random();
    if (dice < 0.35) await this.#order();
    else if (dice < 0.6) await this.#advance();
    else if (dice < 0.75) await this.#restock();
    else if (dice < 0.85) await this.#cancel();
    else if (dice < 0.92) await this.#rename();
    else if (dice < 0.97) await this.#renumber();
    else await this.#changeMind();
  }

  /** A row whose way to the replica is timed. */
  async probe(): Promise<void> {
    this.#probes += 1;
    await this.#insert('probes', [[this.#probes, Date.now()]]);
  }

  get probes(): number {
    return this.#probes;
  }

  rows(table: Table): Promise<readonly Row[]> {
    return this.#database.rows(table);
  }

  async #fill(): Promise<void> {
    const customers = Array.from({ length: CUSTOMERS }, (_, index) => this.#customer(index + 1));
    const products = Array.from({ length: PRODUCTS }, (_, index) => this.#product(index + 1));
    const orders = Array.from({ length: ORDERS }, (_, index) => this.#newOrder(index + 1, ITEMS_PER_ORDER));
    await this.#transaction(async () => {
      await this.#database.insert('customers', customers);
      await this.#database.insert('products', products);
      await this.#database.insert(
        'orders',
        orders.map(({ order }) => order),
      );
      await this.#database.insert(
        'order_items',
        orders.flatMap(({ items }) => items),
      );
    });
  }

  async #order(): Promise<void> {
    this.#orders += 1;
    const { order, items } = this.#newOrder(this.#orders, 1 + this.#below(5));
    await this.#transaction(async () => {
      await this.#insert('order_items', items);
      await this.#insert('orders', [order]);
    });
  }

  async #advance(): Promise<void> {
    const id = 1 + this.#below(this.#orders);
    await this.#run('UPDATE orders SET status = ? WHERE id = ?', this.#pick(STATUSES), id);
  }

  async #restock(): Promise<void> {
    await this.#run(
      'UPDATE products SET stock = stock + ?, price_cents = price_cents + 1 WHERE sku = ?',
      this.#below(50),
      this.#sku(),
    );
  }

  async #cancel(): Promise<void> {
    const id = 1 + this.#below(this.#orders);
    await this.#transaction(async () => {
      await this.#run('DELETE FROM order_items WHERE order_id = ?', id);
      await this.#run('DELETE FROM orders WHERE id = ?', id);
    });
  }

  async #rename(): Promise<void> {
    const id = 1 + this.#below(this.#customers);
    await this.#run('UPDATE customers SET name = ?, email = NULL WHERE id = ?', `Customer "${id}" née O'Neil`, id);
  }

  /** Another key: one row goes, and another one comes. */
  async #renumber(): Promise<void> {
    this.#products += 1;
    await this.#run('UPDATE products SET sku = ? WHERE sku = ?', skuOf(this.#products), this.#sku());
  }

  /** Rolled back: nobody may ever see it. */
  async #changeMind(): Promise<void> {
    await this.#database.begin();
    await this.#database.run('UPDATE customers SET credit_cents = -1');
    await this.#database.run('DELETE FROM products');
    await this.#database.run('ROLLBACK');
  }

  #customer(id: number): readonly Cell[] {
    const city = this.#pick(CITIES);
    const credit = id === 1 ? LARGE_CREDIT : this.#below(100_000);
    return [id, `Customer ${id}`, `c${id}@shop.example`, city, credit];
  }

  #product(number: number): readonly Cell[] {
    return [skuOf(number), `Product ${number}`, 100 + this.#below(9_900), this.#below(500)];
  }

  #newOrder(id: number, lines: number): { readonly order: readonly Cell[]; readonly items: readonly (readonly Cell[])[] } {
    let totalCents = 0;
    const items = Array.from({ length: lines }, (_, index) => {
      const quantity = 1 + this.#below(4);
      const priceCents = 100 + this.#below(9_900);
      totalCents += quantity * priceCents;
      return [id, index + 1, this.#sku(), quantity, priceCents];
    });
    const customer = 1 + this.#below(this.#customers);
    return { order: [id, customer, 'placed', totalCents, FIRST_ORDER_MS + id * 1_000], items };
  }

  async #transaction(change: () => Promise<void>): Promise<void> {
    await this.#database.begin();
    await change();
    await this.#database.run('COMMIT');
  }

  async #run(sql: string, ...values: readonly Cell[]): Promise<void> {
    this.changes += await this.#database.run(sql, ...values);
  }

  async #insert(table: Table | 'probes', rows: readonly (readonly Cell[])[]): Promise<void> {
    await this.#database.insert(table, rows);
    this.changes += rows.length;
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
