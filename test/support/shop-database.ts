/** A database that `sqlite-cdc-source` reads, as its application sees it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SourceSystem } from '../contract/source/source-under-test.ts';

const SHOP = `
  CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, photo BLOB);
  CREATE TABLE items (order_id INTEGER, line INTEGER, price REAL, PRIMARY KEY (order_id, line)) WITHOUT ROWID;
  CREATE TABLE visits (at, page TEXT);
  INSERT INTO customers VALUES (1, 'Ada', x'00ff'), (9007199254740993, 'Grace', NULL), (3, 'Edsger', x'');
  INSERT INTO items VALUES (1, 2, 0.1), (1, 1, 2.5), (7, 1, 1e300);
  INSERT INTO visits VALUES (1, '/'), ('noon', '/a'), (1.5, '/b');
`;

/** The system of the acceptance kit: rows to be read as a whole, and nothing changes any more. */
export async function aQuietShop(): Promise<SourceSystem> {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-test-'));
  const path = join(folder, 'shop.db');
  const database = new DatabaseSync(path);
  database.exec(SHOP);
  database.close();
  return {
    config: { 'connection.url': `sqlite:${path}`, 'topic.prefix': 'shop' },
    close: async () => rmSync(folder, { recursive: true, force: true }),
  };
}
