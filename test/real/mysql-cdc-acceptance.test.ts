/** What every source does, of `mysql-cdc-source` with real servers. */
import { describe } from 'vitest';
import { mysqlCdcSource } from '../../plugins/sources/mysql-cdc-source.ts';
import { sourceAcceptance } from '../contract/source-acceptance.ts';
import { type TestDatabase, withDatabases } from '../support/databases.ts';

withDatabases('mysql-cdc-source', {}, (database) => {
  describe('as a source', () => {
    sourceAcceptance({
      plugin: mysqlCdcSource,
      requiredKeys: ['database.hostname', 'database.user', 'topic.prefix'],
      newSystem: () => newSystem(database),
    });
  });
});

/** Tables with keys of several kinds. */
async function newSystem({ run, server }: TestDatabase) {
  await run(
    'DROP DATABASE IF EXISTS shop',
    'CREATE DATABASE shop',
    'CREATE TABLE shop.orders (id BIGINT PRIMARY KEY AUTO_INCREMENT, customer VARCHAR(20), total DECIMAL(10,2), at DATETIME(3))',
    `INSERT INTO shop.orders (customer, total, at) VALUES ${Array(20).fill("('ann', 1.50, '2026-01-01 10:00:00.123')").join(',')}`,
    'CREATE TABLE shop.items (sku VARCHAR(20), part INT, note TEXT, PRIMARY KEY (sku, part))',
    `INSERT INTO shop.items VALUES ('a', 1, 'x'), ('a', 2, NULL), ('B', 1, 'y'), ('ß', 1, 'z')`,
    'CREATE TABLE shop.empty (id INT PRIMARY KEY)',
  );
  const config = {
    'database.hostname': '127.0.0.1',
    'database.port': String(server().port),
    'database.user': 'root',
    'database.include.list': 'shop',
    'topic.prefix': 'test',
  };
  return { config, close: async () => undefined };
}
