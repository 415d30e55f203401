/**
 * `npm run soak -- --source mysql` or `mariadb`: a real server whose tables are changed all the time, its changes carried into topics by
 * processes that are killed, main processes and the server itself included. Afterwards the topics add up to the tables, and each change
 * is in them once, in its order.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDataFolder } from '../../../adapters/data-folder.ts';
import { MemoryTelemetry } from '../../../adapters/memory/memory-telemetry.ts';
import { systemClock, systemRandom } from '../../../adapters/system.ts';
import { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import { DatabaseServer } from '../../../servers/database/database-server.ts';
import { missingDebianTools } from '../../../servers/debian/debian-root.ts';
import { mariadbProgram } from '../../../servers/mariadb/mariadb-program.ts';
import { mysqlProgram } from '../../../servers/mysql/mysql-program.ts';
import { startServer } from '../../server.ts';
import { Chaos } from '../chaos.ts';
import { isPassed, printReport, type Report, reportOf, told } from '../report.ts';
import { fill, type Run } from './busy-tables.ts';
import { applyCapture, hasDrained } from './capture.ts';
import { checkTopics } from './check-topics.ts';
import { Writers } from './writers.ts';

const programs = { mysql: mysqlProgram, mariadb: mariadbProgram('11.8') } as const;

type SoakSource = keyof typeof programs;

interface Options {
  readonly source: SoakSource;
  readonly seconds: number;
  readonly seed: number;
  readonly json: boolean;
  readonly say: (text: string) => void;
}

/** What it has committed survives the end of its process. */
const SETTINGS = { sync_binlog: '0', innodb_flush_log_at_trx_commit: '2' };

const PREFIX = 'soak';
const STATEMENT_TIMEOUT_MS = 60_000;
const TELL_EVERY_MS = 5_000;
const DRAINS_WITHIN_MS = 300_000;

/** The exit code. */
export async function runMysqlSoak(options: Options): Promise<number> {
  const { source, seconds, seed, say } = options;
  const missing = missingDebianTools();
  if (missing !== null) {
    say(missing);
    return 3;
  }
  const folder = mkdtempSync(join(tmpdir(), 'sortie-soak-'));
  let passed = false;
  try {
    const report = await soak(folder, options);
    printReport(report);
    if (options.json) process.stdout.write(`${JSON.stringify(report.figures)}\n`);
    passed = isPassed(report.figures);
    return passed ? 0 : 1;
  } finally {
    if (passed) rmSync(folder, { recursive: true, force: true });
    else say(`everything is left in ${folder}; again: npm run soak -- --source ${source} --seconds ${seconds} --seed ${seed}`);
  }
}

async function soak(folder: string, { source, seconds, seed, say }: Options): Promise<Report> {
  const place = { folder: join(folder, source), settings: SETTINGS, say };
  const database = await DatabaseServer.start(programs[source], place);
  const connect = (): Promise<MysqlConnection> => connectTo(database);
  const run: Run = (...statements) => runAll(connect, statements);
  await fill(run);
  const first = startServer(folder, { port: 0 });
  const url = await first.ready();
  if (url === null) throw new Error(`sortie did not start:\n${first.said()}`);
  const port = Number(new URL(url).port);
  const chaos = new Chaos(first, { seed, start: () => startServer(folder, { port }) });
  const closed = new AbortController();
  const data = await openDataFolder(join(folder, 'data'), {
    clock: systemClock,
    random: systemRandom,
    telemetry: new MemoryTelemetry(),
  });
  try {
    await applyCapture(folder, { login: { port: database.port, user: 'root' }, prefix: PREFIX, url });
    const writers = new Writers(connect, { seed });
    const busy = Promise.all([
      writers.run(closed.signal),
      restartOnce(database, { afterMs: (seconds * 1_000) / 2, closed: closed.signal }),
      tell(() => `${writers.transactions.toLocaleString('en-US')} transactions; killed: ${told(chaos.kills)}`, {
        say,
        closed: closed.signal,
      }),
    ]);
    await chaos.run(performance.now() + seconds * 1_000).finally(() => closed.abort());
    await busy;

    const closedAtMs = performance.now();
    say('nobody writes any more');
    const isDrained = await hasDrained(data.broker, run, { prefix: PREFIX, url, withinMs: DRAINS_WITHIN_MS });
    if (!isDrained) say(`not everything has arrived after ${DRAINS_WITHIN_MS / 1_000} s`);
    const drainedInMs = Math.round(performance.now() - closedAtMs);
    await chaos.server.stop();
    const leftOver = await chaos.leftOver();
    const checked = await checkTopics(data.broker, run, { prefix: PREFIX });
    return reportOf({ seed, seconds, changes: writers.transactions, ...checked, leftOver, drainedInMs, killed: chaos.kills });
  } finally {
    closed.abort();
    await chaos.server.stop();
    await data.close();
    await database.kill();
  }
}

async function restartOnce(
  database: DatabaseServer,
  { afterMs, closed }: { readonly afterMs: number; readonly closed: AbortSignal },
): Promise<void> {
  await sleep(afterMs, undefined, { signal: closed }).catch(() => undefined);
  if (closed.aborted) return;
  await database.kill();
  await database.restart();
}

async function tell(
  what: () => string,
  { say, closed }: { readonly say: (text: string) => void; readonly closed: AbortSignal },
): Promise<void> {
  while (!closed.aborted) {
    await sleep(TELL_EVERY_MS, undefined, { signal: closed }).catch(() => undefined);
    say(what());
  }
}

function connectTo({ port }: DatabaseServer): Promise<MysqlConnection> {
  return MysqlConnection.open({ host: '127.0.0.1', port, user: 'root', password: '', program: 'soak', clock: systemClock });
}

async function runAll(connect: () => Promise<MysqlConnection>, statements: readonly string[]): ReturnType<Run> {
  const connection = await connect();
  try {
    let rows: Awaited<ReturnType<Run>> = [];
    for (const statement of statements) rows = await connection.query(statement, STATEMENT_TIMEOUT_MS);
    return rows;
  } finally {
    connection.close();
  }
}
