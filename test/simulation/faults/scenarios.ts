/** Named mixes of faults: to look at one kind of trouble without the others. */
import { type FaultName, faultNames } from './faults.ts';

export const DEFAULT_SCENARIO = 'all';

/** Of each scenario, the faults that a seed may draw. */
const scenarios = {
  all: faultNames,
  calm: [],
  zombies: [
    '2 offer delayed',
    '5 zombie beside its successor',
    '9 frozen for minutes',
    '22 send hangs',
    '22 send lands late',
    '29 clock jumped',
    '30 cut off one way',
    'put hangs',
    'put lands late',
    'two versions at once',
  ],
  broker: [
    '22 send hangs',
    '22 send lands late',
    '22 send reply lost',
    '23 send cut short',
    '24 record doubled by its producer',
    '25 queues out of step',
    '26 queue added',
    '26 queue removed',
    '26 queue away',
    '26 broker of a source away',
    '27 flow control',
    '27 record too large',
    '28 topic missing',
    '31 retention overtook the reader',
    '32 poison record',
    'record of another producer',
    'topic created anew and refilled',
    'topic of a source created anew',
    'topic of a source refilled by others',
    'topic truncated',
    'watch ended',
    'watch refused',
  ],
  operators: [
    '14 operator killed between two gates',
    'configuration changed',
    'connector deleted and created again',
    'connector paused',
    'connector stopped',
    'connector triggered',
    'offsets reset',
    'put hangs',
  ],
  store: [
    '8 killed after a commit, before its reply',
    '15 store reply lost',
    '16 conflicting write',
    '17 offer from a stale view',
    '18 store throttled',
    '19 store slow',
    '20 store unavailable',
  ],
} as const satisfies Record<string, readonly FaultName[]>;

export type ScenarioName = keyof typeof scenarios;

export const scenarioNames = Object.keys(scenarios) as ScenarioName[];

export function findScenario(name: string): ScenarioName | undefined {
  return scenarioNames.find((known) => known === name);
}

export function faultsOf(scenario: ScenarioName): ReadonlySet<FaultName> {
  return new Set(scenarios[scenario]);
}
