import { figureOf, type Measured } from '../../../bench/figure.ts';
import type { Sample } from './timeline.ts';

/** As large as it is meant to be, or as small as shows the same in a test. */
export type ScaleSize = 'full' | 'small';

export interface ScaleResult {
  readonly scenario: string;
  /** What the world was, for readers of the figures. */
  readonly notes: readonly string[];
  readonly samples: readonly Sample[];
  readonly figures: readonly Measured[];
  /** `null`: nothing happened that was not to. */
  readonly violation: string | null;
}

export interface ScaleScenario {
  readonly name: string;
  run(size: ScaleSize, seed: number): Promise<ScaleResult>;
}

export function isGood({ violation, figures }: ScaleResult): boolean {
  return violation === null && figures.every((figure) => figureOf(figure).ok);
}
