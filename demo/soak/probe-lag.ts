/** How far the replica is behind the shop, as rows show that are inserted for it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Shop } from '../shop.ts';

export class ProbeLag {
  readonly #path: string;
  readonly #shop: Shop;
  /** By the number of the probe. */
  readonly #inserted: { readonly atMs: number; readonly changes: number }[] = [{ atMs: performance.now(), changes: 0 }];

  constructor(folder: string, shop: Shop) {
    this.#path = join(folder, 'replica.db');
    this.#shop = shop;
  }

  async probe(): Promise<void> {
    await this.#shop.probe();
    this.#inserted[this.#shop.probes] = { atMs: performance.now(), changes: this.#shop.changes };
  }

  /**
   * The number of the newest one that has arrived. The database is opened for that alone, and seldom: whoever has it open keeps
   * those that are killed from finding it as they left it.
   */
  lastArrived(): number {
    if (!existsSync(this.#path)) return 0;
    const database = new DatabaseSync(this.#path, { readOnly: true, timeout: 1_000 });
    try {
      return Number(database.prepare('SELECT max(id) AS last FROM probes').get()?.['last'] ?? 0);
    } catch {
      // Its table comes with the first row.
      return 0;
    } finally {
      database.close();
    }
  }

  told(): string {
    const { atMs, changes } = this.#inserted[this.lastArrived()] ?? { atMs: performance.now(), changes: this.#shop.changes };
    const seconds = ((performance.now() - atMs) / 1_000).toFixed(1);
    return `the replica is ${(this.#shop.changes - changes).toLocaleString('en-US')} changes and ${seconds} s behind`;
  }
}
