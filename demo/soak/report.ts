/** What the soak tells in the end. */
import process from 'node:process';
import type { Comparison } from '../comparison.ts';
import type { Kills } from './chaos.ts';
import type { Deliveries } from './deliveries.ts';

/** Names as `--json` prints them. */
export interface Figures {
  readonly seed: number;
  readonly seconds: number;
  readonly changes: number;
  readonly rows: number;
  readonly mismatches: number;
  readonly records: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly outOfOrder: number;
  readonly leftOver: number;
  readonly drainedInMs: number;
  readonly killed: Kills;
}

export interface Report {
  readonly figures: Figures;
  readonly examples: readonly string[];
}

export function reportOf({
  comparison: { rows, mismatches, examples },
  deliveries: { records, lost, duplicated, outOfOrder, examples: more },
  leftOver,
  ...rest
}: Pick<Figures, 'seed' | 'seconds' | 'changes' | 'drainedInMs' | 'killed'> & {
  readonly comparison: Comparison;
  readonly deliveries: Deliveries;
  readonly leftOver: readonly number[];
}): Report {
  return {
    figures: { ...rest, rows, mismatches, records, lost, duplicated, outOfOrder, leftOver: leftOver.length },
    examples: [...examples, ...more, ...leftOver.map((pid) => `process ${pid} is still there, and its main process is not`)],
  };
}

export function isPassed({ mismatches, lost, duplicated, outOfOrder, leftOver }: Figures): boolean {
  return mismatches + lost + duplicated + outOfOrder + leftOver === 0;
}

export function printReport({ figures, examples }: Report): void {
  const { seed, changes, rows, records, drainedInMs, killed } = figures;
  const count = (value: number): string => value.toLocaleString('en-US');
  const lines = [
    '',
    isPassed(figures)
      ? '  0 lost, 0 duplicated.'
      : `  ${count(figures.lost)} lost, ${count(figures.duplicated)} duplicated, ${figures.outOfOrder} queues out of order, ${count(figures.mismatches)} rows differ, ${figures.leftOver} processes left over:`,
    ...examples.map((example) => `    ${example}`),
    '',
    `  compared     ${count(rows)} rows with what became of them, ${count(records)} records of the log one by one`,
    `  changes      ${count(changes)}`,
    `  killed       ${told(killed)}`,
    `  drained      ${(drainedInMs / 1_000).toFixed(1)} s after nobody changed anything any more`,
    `  seed         ${seed}`,
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** In one line. */
export function told({ hosts, mains, starting, frozen }: Kills): string {
  return `${hosts} hosts, ${mains} main processes, ${starting} more at their start; ${frozen} hosts frozen`;
}
