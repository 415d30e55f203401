/** What the demo tells in the end. */
import type { RunRecord } from '../core/offer.ts';
import type { Comparison } from './comparison.ts';
import type { ReplicaWatch } from './latency.ts';
import type { Server } from './server.ts';

/** Names as `--json` prints them. */
export interface Figures {
  readonly rows: number;
  readonly mismatches: number;
  readonly recordsPerSecond: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  readonly invocations: number;
  readonly peakParallelism: number;
  readonly storeWritesPer1000: number;
  readonly killed: number;
}

export interface Report {
  readonly figures: Figures;
  readonly processesKilled: number;
  readonly examples: readonly string[];
}

export function reportOf({
  comparison: { rows, mismatches, examples },
  server,
  watch,
  elapsedMs,
  processesKilled,
}: {
  readonly comparison: Comparison;
  readonly server: Server;
  readonly watch: ReplicaWatch;
  readonly elapsedMs: number;
  readonly processesKilled: number;
}): Report {
  const delivered = sum(server.runs, ({ counts }) => counts.delivered);
  const figures: Figures = {
    rows,
    mismatches,
    recordsPerSecond: Math.round((delivered / elapsedMs) * 1_000),
    latencyMs: { p50: Math.round(watch.quantileMs(0.5)), p99: Math.round(watch.quantileMs(0.99)) },
    invocations: server.runs.length + server.invocationsKilled(),
    peakParallelism: peakOf(server.runs),
    storeWritesPer1000: Math.round((sum(server.runs, ({ counts }) => counts.storeWrites) / Math.max(delivered, 1)) * 10_000) / 10,
    killed: server.invocationsKilled(),
  };
  return { figures, processesKilled, examples };
}

/** `kept`: what goes on running, for whoever wants to look at it. */
export function printReport(
  { figures, processesKilled, examples }: Report,
  kept: { readonly folder: string; readonly url: string } | null,
): void {
  const { rows, mismatches, recordsPerSecond, latencyMs, invocations, peakParallelism, storeWritesPer1000, killed } = figures;
  const count = (value: number): string => value.toLocaleString('en-US');
  const lines = [
    '',
    mismatches === 0
      ? `  Nothing is lost and nothing is doubled: ${count(rows)} rows of the shop are in its replica and in its archive as they are in the shop.`
      : `  ${count(mismatches)} of ${count(rows)} rows differ:`,
    ...examples.map((example) => `    ${example}`),
    '',
    `  records moved          ${count(recordsPerSecond)} a second, into the log and out of it`,
    `  commit to replica      ${latencyMs.p50} ms for half of the rows, ${latencyMs.p99} ms for 99 of 100, the first copy and kills included`,
    `  invocations            ${count(invocations)}, at most ${peakParallelism} at once`,
    `  killed                 ${processesKilled} processes, with ${killed} invocations in them`,
    `  writes of the store    ${storeWritesPer1000} per 1,000 records`,
    '',
    ...(kept === null
      ? ['  Try next: npm run demo -- --keep, which leaves all of it running for you to look at']
      : [`  Try next: curl ${kept.url}/connectors/shop-replica/status`, `  and look into ${kept.folder}`]),
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function sum(runs: readonly RunRecord[], of: (run: RunRecord) => number): number {
  return runs.reduce((total, run) => total + of(run), 0);
}

/** Most runs that overlapped. */
function peakOf(runs: readonly RunRecord[]): number {
  const moments = runs.flatMap(({ startedAtMs, endedAtMs }) => [
    { atMs: startedAtMs, by: 1 },
    { atMs: endedAtMs, by: -1 },
  ]);
  moments.sort((a, b) => a.atMs - b.atMs || a.by - b.by);
  let running = 0;
  return moments.reduce((peak, { by }) => {
    running += by;
    return Math.max(peak, running);
  }, 0);
}
