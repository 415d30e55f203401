/** What the command line asks for. */
import { parseArgs } from 'node:util';
import { type PlantedBug, plantedBugs } from './bugs/planted-bugs.ts';
import { DEFAULT_SCENARIO, findScenario, type ScenarioName, scenarioNames } from './faults/scenarios.ts';
import type { ScaleScenario } from './scale/scale-result.ts';
import { scaleScenarios } from './scale/scale-scenarios.ts';

/** What the test suite runs, too: so many that whatever can happen does. */
export const SEEDS = 2_000;

export const USAGE =
  'usage: npm run simulate -- [--seeds N] [--seed S] [--scenario NAME] [--trace] [--bug NAME] [--planted-bugs] [--json] [--help]\n' +
  '       npm run simulate -- --scenario NAME [--seed S] [--plot FILE] [--json]   with the name of a scale scenario';

export interface Arguments {
  /** One run of a scale scenario instead of seeds. */
  readonly scale: ScaleScenario | undefined;
  /** Where its plot goes; `null`: nothing was said. */
  readonly plot: string | null;
  readonly from: number;
  readonly seeds: number;
  readonly scenario: ScenarioName;
  readonly bug: PlantedBug | undefined;
  readonly trace: boolean;
  readonly huntsBugs: boolean;
  readonly json: boolean;
  /** Prints the usage, and runs nothing. */
  readonly help: boolean;
  /** Enough seeds, and all faults: what never happened then is a gap. */
  readonly checksCounts: boolean;
}

/** What is wrong with them. */
export class ArgumentsError extends Error {
  override readonly name = 'ArgumentsError';
}

/** @throws {ArgumentsError} with one line. */
export function parseArguments(argv: readonly string[]): Arguments {
  const values = parsed(argv);
  const scale = scaleScenarios.find(({ name }) => name === values.scenario);
  const scenario = scale === undefined ? findScenario(values.scenario) : DEFAULT_SCENARIO;
  if (scenario === undefined) {
    const names = [...scenarioNames, ...scaleScenarios.map(({ name }) => name)];
    throw new ArgumentsError(`there is no scenario "${values.scenario}"; there are: ${names.join(', ')}`);
  }
  if (values.plot !== undefined && scale === undefined)
    throw new ArgumentsError(`--plot draws a scale scenario: ${scaleScenarios.map(({ name }) => name).join(', ')}`);
  if (scale !== undefined && (values.seeds !== undefined || values.trace || values.bug !== undefined || values['planted-bugs']))
    throw new ArgumentsError(`the scenario ${scale.name} takes --seed, --plot and --json, nothing else`);
  const bug = plantedBugs.find(({ name }) => name === values.bug);
  if (values.bug !== undefined && bug === undefined)
    throw new ArgumentsError(
      `there is no planted bug "${values.bug}"; there are: ${plantedBugs.map(({ name }) => name).join('; ')}`,
    );
  const seeds = count('seeds', values.seeds, values.seed === undefined ? SEEDS : 1);
  if (values.trace && (values.seed === undefined || seeds > 1))
    throw new ArgumentsError('--trace prints the trace of one seed: name it with --seed S, and leave --seeds out');
  return {
    scale,
    plot: values.plot ?? null,
    from: count('seed', values.seed, 1),
    seeds,
    scenario,
    bug,
    trace: values.trace,
    huntsBugs: values['planted-bugs'],
    json: values.json,
    help: values.help,
    checksCounts: seeds >= SEEDS && bug === undefined && scenario === DEFAULT_SCENARIO,
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        seeds: { type: 'string' },
        seed: { type: 'string' },
        plot: { type: 'string' },
        scenario: { type: 'string', default: DEFAULT_SCENARIO },
        bug: { type: 'string' },
        trace: { type: 'boolean', default: false },
        'planted-bugs': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    // Node explains itself in several lines; the first says what is wrong.
    throw new ArgumentsError(String((error as Error).message).split('\n')[0]);
  }
}

function count(name: 'seed' | 'seeds', text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  // Digits only: `Number` would also take 1e3, 0x10 and blanks.
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new ArgumentsError(`--${name} takes a whole number above 0, not "${text}"`);
}
