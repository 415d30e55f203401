import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { SEEDS } from './arguments.ts';
import { findPlantedBugs } from './bugs/find-planted-bugs.ts';
import { plantedBugs } from './bugs/planted-bugs.ts';
import { transitionNames } from './checks/transitions.ts';
import { faultNames } from './faults/faults.ts';
import { firstViolation, runSeeds } from './run-seeds.ts';
import { simulate } from './simulate.ts';

const MINUTE_MS = 60_000;

describe('simulation', () => {
  test(
    `no check fails, and everything is delivered once faults cease, in ${SEEDS} seeds (I1-I10)`,
    async () => {
      const summary = await runSeeds({ from: 1, count: SEEDS });
      const trace = firstViolation(summary.violations)?.trace.join('\n');

      // With the trace as message: a failure has to be understood from what the suite's log shows.
      expect(
        summary.violations.map(({ seed, violation }) => `seed ${seed}: ${violation}`),
        trace,
      ).toEqual([]);
      expect(faultNames.filter((name) => !summary.faults.has(name))).toEqual([]);
      expect(transitionNames.filter((name) => !summary.transitions.has(name))).toEqual([]);
      expect(summary.shardsMin).toBeGreaterThanOrEqual(3);
      expect(summary.recordsMin).toBeGreaterThanOrEqual(300);
      expect(summary.faultsMin).toBeGreaterThanOrEqual(5);
    },
    6 * MINUTE_MS,
  );

  test('a seed replays byte for byte', async () => {
    const first = await simulate(7);
    const second = await simulate(7);

    expect(second.digest).toBe(first.digest);
    expect(second.trace).toEqual(first.trace);
  });
});

describe('planted bugs', () => {
  test('are those of their page, each found by something', () => {
    const rows = rowsOfPage();

    expect(rows.map(({ name }) => name)).toEqual(plantedBugs.map(({ name }) => name));
    expect(rows.filter(({ caughtBy }) => caughtBy === '**nothing**')).toEqual([]);
  });

  test(
    'are all found',
    async () => {
      const found = await findPlantedBugs(() => undefined, new Map(rowsOfPage().map(({ name, seed }) => [name, seed])));

      expect(found.filter(({ caughtBy }) => caughtBy === null).map(({ bug }) => bug.name)).toEqual([]);
      expect(found).toHaveLength(plantedBugs.length);
    },
    10 * MINUTE_MS,
  );
});

interface Row {
  readonly name: string;
  readonly caughtBy: string;
  readonly seed: number;
}

function rowsOfPage(): readonly Row[] {
  const page = readFileSync(new URL('../../docs/planted-bugs.md', import.meta.url), 'utf8');
  const rows = page.matchAll(/^\| (?<name>[^|]+) \| `[^|]+ \| (?<caughtBy>[^|]+) \| (?<seed>\d+) \|$/gm);
  return Array.from(rows, ({ groups }) => ({
    name: groups?.['name'] ?? '',
    caughtBy: groups?.['caughtBy'] ?? '',
    seed: Number(groups?.['seed']),
  }));
}
