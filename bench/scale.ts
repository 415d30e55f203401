/** How soon a burst is drained by a thousand simulated hosts, beside the least possible time. */
import { burst } from '../test/simulation/scale/burst.ts';
import type { Report } from './figure.ts';

const SEED = 1;

export async function run(report: Report): Promise<void> {
  const startedAtMs = performance.now();
  const { notes, figures, violation } = await burst.run('full', SEED);
  if (violation !== null) throw new Error(violation);
  for (const note of notes) report.note(note);
  report.note(`simulated in ${((performance.now() - startedAtMs) / 1_000).toFixed(1)} s; Node ${process.version}`);
  for (const figure of figures) report.figure(figure);
}
