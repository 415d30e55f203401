/**
 * npm run simulate -- --seeds N [--seed S] [--trace] [--bug NAME] [--planted-bugs] [--json]
 *
 * --seeds N         runs seeds 1 to N (with --seed S: from S on)
 * --seed S          runs one seed, and prints its trace where it fails; --trace prints it anyway
 * --bug NAME        with a planted bug
 * --planted-bugs    runs every planted bug until something finds it, and writes docs/planted-bugs.md
 * --json            one object on the last line
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { findPlantedBugs, plantedBugsPage } from './bugs/find-planted-bugs.ts';
import { plantedBugs } from './bugs/planted-bugs.ts';
import { transitionNames } from './checks/transitions.ts';
import { faultNames } from './faults/faults.ts';
import { runSeeds, type SeedsSummary } from './run-seeds.ts';
import type { SimulationResult } from './simulate.ts';

const SEEDS = 2_000;
const TRACE_LINES_MAX = 1_000_000;
const PROGRESS_EVERY_MS = 1_000;
const PROGRESS_LINE_EVERY_MS = 60_000;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    bug: { type: 'string' },
    trace: { type: 'boolean', default: false },
    'planted-bugs': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

process.exitCode = values['planted-bugs'] ? await huntBugs() : await run();

async function run(): Promise<number> {
  const from = count('seed', 1);
  const seeds = count('seeds', values.seed === undefined ? SEEDS : 1);
  const bug = values.bug === undefined ? undefined : plantedBugs.find(({ name }) => name === values.bug);
  if (values.bug !== undefined && bug === undefined) {
    console.error(`there is no planted bug "${values.bug}"; there are: ${plantedBugs.map(({ name }) => name).join('; ')}`);
    return 2;
  }
  const startedAtMs = performance.now();
  const progress = progressLine(seeds);
  const summary = await runSeeds({
    from,
    count: seeds,
    ...(bug === undefined ? {} : { bug, stopAtViolation: true }),
    ...(seeds === 1 ? { linesMax: TRACE_LINES_MAX } : {}),
    onResult: (result, done) => {
      if (seeds === 1 && (values.trace || result.violation !== null)) console.log(result.trace.join('\n'));
      progress(done, result);
    },
  });
  return report(summary, { seconds: (performance.now() - startedAtMs) / 1_000, checkCounts: seeds >= SEEDS });
}

function count(name: 'seed' | 'seeds', otherwise: number): number {
  const value = values[name] === undefined ? otherwise : Number(values[name]);
  if (Number.isSafeInteger(value) && value > 0) return value;
  console.error(`--${name} takes a whole number above 0, not ${values[name]}`);
  process.exit(2);
}

/** On a terminal one line that changes; elsewhere, as in CI, a line now and then. */
function progressLine(seeds: number): (done: number, result: SimulationResult) => void {
  const { isTTY } = process.stderr;
  const everyMs = isTTY ? PROGRESS_EVERY_MS : PROGRESS_LINE_EVERY_MS;
  let shownAtMs = performance.now();
  let violations = 0;
  return (done, { violation, seed }) => {
    if (violation !== null) {
      violations += 1;
      process.stderr.write(`${isTTY ? '\r' : ''}seed ${seed}: ${violation}\n`);
    }
    if (performance.now() - shownAtMs < everyMs && !(isTTY && done === seeds)) return;
    shownAtMs = performance.now();
    const line = `${done} of ${seeds} seeds, ${violations} violations`;
    process.stderr.write(isTTY ? `\r${line}${done === seeds ? '\n' : ''}` : `${line}\n`);
  };
}

function report(
  summary: SeedsSummary,
  { seconds, checkCounts }: { readonly seconds: number; readonly checkCounts: boolean },
): number {
  const never = checkCounts
    ? [
        ...faultNames.filter((name) => !summary.faults.has(name)),
        ...transitionNames.filter((name) => !summary.transitions.has(name)),
      ]
    : [];
  const ok = summary.violations.length === 0 && never.length === 0;
  if (values.json) {
    console.log(
      JSON.stringify({
        ok,
        seeds: summary.seeds,
        seconds,
        simulatedSeconds: summary.simulatedMs / 1_000,
        violations: summary.violations.map(({ seed, violation }) => ({ seed, violation })),
        never,
        faults: Object.fromEntries(summary.faults),
        transitions: Object.fromEntries(summary.transitions),
      }),
    );
    return ok ? 0 : 1;
  }
  printCounts('fault', faultNames, summary.faults);
  printCounts('transition', transitionNames, summary.transitions);
  console.log(
    `${summary.seeds} seeds in ${seconds.toFixed(1)} s: ${((summary.seeds / seconds) * 60).toFixed(0)} a minute, ${(summary.simulatedMs / 1_000 / seconds).toFixed(0)} simulated seconds a second`,
  );
  console.log(`each at least ${summary.shardsMin} shards, ${summary.recordsMin} records, ${summary.faultsMin} faults`);
  for (const name of never) console.log(`never seen: ${name}`);
  for (const { seed, violation } of summary.violations)
    console.log(
      `seed ${seed}: ${violation}\n  replay it with: npm run simulate -- --seed ${seed}${values.bug === undefined ? '' : ` --bug '${values.bug}'`}`,
    );
  console.log(ok ? 'every check held' : 'FAILED');
  return ok ? 0 : 1;
}

function printCounts(what: string, names: readonly string[], counts: ReadonlyMap<string, number>): void {
  console.log(`${what.padEnd(62)} times`);
  for (const name of names) console.log(`  ${name.padEnd(58)} ${String(counts.get(name) ?? 0).padStart(7)}`);
}

async function huntBugs(): Promise<number> {
  const found = await findPlantedBugs((line) => console.log(line));
  writeFileSync(new URL('../../docs/planted-bugs.md', import.meta.url), plantedBugsPage(found));
  return found.every(({ caughtBy }) => caughtBy !== null) ? 0 : 1;
}
