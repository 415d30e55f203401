/** Changes of a database through a topic into another database, beside the driver alone. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '../adapters/system.ts';
import type { Report } from './figure.ts';
import { medians, rate, watchProgress } from './whole/progress.ts';
import type { Sortie } from './whole/sortie.ts';
import { BATCH_RECORDS } from './whole/topic.ts';
import { type Whole, withWhole } from './whole/whole.ts';

const ROWS = 100_000;
const ROWS_PER_TRANSACTION = 100;

const QUEUES = 4;

const ROUNDS = { warmUpRounds: 1, rounds: 3 };

const GOAL_ROWS_PER_SECOND = 20_000;

const TABLE = 'orders';
const CREATE = `CREATE TABLE ${TABLE} (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, status TEXT NOT NULL, total_cents INTEGER NOT NULL, placed_at_ms INTEGER NOT NULL)`;
const INSERT = `INSERT INTO ${TABLE} VALUES (?, ?, ?, ?, ?)`;
const UPSERT = `${INSERT} ON CONFLICT (id) DO UPDATE SET customer_id = excluded.customer_id, status = excluded.status, total_cents = excluded.total_cents, placed_at_ms = excluded.placed_at_ms`;

const READY_WITHIN_MS = 20_000;

export async function run(report: Report): Promise<void> {
  await withWhole(async (whole) => {
    report.note(`state and log in ${whole.dataFolder}, invocations in threads; Node ${process.version}`);
    report.note(
      `${ROWS} rows inserted by transactions of ${ROWS_PER_TRANSACTION} while the product is stopped; then sqlite-cdc-source -> topic of ${QUEUES} queues -> sql-sink side by side, JSON with schemas, upserts, from the first commit of the sink on`,
    );
    report.note(`figures are medians of ${ROUNDS.rounds} rounds that take turns with their reference, each with new databases`);
    report.note(`reference: ${UPSERT}`);
    report.note(
      `  prepared once, ${BATCH_RECORDS} rows in a transaction, WAL, synchronous=FULL, as the sink does it; one thread`,
    );
    const median = await medians(ROUNDS, async (round) => {
      const plain = await rate(ROWS, async () => plainUpserts(join(whole.folder, `plain-${round}.db`)));
      return { plain, ...(await changes(whole, `shop${round + ROUNDS.warmUpRounds}`)) };
    });
    const name = 'rows from database to database';
    const goal = { atLeast: GOAL_ROWS_PER_SECOND };
    report.figure({ name, value: median.perSecond, unit: 'rows/s', reference: median.plain, goal });
    report.figure({ name: `${name}: processor time`, value: median.cpuUsPerRecord, unit: 'us/row', goal: 'printed' });
  });
}

async function changes(whole: Whole, shop: string) {
  const [source, target] = ['source', 'target'].map((name) => join(whole.folder, `${shop}-${name}.db`)) as [string, string];
  const database = openDatabase(source);
  database.exec(CREATE);
  const sink = `${shop}-sink`;
  const first = whole.start();
  await applyBoth(first, { shop, source, target, sink });
  await untilCaptured(database);
  await first.stop();
  insertAll(database, INSERT, ROWS_PER_TRANSACTION);
  database.close();

  const second = whole.start();
  const moved = await watchProgress(second, { connector: sink, records: ROWS, look: () => whole.finished(sink) });
  await second.remove(`${shop}-source`);
  await second.remove(sink);
  await second.stop();
  demandRows(target);
  return moved;
}

interface Names {
  readonly shop: string;
  readonly source: string;
  readonly target: string;
  readonly sink: string;
}

async function applyBoth(sortie: Sortie, { shop, source, target, sink }: Names): Promise<void> {
  const converters = { 'key.converter': 'json', 'value.converter': 'json' };
  await sortie.apply(`${shop}-source`, {
    'connector.class': 'sqlite-cdc-source',
    'connection.url': `sqlite:${source}`,
    'topic.prefix': shop,
    'topic.creation.default.partitions': String(QUEUES),
    ...converters,
  });
  await sortie.apply(sink, {
    'connector.class': 'sql-sink',
    topics: `${shop}.${TABLE}`,
    'tasks.max': String(QUEUES),
    'connection.url': `sqlite:${target}`,
    'table.name.format': '${source.table}',
    'insert.mode': 'upsert',
    'pk.mode': 'record_key',
    'auto.create': 'true',
    ...converters,
  });
}

/** Its triggers write down each change from then on. */
async function untilCaptured(database: DatabaseSync): Promise<void> {
  const triggers = database.prepare("SELECT count(*) AS count FROM sqlite_master WHERE type = 'trigger'");
  const untilMs = performance.now() + READY_WITHIN_MS;
  while (Number(triggers.get()?.['count']) === 0) {
    if (performance.now() > untilMs) throw new Error(`no triggers within ${READY_WITHIN_MS} ms`);
    await systemClock.sleep(20);
  }
}

function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 10_000 });
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  return database;
}

function insertAll(database: DatabaseSync, sql: string, rowsPerTransaction: number): void {
  const insert = database.prepare(sql);
  for (let id = 1; id <= ROWS; ) {
    database.exec('BEGIN IMMEDIATE');
    for (const end = id + rowsPerTransaction; id < end && id <= ROWS; id += 1) {
      insert.run(id, id % 977, 'placed', (id * 7_919) % 100_000, 1_767_225_600_000 + id);
    }
    database.exec('COMMIT');
  }
}

function plainUpserts(path: string): void {
  const database = openDatabase(path);
  database.exec(CREATE);
  insertAll(database, UPSERT, BATCH_RECORDS);
  database.close();
}

function demandRows(path: string): void {
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database.prepare(`SELECT count(*) AS count, sum(id) AS ids FROM ${TABLE}`).get();
  database.close();
  if (rows?.['count'] !== ROWS || rows['ids'] !== (ROWS * (ROWS + 1)) / 2) {
    throw new Error(`the target holds other rows than the source: ${JSON.stringify(rows)}`);
  }
}
