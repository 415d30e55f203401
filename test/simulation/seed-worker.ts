/** A thread that runs the seeds it is sent, with a planted bug or without, and ends when it is sent none. */
import { parentPort, workerData } from 'node:worker_threads';
import type { PlantedBug } from './bugs/planted-bugs.ts';
import type { ScenarioName } from './faults/scenarios.ts';

const { bug, linesMax, scenario } = workerData as {
  readonly bug: PlantedBug | null;
  readonly linesMax: number;
  readonly scenario: ScenarioName;
};
if (bug !== null) {
  const { plant } = await import('./bugs/plant.ts');
  plant(bug);
}
// Thousands of errors are made on purpose, and nobody reads where.
Error.stackTraceLimit = 4;
const { simulate } = await import('./simulate.ts');

parentPort?.on('message', (seed: number | null) => {
  if (seed === null) parentPort?.close();
  else void simulate(seed, { linesMax, scenario }).then((result) => parentPort?.postMessage(result));
});
