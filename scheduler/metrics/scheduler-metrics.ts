/**
 * What a scheduler tells of its work. Invocations run elsewhere and may end without a word, so all that is counted passes here: offers
 * as they are sent, and run records as they come back. Of several schedulers each counts what passed through it.
 */
import type { Scrape } from '../../core/metrics/table.ts';
import type { InvocationEnd, Offer, RunRecord } from '../../core/offer.ts';
import type { Clock, Invoker, Metrics } from '../../core/ports.ts';
import type { ConnectorCatalog } from '../connector-catalog.ts';
import type { KnownConnector } from '../known-connector.ts';
import type { ShardTable } from '../shard-table.ts';
import { Activity } from './activity.ts';
import { scrapeOf } from './samples.ts';
import { Startups } from './startups.ts';
import { TaskNumbers } from './task-numbers.ts';
import type { Leading } from './views.ts';

export interface SchedulerMetricsDeps {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly table: ShardTable;
  readonly catalog: Pick<ConnectorCatalog, 'get' | 'all' | 'isListed'>;
}

export class SchedulerMetrics {
  readonly #deps: SchedulerMetricsDeps;
  readonly #tasks: TaskNumbers;
  readonly #activity: Activity;
  readonly #configurations: Startups;
  readonly #openings: Startups;

  constructor(deps: SchedulerMetricsDeps) {
    this.#deps = deps;
    this.#tasks = new TaskNumbers(deps.table);
    this.#activity = new Activity(deps.clock);
    const nowMs = deps.clock.monotonicMs();
    this.#configurations = new Startups(nowMs);
    this.#openings = new Startups(nowMs);
  }

  /** The same invoker, each of whose offers is counted. An end is counted before its caller hears of it. */
  metered(invoker: Invoker): Invoker {
    return {
      freeSlots: () => invoker.freeSlots(),
      invoke: (offer) => {
        this.#deps.metrics.count('sortie_offers_total', { connector: offer.connector });
        const end = invoker.invoke(offer);
        void end.then((known) => this.#ended(offer, known));
        return end;
      },
    };
  }

  /** A revision that is new to this scheduler, or can be used by now. */
  configured({ connector, problem }: KnownConnector): void {
    if (connector.targetState === 'deleted') return;
    this.#configurations.note(problem === null ? 'successes' : 'failures', this.#deps.clock.monotonicMs());
  }

  forget({ connector: { name, uid } }: KnownConnector): void {
    this.#deps.metrics.forget(name);
    this.#tasks.forget(uid);
    this.#activity.forget(uid);
  }

  scrape(leading: Leading): Scrape {
    const { clock, table, catalog } = this.#deps;
    const remembered = { activity: this.#activity, configurations: this.#configurations, openings: this.#openings };
    return scrapeOf({ clock, table, catalog, ...remembered }, leading);
  }

  #ended({ uid, connector, shard }: Offer, end: InvocationEnd): void {
    const { catalog, metrics } = this.#deps;
    const known = catalog.get(uid);
    // Deleted meanwhile: its series are gone, and do not come back.
    if (known === undefined) return;
    metrics.count('sortie_offers_ended_total', { connector, end: end.kind });
    if (end.kind !== 'completed') return;
    const { run } = end.result;
    const task = this.#tasks.of(uid, known, shard);
    this.#activity.note(uid, task, run);
    if (task !== null) this.#noteOpening(run);
    observe(metrics, run);
  }

  #noteOpening({ outcome, counts: { slices } }: RunRecord): void {
    const nowMs = this.#deps.clock.monotonicMs();
    if (slices > 0) this.#openings.note('successes', nowMs);
    else if (outcome === 'failed') this.#openings.note('failures', nowMs);
  }
}

function observe(metrics: Metrics, { connector, latenciesMs = [], startedAtMs, endedAtMs }: RunRecord): void {
  for (const ms of latenciesMs) metrics.observe('sortie_end_to_end_seconds', { connector }, ms / 1_000);
  // The wall clock may have jumped back meanwhile.
  metrics.observe('sortie_invocation_seconds', { connector }, Math.max(endedAtMs - startedAtMs, 0) / 1_000);
}
