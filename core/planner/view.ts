/** What the planner is told: connectors and shards as the scheduler last saw them, and what limits there are. */
import type { TargetState } from '../connector.ts';
import type { Cursor } from '../cursor/cursor.ts';
import type { QueueBounds } from '../ports.ts';
import type { ShardId } from '../shard-id.ts';

export interface PlannedConnector {
  readonly uid: string;
  readonly targetState: TargetState;
  readonly revision: number;
  /** `tasks.max`: invocations at once. */
  readonly tasksMax: number;
  /** Invocations that the target bears at present; `null` while it shows no strain. */
  readonly bears: number | null;
  /** Slices of one shard at once; 1 where order must be kept. */
  readonly slicesPerShardMax: number;
  /** How old a record may become before an invocation is sent for it; 0: none may wait, so shards are followed by tails. */
  readonly freshnessMs: number;
  /** How long after its deadline a holder's work may not be taken. */
  readonly graceMs: number;
}

export interface PlannedShard {
  readonly shard: ShardId;
  readonly uid: string;
  /** `null`: none is stored yet. */
  readonly cursor: Cursor | null;
  /** Of a queue. `unknown` before the first look; `gone` when it does not exist. A source's shard has none: `null`. */
  readonly bounds: QueueBounds | 'unknown' | 'gone' | null;
  /** Ids of the offers under way for it. */
  readonly offers: ReadonlySet<string>;
  /** Holders whose end was seen: what they hold is free. */
  readonly endedOwners: { has(owner: string): boolean };
  /** An invocation that found nothing to claim said not to come before. */
  readonly notBeforeMs: number;
  /** When a source wants to be polled, by the planner's own clock; 0 where only its cursor says it, by its host's. */
  readonly pollAfterMs: number;
  /** Somebody asked for its work to start now: no time of its own is waited for. */
  readonly isTriggered: boolean;
  /** Since when records wait that nobody was sent for; `null`: none do. */
  readonly waitingSinceMs: number | null;
}

/** What the plan counts on, beside the views themselves. */
export interface PlannerTerms {
  /** How long a slice of a large backlog should take. */
  readonly sliceTargetMs: number;
  /** What one call of the store takes, there and back. */
  readonly storeRoundTripMs: number;
}

export interface PlannerLimits {
  /** Invocations in all (`invocations.max`). */
  readonly invocationsMax: number;
  /** Invocations that the platform lets run at this moment, of those in all. */
  readonly rampMax: number;
  /** Invocations that hosts could start now. */
  readonly freeSlots: number;
}

/** Invocations that run or are on their way. */
export interface Running {
  readonly total: number;
  readonly byConnector: ReadonlyMap<string, number>;
  /** Those of them that wait for records, by connector. */
  readonly tails: ReadonlyMap<string, number>;
  /** By connector, how many shards want one now and then, also those that do not at this moment. */
  readonly shards: ReadonlyMap<string, number>;
}
