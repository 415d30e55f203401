/** What an operator may set of a scheduler. */
import type { RampTerms } from '../core/planner/ramp.ts';

export interface SchedulerSettings {
  /** Invocations of all connectors at once. */
  readonly invocationsMax: number;
  readonly ramp: RampTerms;
  /** How long a slice of a large backlog should take. */
  readonly sliceTargetMs: number;
  /** Most by which the clocks of two hosts may differ. */
  readonly skewMaxMs: number;
  /** An offer of which nothing is heard or seen for so long is lost. */
  readonly offerTtlMs: number;
  /** Queues whose end is waited for by long polls; the others are asked for their bounds. */
  readonly watchesMax: number;
  /** Topics whose bounds or queues are asked for in one second. */
  readonly topicLooksPerSecond: number;
  /** Within so long every stored document is read again, whether anybody told of a change or not. */
  readonly sweepMs: number;
}

export const DEFAULT_SCHEDULER_SETTINGS: SchedulerSettings = {
  invocationsMax: 1_000,
  // No platform's limit: hosts say by their free slots what they can take.
  ramp: { burst: 1_000, perSecond: 1_000 },
  sliceTargetMs: 2_000,
  skewMaxMs: 5_000,
  offerTtlMs: 10_000,
  watchesMax: 5_000,
  topicLooksPerSecond: 50,
  sweepMs: 60_000,
};
