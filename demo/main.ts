/**
 * `npm run demo`: the main job, end to end, on one machine. A shop's database changes, its changes go through topics into a second
 * database and into files, processes that do it are killed, and in the end all three are compared row by row.
 *
 * `-- --json` prints the report as one object on the last line, `-- --keep` leaves everything running. Exit code 1: a mismatch,
 * or fewer than ten processes killed at work.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Comparison, compare } from './comparison.ts';
import { killNowAndThen } from './killer.ts';
import { ReplicaWatch } from './latency.ts';
import { printReport, type Report, reportOf } from './report.ts';
import { type Server, sortie, startServer } from './server.ts';
import { SHOP_ROWS, Shop } from './shop.ts';

const CONNECTORS = fileURLToPath(new URL('../examples/shop', import.meta.url));

const BUSY_MS = 30_000;
const SEED = 7;
const STEP_EVERY_MS = 2;
const PROBE_EVERY_MS = 20;
/** Processes that are killed with slices in their hands: with fewer the demo shows too little. */
const KILLED_MIN = 10;
/** So much longer the shop stays open until there are as many. */
const MORE_MS = 10_000;
/** What is killed again and again before it gets anywhere would be taken for what kills it. */
const KILL_EVERY_MS = 2_500;
const DRAINS_WITHIN_MS = 60_000;
const COMPARE_EVERY_MS = 500;

const STARTED_AT_MS = performance.now();

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { json: { type: 'boolean' }, keep: { type: 'boolean' } } });
  const folder = mkdtempSync(join(tmpdir(), 'sortie-demo-'));
  const shop = new Shop(join(folder, 'shop.db'), { seed: SEED });
  progress(`a shop with ${SHOP_ROWS.toLocaleString('en-US')} rows is in ${folder}/shop.db`);
  const server = startServer(folder, { port: 0 });
  let keeps = false;
  try {
    const url = await server.ready();
    if (url === null) throw new Error(`sortie did not start:\n${server.said()}`);
    progress(`Sortie runs at ${url}, its invocations in processes of their own`);
    const report = await run({ folder, shop, server, url });
    keeps = values.keep === true;
    printReport(report, keeps ? { folder, url } : null);
    if (values.json === true) process.stdout.write(`${JSON.stringify(report.figures)}\n`);
    if (keeps) await untilInterrupted();
    if (report.processesKilled < KILLED_MIN) progress(`only ${report.processesKilled} processes were killed at work`);
    return report.figures.mismatches === 0 && report.processesKilled >= KILLED_MIN ? 0 : 1;
  } finally {
    shop.close();
    await server.stop();
    if (!keeps) rmSync(folder, { recursive: true, force: true });
  }
}

async function run({
  folder,
  shop,
  server,
  url,
}: {
  readonly folder: string;
  readonly shop: Shop;
  readonly server: Server;
  readonly url: string;
}): Promise<Report> {
  const startedAtMs = performance.now();
  await sortie(folder, ['apply', '-f', CONNECTORS, '--url', url]);
  progress('three connectors of examples/shop are applied: shop-cdc, shop-replica, shop-archive');

  const watch = new ReplicaWatch(folder);
  const watching = new AbortController();
  const watched = watch.run(watching.signal);
  const killing = new AbortController();
  const killed = killNowAndThen(server, KILL_EVERY_MS, killing.signal);
  await keepBusy(shop, server);
  killing.abort();
  await killed;
  const processesKilled = server.hostsKilled();
  progress(`the shop closes after ${shop.changes.toLocaleString('en-US')} changes; ${processesKilled} processes were killed`);

  const comparison = await drained(folder, shop, watch);
  const elapsedMs = performance.now() - startedAtMs;
  watching.abort();
  await watched;
  return reportOf({ comparison, server, watch, elapsedMs, processesKilled });
}

async function keepBusy(shop: Shop, server: Server): Promise<void> {
  const untilMs = performance.now() + BUSY_MS;
  let probeAtMs = 0;
  let toldAtMs = performance.now();
  const isOver = (): boolean =>
    performance.now() >= untilMs && (server.hostsKilled() >= KILLED_MIN || performance.now() >= untilMs + MORE_MS);
  while (!isOver()) {
    shop.step();
    if (performance.now() >= probeAtMs) {
      shop.probe();
      probeAtMs = performance.now() + PROBE_EVERY_MS;
    }
    if (performance.now() - toldAtMs > 5_000) {
      toldAtMs = performance.now();
      progress(`${shop.changes.toLocaleString('en-US')} changes so far, ${server.invocationsKilled()} invocations killed`);
    }
    await sleep(STEP_EVERY_MS);
  }
}

/** Compares again and again, until nothing differs any more, or too long. */
async function drained(folder: string, shop: Shop, watch: ReplicaWatch): Promise<Comparison> {
  const untilMs = performance.now() + DRAINS_WITHIN_MS;
  let comparison: Comparison | null = null;
  while (performance.now() < untilMs) {
    await sleep(COMPARE_EVERY_MS);
    if (watch.lastProbe < shop.probes) continue;
    comparison = compare(folder);
    if (comparison.mismatches === 0) return comparison;
  }
  return comparison ?? compare(folder);
}

function untilInterrupted(): Promise<void> {
  progress('it goes on until you press Ctrl-C');
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}

function progress(text: string): void {
  process.stderr.write(`[demo ${((performance.now() - STARTED_AT_MS) / 1_000).toFixed(0).padStart(3)} s] ${text}\n`);
}
