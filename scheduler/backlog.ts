/**
 * What waits in the log for each shard: bounds of queues as they were last seen, and watches on the ends of those that have
 * nothing to do.
 */
import type { LogCursor } from '../core/cursor/cursor.ts';
import { advance, type Offset } from '../core/offset.ts';
import type { Demand, DemandReason } from '../core/planner/demand.ts';
import type { PlannedConnector } from '../core/planner/view.ts';
import type { Clock, LogBroker, Telemetry } from '../core/ports.ts';
import { queueShardId, type ShardId } from '../core/shard-id.ts';
import type { ConnectorCatalog } from './connector-catalog.ts';
import { QueueWatch } from './queue-watch.ts';
import type { ShardState } from './shard-state.ts';
import type { ShardTable } from './shard-table.ts';
import { type TopicLook, TopicLooks } from './topic-looks.ts';

export interface BacklogDeps {
  readonly broker: LogBroker;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly watchesMax: number;
  readonly topicLooksPerSecond: number;
  /** A topic is to be looked at: `now`, or with whatever else there is to look at soon. */
  wanted(when: 'now' | 'soon'): void;
  /** There is something new to plan by. */
  changed(): void;
}

/** Of those that were not needed. */
const LOOKS_SAVED_SECONDS = 5;

export class Backlog {
  readonly #deps: BacklogDeps;
  readonly #table: ShardTable;
  readonly #catalog: ConnectorCatalog;
  readonly #topics: TopicLooks;
  readonly #watch: QueueWatch;
  /** That may be made now. */
  #looks: number;
  #looksAtMs: number;

  constructor(deps: BacklogDeps, { table, catalog }: { readonly table: ShardTable; readonly catalog: ConnectorCatalog }) {
    this.#deps = deps;
    this.#table = table;
    this.#catalog = catalog;
    this.#topics = new TopicLooks(deps);
    this.#looks = deps.topicLooksPerSecond;
    this.#looksAtMs = deps.clock.monotonicMs();
    this.#watch = new QueueWatch({
      ...deps,
      grown: (shard, from) => this.#grown(shard, from),
      unwatched: (shard) => this.#unwatched(shard),
    });
  }

  /** Looks at the topics for which it is time. One that takes long is seen whenever it answers. */
  async look(): Promise<void> {
    this.#topics.follow(this.#catalog.topics);
    for (const topic of this.#catalog.takeNewlyRead()) this.#topics.newlyRead(topic);
    const made = await this.#topics.look(this.#looksLeft(), (look) => this.#seen(look));
    // Not in one line: what is left would be read before it is reckoned anew.
    this.#looks -= made;
  }

  /** So many a second however often it is asked: a round of everything else there is to learn may take a second, or none. */
  #looksLeft(): number {
    const { clock, topicLooksPerSecond } = this.#deps;
    const nowMs = clock.monotonicMs();
    const more = ((nowMs - this.#looksAtMs) * topicLooksPerSecond) / 1_000;
    this.#looks = Math.min(this.#looks + more, topicLooksPerSecond * LOOKS_SAVED_SECONDS);
    this.#looksAtMs = nowMs;
    return Math.floor(this.#looks);
  }

  /** What there is to wait for, where a shard deserves what it does. */
  follow(state: ShardState, { reason }: Demand, { slicesPerShardMax }: PlannedConnector): void {
    const { shard, queue, cursor, movedAtMs } = state;
    if (queue === undefined) return;
    if (reason === 'backlog-unknown' && this.#topics.want(queue.topic)) this.#deps.wanted('now');
    if (cursor?.kind === 'log' && isWatched(state, cursor, reason)) {
      // Beyond the budget of watches, the topic's bounds are asked for instead.
      if (!this.#watch.watch(shard, queue, { from: cursor.next, movedAtMs })) this.#topics.unwatched(queue.topic);
    } else if (reason !== 'at-work') this.#watch.end(shard);
    else if (slicesPerShardMax > 1) this.#topics.heat(queue.topic);
  }

  unfollow({ shard }: ShardState): void {
    this.#watch.end(shard);
  }

  close(): void {
    this.#topics.close();
    this.#watch.close();
  }

  #seen({ topic, queues }: TopicLook): void {
    for (const { connector } of this.#catalog.readersOf(topic)) {
      const missing = new Set([...this.#table.ofConnector(connector.uid)].filter(({ queue }) => queue?.topic === topic));
      for (const [queue, bounds] of queues) {
        const state = this.#table.ensure(queueShardId(connector.uid, queue));
        missing.delete(state);
        this.#bounded(state, bounds ?? 'gone');
      }
      for (const state of missing) this.#bounded(state, 'gone');
    }
    this.#deps.changed();
  }

  #bounded(state: ShardState, bounds: NonNullable<ShardState['bounds']>): void {
    state.bounds = bounds;
    this.#table.touch(state);
  }

  #grown(shard: ShardId, from: Offset): void {
    const state = this.#table.get(shard);
    if (state?.queue === undefined) return;
    const { queue, bounds } = state;
    // How much there is, is asked for next; that there is something is enough to send somebody.
    if (this.#topics.want(queue.topic)) this.#deps.wanted('soon');
    this.#topics.heat(queue.topic);
    if (bounds === 'unknown') state.bounds = { min: from, max: advance(from, 1) };
    else if (typeof bounds === 'object' && bounds !== null && bounds.max <= from)
      state.bounds = { min: bounds.min, max: advance(from, 1) };
    // Told of once more it is no news: whoever was sent for it found nothing, or died.
    if (state.toldFrom !== from) state.notBeforeMs = 0;
    state.toldFrom = from;
    this.#table.touch(state);
    this.#deps.changed();
  }

  #unwatched(shard: ShardId): void {
    const queue = this.#table.get(shard)?.queue;
    if (queue !== undefined) this.#topics.unwatched(queue.topic);
  }
}

/**
 * Whether there is nothing to do but to wait for records behind `next`, or nobody knows. In a pause too, after invocations that
 * found nothing: a record ends it, but not one that was told of before.
 */
function isWatched({ bounds, toldFrom }: ShardState, { next }: LogCursor, reason: DemandReason): boolean {
  if (reason === 'not-yet') return typeof bounds === 'object' && bounds?.max === next && toldFrom !== next;
  return reason === 'drained' || reason === 'backlog-unknown';
}
