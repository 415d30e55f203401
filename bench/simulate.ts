/** How fast the simulator runs: seeds one after the other on one thread, each a world with hosts, faults and checks. */
import { simulate } from '../test/simulation/simulate.ts';
import type { Report } from './figure.ts';

const RUN_MS = 10_000;

export async function run(report: Report): Promise<void> {
  let seeds = 0;
  let records = 0;
  let simulatedMs = 0;
  let violations = 0;
  let elapsedMs = 0;
  const startedAtMs = performance.now();
  while (elapsedMs < RUN_MS) {
    const result = await simulate(seeds + 1);
    seeds += 1;
    records += result.records;
    simulatedMs += result.simulatedMs;
    if (result.violation !== null) violations += 1;
    elapsedMs = performance.now() - startedAtMs;
  }
  report.note(`seeds 1 to ${seeds} on one thread, ${records.toLocaleString('en-US')} records; Node ${process.version}`);
  report.figure({ name: 'seeds', value: (seeds / elapsedMs) * 60_000, unit: '1/min', goal: 'printed' });
  report.figure({ name: 'simulated time', value: simulatedMs / elapsedMs, unit: 's/s', goal: 'printed' });
  report.figure({ name: 'violations', value: violations, unit: 'seeds', goal: { atMost: 0 } });
}
