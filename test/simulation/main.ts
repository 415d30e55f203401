/**
 * npm run simulate -- --seeds N [--seed S] [--scenario NAME] [--trace] [--bug NAME] [--planted-bugs] [--json]
 * npm run simulate -- --scenario NAME [--seed S] [--plot FILE] [--json]
 *
 * --seeds N         runs seeds 1 to N (with --seed S: from S on)
 * --seed S          runs one seed, and prints its trace where it fails; --trace prints it anyway
 * --scenario NAME   draws only some of the faults; burst, hotqueue, sinkslow, storeslow, manyidle: runs that scale scenario
 * --plot FILE       where the plot of a scale scenario goes
 * --bug NAME        with a planted bug
 * --planted-bugs    runs every planted bug until something finds it, and writes docs/planted-bugs.md
 * --json            one object on the last line
 * --help            prints how it is called
 */
import { writeFileSync } from 'node:fs';
import { type Arguments, ArgumentsError, parseArguments, SEEDS, USAGE } from './arguments.ts';
import { findPlantedBugs, plantedBugsPage } from './bugs/find-planted-bugs.ts';
import { transitionNames } from './checks/transitions.ts';
import { faultNames } from './faults/faults.ts';
import { DEFAULT_SCENARIO } from './faults/scenarios.ts';
import { firstViolation, runSeeds, type SeedsSummary } from './run-seeds.ts';
import { runScale } from './scale/run-scale.ts';
import type { SimulationResult } from './simulate.ts';

const TRACE_LINES_MAX = 1_000_000;
const PROGRESS_EVERY_MS = 1_000;
const PROGRESS_LINE_EVERY_MS = 60_000;

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const args = parseArguments(process.argv.slice(2));
    const { scale, from: seed, plot, json, help } = args;
    if (help) {
      console.log(USAGE);
      return 0;
    }
    if (scale !== undefined) return await runScale({ scenario: scale, seed, plot, json });
    return args.huntsBugs ? await huntBugs() : await run(args);
  } catch (error) {
    if (!(error instanceof ArgumentsError)) throw error;
    console.error(`simulate: ${error.message}\n${USAGE}`);
    return 2;
  }
}

async function run(args: Arguments): Promise<number> {
  const { from, seeds, scenario, bug } = args;
  const startedAtMs = performance.now();
  const progress = progressLine(seeds);
  const summary = await runSeeds({
    from,
    count: seeds,
    scenario,
    ...(bug === undefined ? {} : { bug, stopAtViolation: true }),
    ...(seeds === 1 ? { linesMax: TRACE_LINES_MAX } : {}),
    onResult: (result, done) => {
      if (seeds === 1 && (args.trace || result.violation !== null)) console.log(result.trace.join('\n'));
      progress(done, result);
    },
  });
  return report(summary, args, (performance.now() - startedAtMs) / 1_000);
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

function report(summary: SeedsSummary, args: Arguments, seconds: number): number {
  const never = args.checksCounts
    ? [
        ...faultNames.filter((name) => !summary.faults.has(name)),
        ...transitionNames.filter((name) => !summary.transitions.has(name)),
      ]
    : [];
  const ok = summary.violations.length === 0 && never.length === 0;
  if (args.json) {
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
  if (args.bug === undefined && summary.seeds < SEEDS)
    console.log(`too few seeds to judge what never happened: that takes ${SEEDS}`);
  for (const name of never) console.log(`never seen: ${name}`);
  printFirstTrace(summary);
  for (const { seed, violation } of summary.violations)
    console.log(`seed ${seed}: ${violation}\n  replay it with: npm run simulate -- --seed ${seed}${replayOptions(args)}`);
  console.log(ok ? 'every check held' : 'FAILED');
  return ok ? 0 : 1;
}

/** Where one seed runs, its trace was printed whole. */
function printFirstTrace({ seeds, violations }: SeedsSummary): void {
  const first = firstViolation(violations);
  if (first !== null && seeds > 1) console.log(`the end of what happened in seed ${first.seed}:\n${first.trace.join('\n')}`);
}

function replayOptions({ bug, scenario }: Arguments): string {
  return `${scenario === DEFAULT_SCENARIO ? '' : ` --scenario ${scenario}`}${bug === undefined ? '' : ` --bug '${bug.name}'`}`;
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
