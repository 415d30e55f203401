/** Rows of a MySQL server in topics: how fast, how soon, and how much memory it takes, beside a plain loop that does the same work. */
import { systemClock } from '../adapters/system.ts';
import { missingDebianTools } from '../servers/debian/debian-root.ts';
import type { Report } from './figure.ts';
import { quantile } from './figure.ts';
import { BenchDatabase, DATABASE, ROW } from './mysql/bench-database.ts';
import { commitToTopic } from './mysql/commit-to-topic.ts';
import { fillTables, readTables, TABLES } from './mysql/many-tables.ts';
import { type PlainLoop, plainLoop } from './mysql/plain-loop.ts';
import { SlowNetwork } from './mysql/slow-network.ts';
import { residentBytesOf } from './whole/process-use.ts';
import { medians, rate, watchProgress } from './whole/progress.ts';
import type { Sortie } from './whole/sortie.ts';
import { BATCH_RECORDS } from './whole/topic.ts';
import { type Whole, withWhole } from './whole/whole.ts';

const QUEUES = 4;
const ROUNDS = { warmUpRounds: 1, rounds: 3 };
/** Half a million rows are warm soon. */
const LONG_ROUNDS = { warmUpRounds: 0, rounds: 3 };

const GOAL_SHARE_OF_LOOP = 0.7;

interface Path {
  readonly name: string;
  readonly table: string;
  readonly rows: number;
  readonly mode: 'never' | 'initial';
  readonly times: { readonly warmUpRounds: number; readonly rounds: number };
  readonly goalPerSecond?: number;
  fill(database: BenchDatabase, path: Path): Promise<void>;
}

const PATHS: readonly Path[] = [
  {
    name: 'statements of 1,000 rows',
    table: 'statements',
    rows: 200_000,
    mode: 'never',
    times: ROUNDS,
    goalPerSecond: 30_000,
    fill: (database, { table, rows }) => database.insert(table, { rows, perStatement: 1_000 }),
  },
  {
    name: 'transactions of one row',
    table: 'singles',
    rows: 100_000,
    mode: 'never',
    times: ROUNDS,
    goalPerSecond: 20_000,
    fill: (database, { table, rows }) => database.insertOneByOne(table, rows),
  },
  {
    name: 'rows of a snapshot',
    table: 'snapshot',
    rows: 500_000,
    mode: 'initial',
    times: LONG_ROUNDS,
    fill: (database, { table, rows }) => database.insert(table, { rows, perStatement: 1_000 }),
  },
];

const RANGES = {
  table: 'snapshot',
  rows: 500_000,
  roundTripMs: 20,
  config: { 'snapshot.max.threads': '2' },
  goal: 1.7,
} as const;

const FOLLOWED = { warmUp: 300, changes: 2_000, perSecond: 100 };
const GOAL_P50_MS = 5;
const GOAL_P99_MS = 40;

const LARGE_ROWS = 50_000;
const LARGE_ROW_BYTES = 1_024;
const GOAL_RESIDENT_MB = 300;
const MB = 1_024 * 1_024;

/** What all of it is measured with. */
interface Stage {
  readonly whole: Whole;
  readonly sortie: Sortie;
  readonly database: BenchDatabase;
}

export async function run(report: Report): Promise<void> {
  const missing = missingDebianTools();
  if (missing !== null) throw new Error(missing);
  await withWhole(async (whole) => {
    const database = await BenchDatabase.start(whole.folder, report.note);
    try {
      report.note(`state and log in ${whole.dataFolder}, invocations in threads, MySQL beside them; Node ${process.version}`);
      await memory(report, whole, database);
      const stage = { whole, sortie: whole.start(), database };
      await latency(report, stage);
      report.note(
        `rates: into ${QUEUES} queues, JSON without schemas; medians of ${ROUNDS.rounds} rounds that take turns with their reference; each round is a new connector and a new topic, measured from its first records on; a row is ${ROW}`,
      );
      report.note(
        `reference: one loop, in one thread, with this source's own reader and converters: polls ${BATCH_RECORDS} records, converts them, awaits log.send() to all queues side by side`,
      );
      for (const path of PATHS) await throughput(report, stage, path);
      await sideBySide(report, stage);
      await manyTables(report, stage);
    } finally {
      await database.stop();
    }
  });
}

async function throughput(report: Report, stage: Stage, path: Path): Promise<void> {
  const { whole, sortie, database } = stage;
  const { name, table, rows, mode, times, goalPerSecond } = path;
  await database.createTable(table);
  await path.fill(database, path);
  const median = await medians(times, async (round) => {
    const prefix = `${table}-${round + times.warmUpRounds}`;
    const config = { ...connector(database, table), 'snapshot.mode': mode, 'topic.prefix': prefix };
    const plain: PlainLoop = { log: whole.log, topic: `${prefix}-plain`, queues: QUEUES, records: rows, config };
    const perSecond = await rate(rows, () => plainLoop(plain));
    await sortie.apply(prefix, config);
    const look = () => whole.appended(`${prefix}.${DATABASE}.${table}`);
    const moved = await watchProgress(sortie, { connector: prefix, records: rows, look });
    await sortie.remove(prefix);
    return { plain: perSecond, ...moved };
  });
  const goal = goalPerSecond === undefined ? 'printed' : { atLeast: goalPerSecond };
  report.figure({ name, value: median.perSecond, unit: 'records/s', reference: median.plain, goal });
  const share = median.perSecond / median.plain;
  report.figure({ name: `${name}: share of the loop`, value: share, unit: 'of 1', goal: { atLeast: GOAL_SHARE_OF_LOOP } });
  report.figure({ name: `${name}: processor time`, value: median.cpuUsPerRecord, unit: 'us/record', goal: 'printed' });
}

async function manyTables(report: Report, { whole, sortie, database }: Stage): Promise<void> {
  report.note(`${TABLES} tables: each with ten rows and a topic of one queue, in a process of its own`);
  await sortie.stop();
  await fillTables(database);
  const config = { ...connector(database, ''), 'topic.creation.default.partitions': '1' };
  const { readMs, residentBytes } = await readTables(whole, { prefix: 'many', config });
  report.figure({ name: `${TABLES} tables read`, value: readMs / 1_000, unit: 's', goal: 'printed' });
  report.figure({ name: `${TABLES} tables: memory`, value: residentBytes / MB, unit: 'MB', goal: 'printed' });
}

/** Of the table that the snapshot above has read, over a network that takes its time. */
async function sideBySide(report: Report, { whole, sortie, database }: Stage): Promise<void> {
  const { table, rows, roundTripMs } = RANGES;
  report.note(`ranges: ${rows} rows in two ranges, one or both at once, over a network with ${roundTripMs} ms for a round trip`);
  await database.run(`ANALYZE TABLE ${DATABASE}.${table}`);
  const network = await SlowNetwork.start(database.port, { roundTripMs });
  try {
    const median = await medians(LONG_ROUNDS, async (round) => {
      const perSecond = async (atOnce: number): Promise<number> => {
        const prefix = `${table}-${atOnce}-at-once-${round}`;
        const config = { ...connector(database, table), ...RANGES.config, 'topic.prefix': prefix, 'tasks.max': String(atOnce) };
        await sortie.apply(prefix, { ...config, 'database.port': String(network.port) });
        const look = () => whole.appended(`${prefix}.${DATABASE}.${table}`);
        const moved = await watchProgress(sortie, { connector: prefix, records: rows, look });
        await sortie.remove(prefix);
        return moved.perSecond;
      };
      return { one: await perSecond(1), two: await perSecond(2) };
    });
    const name = 'two ranges at once';
    report.figure({ name, value: median.two, unit: 'records/s', reference: median.one, goal: 'printed' });
    report.figure({
      name: `${name}: as fast as one`,
      value: median.two / median.one,
      unit: 'times',
      goal: { atLeast: RANGES.goal },
    });
  } finally {
    await network.close();
  }
}

async function latency(report: Report, { whole, sortie, database }: Stage): Promise<void> {
  const { warmUp, changes, perSecond } = FOLLOWED;
  report.note(
    `latency: ${changes} rows, ${perSecond} a second, after ${warmUp} that warm up; from the call of INSERT, whose answer is the commit, until a reader of the topic has the record`,
  );
  const table = 'followed';
  await database.createTable(table);
  await sortie.apply(table, {
    ...connector(database, table),
    'topic.prefix': table,
    'snapshot.mode': 'never',
    'topic.creation.default.partitions': '1',
  });
  const { seenMs, insertedMs } = await commitToTopic({
    database,
    log: whole.log,
    table,
    topic: `${table}.${DATABASE}.${table}`,
    ...FOLLOWED,
  });
  await sortie.remove(table);
  for (const [name, share, goal] of [
    ['median', 0.5, { atMost: GOAL_P50_MS }],
    ['99th percentile', 0.99, { atMost: GOAL_P99_MS }],
    ['longest', 1, 'printed'],
  ] as const) {
    report.figure({ name: `commit to topic, ${name}`, value: quantile(seenMs, share), unit: 'ms', goal });
  }
  report.figure({ name: 'of it INSERT itself, median', value: quantile(insertedMs, 0.5), unit: 'ms', goal: 'printed' });
}

/** In a process of its own, which has done nothing else before. */
async function memory(report: Report, whole: Whole, database: BenchDatabase): Promise<void> {
  const table = 'large';
  report.note(`memory: the whole product, while it reads one transaction of ${LARGE_ROWS} rows of ${LARGE_ROW_BYTES} bytes`);
  await database.createTable(table, 'id INT AUTO_INCREMENT PRIMARY KEY, note VARCHAR(2000)');
  await database.run('BEGIN');
  const values = new Array<string>(500).fill(`(REPEAT('x', ${LARGE_ROW_BYTES}))`).join(', ');
  for (let rows = 0; rows < LARGE_ROWS; rows += 500)
    await database.run(`INSERT INTO ${DATABASE}.${table} (note) VALUES ${values}`);
  await database.run('COMMIT');
  const sortie = whole.start();
  await sortie.apply(table, { ...connector(database, table), 'topic.prefix': table, 'snapshot.mode': 'never' });
  let peakBytes = 0;
  while ((await whole.appended(`${table}.${DATABASE}.${table}`)) < LARGE_ROWS) {
    peakBytes = Math.max(peakBytes, residentBytesOf(sortie.pid));
    await systemClock.sleep(5);
  }
  await sortie.remove(table);
  await sortie.stop();
  const name = 'memory in a large transaction';
  report.figure({ name, value: peakBytes / MB, unit: 'MB', goal: { atMost: GOAL_RESIDENT_MB } });
}

function connector(database: BenchDatabase, table: string): Readonly<Record<string, string>> {
  return {
    'connector.class': 'mysql-cdc-source',
    ...database.address,
    'table.include.list': `${DATABASE}.${table}`,
    'topic.creation.default.partitions': String(QUEUES),
    'key.converter': 'json',
    'key.converter.schemas.enable': 'false',
    'value.converter': 'json',
    'value.converter.schemas.enable': 'false',
  };
}
