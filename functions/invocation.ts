/** What all steps of one invocation share. */
import type { Connector } from '../core/connector.ts';
import type { Gate } from '../core/cursor/cursor.ts';
import type { Offer, Outcome } from '../core/offer.ts';
import type { ClaimMoment } from './claim-terms.ts';
import { Deadline } from './deadline.ts';
import type { Host } from './host.ts';
import type { RunTally } from './run-tally.ts';

export interface Invocation {
  readonly host: Host;
  readonly offer: Offer;
  readonly connector: Connector;
  readonly tally: RunTally;
  /** When the platform ends this run. */
  readonly platform: Deadline;
  /** How long the platform let this run go on when it began. */
  readonly limitMs: number;
  /** Automatic restarts of the shard without progress so far. */
  shardRestarts(): number;
}

/** How an invocation ends. Where it claimed nothing, `refusal` says why, and `notBeforeMs` when to offer again. */
export interface Ending {
  readonly outcome: Outcome | null;
  readonly refusal?: string;
  readonly notBeforeMs: number | null;
}

/** The gate as the connector's document wants it. */
export function wantedGate({ connector }: Invocation): Gate {
  return { state: connector.targetState, revision: connector.revision };
}

/** Until when a claim holds that is made, or moved forward by a commit, now. */
export function claimDeadline({ host, platform }: Invocation): Deadline {
  return new Deadline(host.clock, { inMs: Math.min(host.settings.claimMs, platform.remainingMs()) });
}

/** A deadline and a holder of its own for each claim. */
export function claimMoment(invocation: Invocation): { readonly deadline: Deadline; readonly moment: ClaimMoment } {
  const { host, connector, tally } = invocation;
  const deadline = claimDeadline(invocation);
  tally.claims += 1;
  const holder = { owner: `${tally.owner}.${tally.claims}`, deadlineAtMs: deadline.atMs };
  return { deadline, moment: { holder, nowMs: host.clock.nowMs(), revision: connector.revision } };
}

/** Left at the end of a claim for flush and commit: a tenth of the default claim, as much as two slow store writes. */
export const COMMIT_RESERVE_MS = 2_000;

/** A tail ends after so long without records; `watch` or a tick brings the next. */
export const TAIL_IDLE_MS = 5_000;

/** One wait of a tail for records: short enough to look at the gate between two. */
export const TAIL_WAIT_MS = 500;

/** A source that wants to be left alone for longer is asked once a day all the same. */
export const IDLE_MAX_MS = 24 * 60 * 60_000;

/** What a tail has delivered is committed at least so often: bounds what is redelivered after a crash. */
export const TAIL_COMMIT_MS = 1_000;
