/**
 * `npm run soak`: the pipeline of the demo, under processes that are killed all the time, the main process included. Afterwards
 * nothing may be missing and nothing may be there twice: not a row, and not a record.
 *
 * `-- --seconds N` is how long it goes on before it drains, `-- --seed S` decides what the shop does and what is killed when,
 * `-- --source mysql` or `mariadb` carries the changes of a real server, which dies once, into topics (`mysql/run-mysql-soak.ts`).
 * `-- --broker rocketmq` moves `-- --records N` numbers, 2,000,000 unless told otherwise, through a topic of a RocketMQ that it starts
 * and kills three times (`broker/broker-soak.ts`); it needs Java and Maven. Neither seconds nor a seed mean anything to it.
 *
 * `-- --json` prints the report as one object on the last line. Exit code 1: something is wrong; then the folder is kept.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openDataFolder } from '../../adapters/data-folder.ts';
import { MemoryTelemetry } from '../../adapters/memory/memory-telemetry.ts';
import { systemClock, systemRandom } from '../../adapters/system.ts';
import { type Comparison, compare } from '../comparison.ts';
import { SqliteShop } from '../databases/sqlite-shop.ts';
import { sortie, startServer } from '../server.ts';
import { Shop } from '../shop.ts';
import { Chaos } from './chaos.ts';
import { checkDeliveries, type Deliveries } from './deliveries.ts';
import { ProbeLag } from './probe-lag.ts';
import { isPassed, printReport, type Report, reportOf, told } from './report.ts';

const CONNECTORS = fileURLToPath(new URL('../../examples/shop', import.meta.url));

const STEP_EVERY_MS = 2;
const PROBE_EVERY_MS = 100;
const TELL_EVERY_MS = 5_000;
/**
 * What a process had claimed that was frozen last is taken over 25 s later, a shard that was killed too often goes on a minute later,
 * or two; and then there is a backlog.
 */
const DRAINS_WITHIN_MS = 300_000;
const COMPARE_EVERY_MS = 1_000;

const STARTED_AT_MS = performance.now();

process.exitCode = await main();

interface Options {
  readonly seconds: number;
  readonly seed: number;
  readonly json: boolean;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      broker: { type: 'string', default: 'embedded' },
      source: { type: 'string', default: 'sqlite' },
      records: { type: 'string', default: '2000000' },
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      json: { type: 'boolean', default: false },
    },
  });
  const { broker, source, json } = values;
  const [records, seconds, seed] = [Number(values.records), Number(values.seconds), Number(values.seed)];
  if (!(seconds > 0) || !Number.isSafeInteger(seed) || !Number.isSafeInteger(records) || records < 1) {
    throw new Error('--seconds is a number above zero, --seed a whole number, --records one above zero');
  }
  if (broker === 'rocketmq' && source !== 'sqlite') throw new Error('--broker rocketmq is soaked without a --source');
  if (broker === 'rocketmq') return (await import('./broker/run-broker-soak.ts')).runBrokerSoak({ records, json, say: progress });
  if (broker !== 'embedded') throw new Error('--broker is embedded or rocketmq');
  if (source === 'sqlite') return soakPipeline({ seconds, seed, json });
  if (source !== 'mysql' && source !== 'mariadb') throw new Error('--source is sqlite, mysql or mariadb');
  return (await import('./mysql/run-mysql-soak.ts')).runMysqlSoak({ source, seconds, seed, json, say: progress });
}

async function soakPipeline(options: Options): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-soak-'));
  progress(`${options.seconds} s with seed ${options.seed}, in ${folder}`);
  let passed = false;
  try {
    const report = await soak(folder, options);
    printReport(report);
    if (options.json) process.stdout.write(`${JSON.stringify(report.figures)}\n`);
    passed = isPassed(report.figures);
    return passed ? 0 : 1;
  } finally {
    if (passed) rmSync(folder, { recursive: true, force: true });
    else progress(`everything is left in ${folder}; again: npm run soak -- --seconds ${options.seconds} --seed ${options.seed}`);
  }
}

async function soak(folder: string, { seconds, seed }: Options): Promise<Report> {
  const database = new SqliteShop(join(folder, 'shop.db'));
  const shop = await Shop.open(database, { seed });
  const first = startServer(folder, { port: 0 });
  const url = await first.ready();
  if (url === null) throw new Error(`sortie did not start:\n${first.said()}`);
  const port = Number(new URL(url).port);
  const chaos = new Chaos(first, { seed, start: () => startServer(folder, { port }) });
  const closed = new AbortController();
  try {
    await sortie(folder, ['apply', '-f', CONNECTORS, '--url', url]);
    const lag = new ProbeLag(folder, shop);
    const busy = keepBusy({ shop, chaos, lag, signal: closed.signal });
    await chaos.run(performance.now() + seconds * 1_000).finally(() => closed.abort());
    await busy;

    const closedAtMs = performance.now();
    const comparison = await drained({ folder, shop, lag });
    const drainedInMs = Math.round(performance.now() - closedAtMs);
    await chaos.server.stop();
    const leftOver = await chaos.leftOver();
    const deliveries = await delivered(folder);
    return reportOf({ seed, seconds, changes: shop.changes, comparison, deliveries, leftOver, drainedInMs, killed: chaos.kills });
  } finally {
    closed.abort();
    await database.close();
    await chaos.server.stop();
  }
}

interface Busy {
  readonly shop: Shop;
  readonly chaos: Chaos;
  readonly lag: ProbeLag;
  readonly signal: AbortSignal;
}

async function keepBusy({ shop, chaos, lag, signal }: Busy): Promise<void> {
  let [probeAtMs, tellAtMs] = [0, performance.now() + TELL_EVERY_MS];
  while (!signal.aborted) {
    await shop.step();
    const nowMs = performance.now();
    if (nowMs >= probeAtMs) {
      await lag.probe();
      probeAtMs = nowMs + PROBE_EVERY_MS;
    }
    if (nowMs >= tellAtMs) {
      progress(`${shop.changes.toLocaleString('en-US')} changes, ${lag.told()}; killed: ${told(chaos.kills)}`);
      tellAtMs = nowMs + TELL_EVERY_MS;
    }
    await sleep(STEP_EVERY_MS);
  }
}

/** Compares again and again, until nothing differs any more, or too long. */
async function drained({
  folder,
  shop,
  lag,
}: {
  readonly folder: string;
  readonly shop: Shop;
  readonly lag: ProbeLag;
}): Promise<Comparison> {
  const untilMs = performance.now() + DRAINS_WITHIN_MS;
  let tellAtMs = performance.now() + TELL_EVERY_MS;
  await lag.probe();
  for (;;) {
    await sleep(COMPARE_EVERY_MS);
    const isLate = performance.now() > untilMs;
    const comparison = isLate || lag.lastArrived() === shop.probes ? await compare(shop, folder) : null;
    if (comparison !== null && (isLate || comparison.mismatches === 0)) return comparison;
    if (performance.now() < tellAtMs) continue;
    progress(
      `the shop is closed; ${comparison === null ? lag.told() : `${comparison.mismatches.toLocaleString('en-US')} rows differ`}`,
    );
    tellAtMs = performance.now() + TELL_EVERY_MS;
  }
}

/** Nobody else is in the folder any more. */
async function delivered(folder: string): Promise<Deliveries> {
  const world = { clock: systemClock, random: systemRandom, telemetry: new MemoryTelemetry() };
  const data = await openDataFolder(join(folder, 'data'), world);
  try {
    return await checkDeliveries(folder, data);
  } finally {
    await data.close();
  }
}

function progress(text: string): void {
  process.stderr.write(`[soak ${((performance.now() - STARTED_AT_MS) / 1_000).toFixed(0).padStart(3)} s] ${text}\n`);
}
