/** Runs a scale scenario and tells what came of it: a table over time, a verdict with its figures, a plot. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { figureOf, tableOf } from '../../../bench/figure.ts';
import { plotOf } from './plot.ts';
import { isGood, type ScaleResult, type ScaleScenario } from './scale-result.ts';
import type { Sample } from './timeline.ts';

/** Of the table; where there are more samples, rows are left out evenly. */
const ROWS_MAX = 60;

const PLOTS = fileURLToPath(new URL('../../../node_modules/.cache/simulation/', import.meta.url));

export interface ScaleRequest {
  readonly scenario: ScaleScenario;
  readonly seed: number;
  /** Where the plot goes; `null`: beside what other tools leave. */
  readonly plot: string | null;
  readonly json: boolean;
}

/** The exit code. */
export async function runScale({ scenario, seed, plot, json }: ScaleRequest): Promise<number> {
  const startedAtMs = performance.now();
  const result = await scenario.run('full', seed);
  const seconds = (performance.now() - startedAtMs) / 1_000;
  const path = plot === null ? `${PLOTS}${scenario.name}.svg` : resolve(plot);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, plotOf(result));
  const { figures, violation, samples } = result;
  const ok = isGood(result);
  if (json)
    console.log(
      JSON.stringify({
        ok,
        scenario: scenario.name,
        seed,
        seconds,
        figures: figures.map(figureOf),
        violation,
        samples,
        plot: path,
      }),
    );
  else print(result, { ok, seconds, path });
  return ok ? 0 : 1;
}

function print(
  { notes, samples, figures, violation }: ScaleResult,
  { ok, seconds, path }: { readonly ok: boolean; readonly seconds: number; readonly path: string },
): void {
  for (const note of notes) console.log(note);
  console.log(`\n${timeTable(samples)}\n`);
  console.log(tableOf(figures.map(figureOf)));
  if (violation !== null) console.log(`\nviolation ${violation}`);
  console.log(`\nplot: ${path}`);
  console.log(`${ok ? 'every check and figure held' : 'FAILED'}, after ${seconds.toFixed(1)} s`);
}

const COLUMNS: readonly (readonly [string, (sample: Sample) => number])[] = [
  ['second', ({ atMs }) => atMs / 1_000],
  ['backlog', ({ backlog }) => backlog],
  ['delivered/s', ({ deliveredPerSecond }) => deliveredPerSecond],
  ['running', ({ running }) => running],
  ['allowed', ({ allowed }) => allowed],
  ['invoked/s', ({ invocationsPerSecond }) => invocationsPerSecond],
  ['reads/s', ({ storeReadsPerSecond }) => storeReadsPerSecond],
  ['writes/s', ({ storeWritesPerSecond }) => storeWritesPerSecond],
  ['conflicts/s', ({ conflictsPerSecond }) => conflictsPerSecond],
];

const COLUMN_WIDTH = 12;

function timeTable(samples: readonly Sample[]): string {
  const every = Math.ceil(samples.length / ROWS_MAX);
  const rows = samples.filter((_, index) => index % every === 0);
  return [
    COLUMNS.map(([name]) => name.padStart(COLUMN_WIDTH)).join(''),
    ...rows.map((sample) =>
      COLUMNS.map(([, value]) => Math.round(value(sample)).toLocaleString('en-US').padStart(COLUMN_WIDTH)).join(''),
    ),
  ].join('\n');
}
