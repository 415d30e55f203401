/**
 * `npm run demo`: the main job, end to end, on one machine. A shop's database changes, its changes go through topics into a second
 * database and into files, processes that do it are killed, and in the end all three are compared row by row.
 *
 * `-- --source mysql` (or `mariadb`) has the shop in a real server that it starts, `-- --broker rocketmq` the topics in a RocketMQ that
 * it starts, which needs Java and Maven (exit code 3 where something is missing).
 * `-- --json` prints the report as one object on the last line, `-- --keep` leaves everything running, and its files where they are.
 * Exit code 1: a mismatch, or fewer than ten processes killed at work. Ctrl-C ends it, and what it has made goes.
 */
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Comparison, compare } from './comparison.ts';
import { killNowAndThen } from './killer.ts';
import { ReplicaWatch } from './latency.ts';
import { LOGS, type LogName, missingFor, type RunningLog, startLog } from './log.ts';
import { printReport, type Report, reportOf } from './report.ts';
import { type Server, sortie, startServer } from './server.ts';
import { SHOP_ROWS, Shop } from './shop.ts';
import { connectorsFolder, missingForSource, type OpenedSource, openSource, SOURCES, type SourceName } from './source.ts';
import { standing } from './standing.ts';

const BUSY_MS = 30_000;
const SEED = 7;
const STEP_EVERY_MS = 2;
const PROBE_EVERY_MS = 20;
/** Processes that are killed with slices in their hands: with fewer the demo shows too little. */
const KILLED_MIN = 10;
/** So much longer the shop stays open, on a busy machine, until there are as many. */
const MORE_MS = 30_000;
/** What is killed again and again before it gets anywhere would be taken for what kills it. */
const KILL_EVERY_MS = 2_500;
const DRAINS_WITHIN_MS = 60_000;
const COMPARE_EVERY_MS = 500;

/** As a shell says it of a program that a signal has ended. */
const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 } as const;

const USAGE = `usage: npm run demo -- [--source ${SOURCES.join('|')}] [--broker ${LOGS.join('|')}] [--json] [--keep]`;

const STARTED_AT_MS = performance.now();

process.exitCode = await main();

interface Options {
  readonly source: SourceName;
  readonly broker: LogName;
  readonly json: boolean;
  readonly keep: boolean;
}

/** What the demo runs on. */
interface Stage {
  readonly folder: string;
  readonly source: OpenedSource;
  readonly shop: Shop;
  readonly server: Server;
  /** Aborted when it is interrupted, with the exit code. */
  readonly interrupted: AbortSignal;
}

async function main(): Promise<number> {
  const options = parsed();
  if (options === null) return refused(USAGE, 2);
  const missing = missingForSource(options.source) ?? missingFor(options.broker);
  if (missing !== null) return refused(missing, 3);
  const interrupted = interruption();
  const folder = mkdtempSync(join(tmpdir(), 'sortie-demo-'));
  try {
    return await onStage(folder, options, interrupted);
  } catch (error) {
    // Ctrl-C reaches what it has started as well, and that fails then.
    if (interrupted.aborted) return exitCodeOf(interrupted);
    throw error;
  } finally {
    if (!options.keep) rmSync(folder, { recursive: true, force: true });
  }
}

async function onStage(folder: string, options: Options, interrupted: AbortSignal): Promise<number> {
  const log = await startLog(options.broker, { folder, say: progress });
  try {
    const source = await openSource(options.source, { folder, say: progress });
    try {
      return await withShop({ folder, source, log, interrupted }, options);
    } finally {
      await source.database.close();
    }
  } finally {
    await log.stop();
  }
}

async function withShop(
  { log, ...stage }: Omit<Stage, 'shop' | 'server'> & { readonly log: RunningLog },
  options: Options,
): Promise<number> {
  const { folder, source } = stage;
  const shop = await Shop.open(source.database, { seed: SEED });
  progress(`a shop with ${SHOP_ROWS.toLocaleString('en-US')} rows is in ${source.database.place}`);
  const server = startServer(folder, { port: 0, flags: [...log.flags, ...source.flags], env: source.env });
  try {
    return await demo({ ...stage, shop, server }, options);
  } finally {
    await server.stop();
  }
}

/** `null` where they make no sense. */
function parsed(): Options | null {
  try {
    const { values } = parseArgs({
      options: {
        source: { type: 'string', default: 'sqlite' },
        broker: { type: 'string', default: 'embedded' },
        json: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
      },
    });
    const broker = LOGS.find((name) => name === values.broker);
    const source = SOURCES.find((name) => name === values.source);
    return broker === undefined || source === undefined ? null : { ...values, source, broker };
  } catch {
    return null;
  }
}

function refused(why: string, exitCode: number): number {
  process.stderr.write(`${why}\n`);
  return exitCode;
}

async function demo(stage: Stage, { json, keep }: Pick<Options, 'json' | 'keep'>): Promise<number> {
  const { folder, server, interrupted } = stage;
  const url = await server.ready();
  if (url === null) throw new Error(`sortie did not start:\n${server.said()}`);
  progress(`Sortie runs at ${url}, its invocations in processes of their own`);
  const report = await run(stage, url);
  if (report === null) return exitCodeOf(interrupted);
  printReport(report, keep ? { folder, url } : null);
  if (json) process.stdout.write(`${JSON.stringify(report.figures)}\n`);
  if (report.figures.mismatches > 0) await tellWhere(url, folder);
  if (report.processesKilled < KILLED_MIN) progress(`only ${report.processesKilled} processes were killed at work`);
  if (keep) {
    progress('it goes on until you press Ctrl-C');
    if (!interrupted.aborted) await once(interrupted, 'abort');
  }
  return report.figures.mismatches === 0 && report.processesKilled >= KILLED_MIN ? 0 : 1;
}

/** Before anything is stopped: somebody has to find out what went wrong. */
async function tellWhere(url: string, folder: string): Promise<void> {
  for (const line of await standing(url)) progress(line);
  const kept = `${folder}-differs`;
  cpSync(folder, kept, { recursive: true });
  progress(`all of it is kept in ${kept}`);
}

/** `null`: it was interrupted. */
async function run({ folder, source: { connectors }, shop, server, interrupted }: Stage, url: string): Promise<Report | null> {
  const startedAtMs = performance.now();
  await sortie(folder, ['apply', '-f', connectorsFolder(connectors), '--url', url]);
  progress(`three connectors of examples/${connectors} are applied: shop-cdc, shop-replica, shop-archive`);

  const watch = new ReplicaWatch(folder);
  const watching = new AbortController();
  const watched = watch.run(AbortSignal.any([watching.signal, interrupted]));
  const killing = new AbortController();
  const killed = killNowAndThen(server, KILL_EVERY_MS, AbortSignal.any([killing.signal, interrupted]));
  await keepBusy(shop, server, interrupted);
  killing.abort();
  await killed;
  const processesKilled = server.hostsKilled();
  progress(`the shop closes after ${shop.changes.toLocaleString('en-US')} changes; ${processesKilled} processes were killed`);

  const comparison = await drained(folder, { shop, watch, interrupted });
  const elapsedMs = performance.now() - startedAtMs;
  watching.abort();
  await watched;
  return comparison === null ? null : reportOf({ comparison, server, watch, elapsedMs, processesKilled });
}

async function keepBusy(shop: Shop, server: Server, interrupted: AbortSignal): Promise<void> {
  const untilMs = performance.now() + BUSY_MS;
  let probeAtMs = 0;
  let toldAtMs = performance.now();
  const isOver = (): boolean =>
    performance.now() >= untilMs && (server.hostsKilled() >= KILLED_MIN || performance.now() >= untilMs + MORE_MS);
  while (!isOver() && !interrupted.aborted) {
    await shop.step();
    if (performance.now() >= probeAtMs) {
      await shop.probe();
      probeAtMs = performance.now() + PROBE_EVERY_MS;
    }
    if (performance.now() - toldAtMs > 5_000) {
      toldAtMs = performance.now();
      progress(`${shop.changes.toLocaleString('en-US')} changes so far, ${server.invocationsKilled()} invocations killed`);
    }
    await sleep(STEP_EVERY_MS);
  }
}

/** Compares again and again, until nothing differs any more, or too long; `null`: it was interrupted. */
async function drained(
  folder: string,
  { shop, watch, interrupted }: { readonly shop: Shop; readonly watch: ReplicaWatch; readonly interrupted: AbortSignal },
): Promise<Comparison | null> {
  const untilMs = performance.now() + DRAINS_WITHIN_MS;
  let comparison: Comparison | null = null;
  while (performance.now() < untilMs) {
    await sleep(COMPARE_EVERY_MS);
    if (interrupted.aborted) return null;
    if (watch.lastProbe < shop.probes) continue;
    comparison = await compare(shop, folder);
    if (comparison.mismatches === 0) return comparison;
  }
  return comparison ?? (await compare(shop, folder));
}

/** By a first signal; a second one ends the process as it would any other. */
function interruption(): AbortSignal {
  const interrupted = new AbortController();
  for (const [name, exitCode] of Object.entries(INTERRUPTED)) process.once(name, () => interrupted.abort(exitCode));
  return interrupted.signal;
}

function exitCodeOf(interrupted: AbortSignal): number {
  return interrupted.reason as number;
}

function progress(text: string): void {
  process.stderr.write(`[demo ${((performance.now() - STARTED_AT_MS) / 1_000).toFixed(0).padStart(3)} s] ${text}\n`);
}
