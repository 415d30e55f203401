/** Many seeds, side by side on as many threads as there are cores. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { PlantedBug } from './bugs/planted-bugs.ts';
import { DEFAULT_SCENARIO, type ScenarioName } from './faults/scenarios.ts';
import type { SimulationResult } from './simulate.ts';

export interface SeedsRequest {
  readonly from: number;
  readonly count: number;
  readonly bug?: PlantedBug;
  readonly scenario?: ScenarioName;
  /** The first violation ends the run. */
  readonly stopAtViolation?: boolean;
  readonly linesMax?: number;
  readonly onResult?: (result: SimulationResult, done: number) => void;
}

export interface SeedsSummary {
  readonly seeds: number;
  readonly simulatedMs: number;
  readonly violations: readonly SimulationResult[];
  readonly faults: ReadonlyMap<string, number>;
  readonly transitions: ReadonlyMap<string, number>;
  /** The least any seed had. */
  readonly shardsMin: number;
  readonly recordsMin: number;
  readonly faultsMin: number;
}

/** Of a trace, in each result. */
const LINES_MAX = 400;

/** Enough to see the cause; a planted bug breaks nearly every seed. */
const VIOLATIONS_KEPT = 20;

export async function runSeeds(request: SeedsRequest): Promise<SeedsSummary> {
  const summary = new Summary();
  let next = request.from;
  const end = request.from + request.count;
  const take = (): number | null => {
    if (next >= end || (request.stopAtViolation === true && summary.violations.length > 0)) return null;
    next += 1;
    return next - 1;
  };
  const threads = Math.min(availableParallelism(), request.count);
  await Promise.all(Array.from({ length: threads }, () => runThread(request, take, summary)));
  return summary;
}

/** Of the lowest seed, whichever thread was done first. */
export function firstViolation(violations: SeedsSummary['violations']): SimulationResult | null {
  return violations.reduce<SimulationResult | null>(
    (first, one) => (first === null || one.seed < first.seed ? one : first),
    null,
  );
}

function runThread(
  { bug, scenario = DEFAULT_SCENARIO, linesMax = LINES_MAX, onResult }: SeedsRequest,
  take: () => number | null,
  summary: Summary,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const workerData = { bug: bug ?? null, linesMax, scenario };
    const worker = new Worker(new URL('./seed-worker.ts', import.meta.url), { workerData });
    const sendNext = (): void => {
      // After the last one it ends by itself: a thread that is ended from outside, again and again, once took its process along.
      worker.postMessage(take());
    };
    worker.on('message', (result: SimulationResult) => {
      summary.add(result);
      onResult?.(result, summary.seeds);
      sendNext();
    });
    worker.on('error', reject);
    worker.on('exit', () => resolve());
    sendNext();
  });
}

class Summary implements SeedsSummary {
  seeds = 0;
  simulatedMs = 0;
  readonly violations: SimulationResult[] = [];
  readonly faults = new Map<string, number>();
  readonly transitions = new Map<string, number>();
  shardsMin = Number.POSITIVE_INFINITY;
  recordsMin = Number.POSITIVE_INFINITY;
  faultsMin = Number.POSITIVE_INFINITY;

  add(result: SimulationResult): void {
    this.seeds += 1;
    this.simulatedMs += result.simulatedMs;
    if (result.violation !== null && this.violations.length < VIOLATIONS_KEPT) this.violations.push(result);
    addCounts(this.faults, result.faults);
    addCounts(this.transitions, result.transitions);
    this.shardsMin = Math.min(this.shardsMin, result.shards);
    this.recordsMin = Math.min(this.recordsMin, result.records);
    this.faultsMin = Math.min(
      this.faultsMin,
      [...result.faults.values()].reduce((sum, count) => sum + count, 0),
    );
  }
}

function addCounts(to: Map<string, number>, counts: ReadonlyMap<string, number>): void {
  for (const [name, count] of counts) to.set(name, (to.get(name) ?? 0) + count);
}
