/** A real server's changes in topics, while the processes that carry them are killed: each once, and in its order. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type DataFolder, openDataFolder } from '../../adapters/data-folder.ts';
import { MemoryTelemetry } from '../../adapters/memory/memory-telemetry.ts';
import { systemClock, systemRandom } from '../../adapters/system.ts';
import { offset } from '../../core/offset.ts';
import type { LogRecord, Position } from '../../core/record/connect-record.ts';
import { parseJson } from '../../core/record/lossless-json.ts';
import { comparePositions, formatPosition } from '../../core/record/position.ts';
import { sentFrom } from '../../core/record/position-headers.ts';
import { killNowAndThen } from '../../demo/killer.ts';
import { type Server, sortie, startServer } from '../../demo/server.ts';
import { type TestDatabase, withDatabases } from '../support/databases.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const TIMEOUT_MS = 240_000;
const KILL_EVERY_MS = 3_000;
const HOSTS_TO_KILL = 4;
const KILLED_WITHIN_MS = 90_000;
const DRAINS_WITHIN_MS = 120_000;

const TABLES = ['orders', 'items', 'codes'] as const;
const ROWS = 2_000;

const QUICK = { sync_binlog: '0', innodb_flush_log_at_trx_commit: '0' };

withDatabases('mysql-cdc-source with processes that are killed', { settings: QUICK, isLong: true }, (database) => {
  test('puts each change into the log once, and in its order', { timeout: TIMEOUT_MS }, async () => {
    await fill(database);
    const folder = aTemporaryFolder();
    const server = startServer(folder, { port: 0 });
    onTestFinished(() => server.stop());
    const url = (await server.ready()) ?? '';
    writeFileSync(join(folder, 'shop.json'), JSON.stringify(connector(database)));
    await sortie(folder, ['apply', '-f', 'shop.json', '--url', url]);

    await makeTrouble(database, server);
    await database.run('INSERT INTO shop.probes VALUES (1)');
    const data = await openData(folder);
    // Everything before it is in the log as soon as it is.
    const probes = async () => (await recordsOf(data, 'shop-shop-probes')).length;
    await expect.poll(probes, { timeout: DRAINS_WITHIN_MS, interval: 200 }).toBeGreaterThan(0);

    const records = (await Promise.all(TABLES.map((table) => recordsOf(data, `shop-shop-${table}`)))).flat();
    expect(repeated(records)).toEqual([]);
    expect(outOfOrder(records)).toEqual([]);
    expect(folded(records)).toEqual(await rowsOf(database));
  });
});

async function fill({ run }: TestDatabase): Promise<void> {
  const values = (row: (n: number) => string): string => Array.from({ length: ROWS }, (_, n) => row(n)).join(', ');
  await run(
    'DROP DATABASE IF EXISTS shop',
    'CREATE DATABASE shop',
    'CREATE TABLE shop.orders (id BIGINT PRIMARY KEY, v BIGINT, note VARCHAR(50))',
    'CREATE TABLE shop.items (a INT, b VARCHAR(10), v BIGINT, PRIMARY KEY (a, b))',
    'CREATE TABLE shop.codes (id VARBINARY(8) PRIMARY KEY, v BIGINT)',
    'CREATE TABLE shop.probes (id INT PRIMARY KEY)',
    `INSERT INTO shop.orders VALUES ${values((n) => `(${n}, 0, 'ß')`)}`,
    `INSERT INTO shop.items VALUES ${values((n) => `(${n % 50}, 'k${n}', 0)`)}`,
    `INSERT INTO shop.codes VALUES ${values((n) => `(x'${n.toString(16).padStart(8, '0')}', 0)`)}`,
  );
}

function connector({ server }: TestDatabase) {
  return {
    name: 'shop',
    config: {
      'connector.class': 'mysql-cdc-source',
      'database.hostname': '127.0.0.1',
      'database.port': String(server().port),
      'database.user': 'root',
      'database.include.list': 'shop',
      'topic.prefix': 'shop',
      'topic.delimiter': '-',
      'output.format': 'flat',
      'value.converter': 'json',
      'value.converter.schemas.enable': 'false',
      'key.converter': 'json',
      'key.converter.schemas.enable': 'false',
    },
  };
}

/** Writers change rows, and hosts die, until enough of them have died with invocations. */
async function makeTrouble(database: TestDatabase, server: Server): Promise<void> {
  const ending = new AbortController();
  const writing = [1, 2, 3, 4].map((writer) => write(database, writer, ending.signal));
  const trouble = Promise.all([killNowAndThen(server, KILL_EVERY_MS, ending.signal), ...writing]);
  await expect.poll(server.hostsKilled, { timeout: KILLED_WITHIN_MS }).toBeGreaterThanOrEqual(HOSTS_TO_KILL);
  ending.abort();
  await trouble;
}

async function write(database: TestDatabase, writer: number, closed: AbortSignal): Promise<void> {
  const connection = await database.connect();
  for (let step = 1; !closed.aborted; step += 1) {
    const n = (step * 7_919 * writer) % (ROWS * 2);
    const rows = step % 50 === 0 ? 500 : step % 5;
    await connection.query('BEGIN');
    try {
      await connection.query(`UPDATE shop.orders SET v = v + 1 WHERE id >= ${n} ORDER BY id LIMIT ${rows + 1}`);
      await connection.query(`INSERT INTO shop.orders VALUES (${n}, 1, '${step}') ON DUPLICATE KEY UPDATE v = v + 1`);
      await connection.query(`UPDATE IGNORE shop.items SET a = a + 1, v = v + 1 WHERE a = ${n % 50} LIMIT 3`);
      await connection.query(`DELETE FROM shop.codes WHERE id = x'${n.toString(16).padStart(8, '0')}'`);
      await connection.query(`INSERT IGNORE INTO shop.codes VALUES (x'${(n + 1).toString(16).padStart(8, '0')}', ${step})`);
      await connection.query(step % 7 === 0 ? 'ROLLBACK' : 'COMMIT');
    } catch {
      // Two writers that wait for each other: the server has rolled one of them back.
      await connection.query('ROLLBACK');
    }
    await sleep(2);
  }
}

async function openData(folder: string): Promise<DataFolder> {
  const telemetry = new MemoryTelemetry();
  const data = await openDataFolder(join(folder, 'data'), { clock: systemClock, random: systemRandom, telemetry });
  onTestFinished(() => data.close());
  return data;
}

async function recordsOf({ broker }: DataFolder, topic: string): Promise<readonly LogRecord[]> {
  const all: LogRecord[] = [];
  for (const queue of await broker.queues(topic)) {
    for (let at = offset(0), isEnd = false; !isEnd; ) {
      const { records, next } = await broker.read(queue, at, { records: 1_000, bytes: 4_000_000, waitMs: 0 });
      all.push(...records);
      isEnd = records.length === 0;
      at = next;
    }
  }
  return all;
}

/** Positions that are there more than once. */
function repeated(records: readonly LogRecord[]): readonly string[] {
  const seen = new Set<string>();
  return records.flatMap((record) => {
    const position = formatPosition(positionOf(record));
    if (seen.has(position)) return [position];
    seen.add(position);
    return [];
  });
}

/** Keys of which a record comes behind a later one. */
function outOfOrder(records: readonly LogRecord[]): readonly string[] {
  const last = new Map<string, Position>();
  return records.flatMap((record) => {
    const key = `${record.queue.topic} ${text(record.key)}`;
    const before = last.get(key);
    last.set(key, positionOf(record));
    return before !== undefined && comparePositions(before, positionOf(record)) >= 0 ? [key] : [];
  });
}

function positionOf(record: LogRecord): Position {
  return sentFrom(record)?.position ?? [];
}

function folded(records: readonly LogRecord[]): readonly string[] {
  const rows = new Map<string, string>();
  for (const { queue, key, value } of records) {
    const row = parseJson(text(value)) as Readonly<Record<string, unknown>>;
    const name = `${queue.topic} ${text(key)}`;
    if (row['__deleted'] === 'true') rows.delete(name);
    else rows.set(name, String(row['v']));
  }
  return [...rows].map(([name, v]) => `${name} ${v}`).sort();
}

async function rowsOf({ run }: TestDatabase): Promise<readonly string[]> {
  const orders = (await run('SELECT id, v FROM shop.orders')).map(([id, v]) => `shop-shop-orders {"id":${id}} ${v}`);
  const items = (await run('SELECT a, b, v FROM shop.items')).map(([a, b, v]) => `shop-shop-items {"a":${a},"b":"${b}"} ${v}`);
  const codes = (await run('SELECT TO_BASE64(id), v FROM shop.codes')).map(([id, v]) => `shop-shop-codes {"id":"${id}"} ${v}`);
  return [...orders, ...items, ...codes].sort();
}

function text(bytes: Uint8Array | null): string {
  return Buffer.from(bytes ?? []).toString();
}
