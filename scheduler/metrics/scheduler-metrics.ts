/**
 * What a scheduler tells of its work. Invocations run elsewhere and may end without a word, so all that is counted passes here: offers
 * as they are sent, and run records as they come back. Of several schedulers each counts what passed through it.
 */
import type { Sample } from '../../core/metrics/table.ts';
import type { InvocationEnd, Offer } from '../../core/offer.ts';
import type { Clock, Invoker, Metrics } from '../../core/ports.ts';
import type { ConnectorCatalog } from '../connector-catalog.ts';
import type { KnownConnector } from '../known-connector.ts';
import type { ShardTable } from '../shard-table.ts';
import { Activity } from './activity.ts';
import { countRun } from './run-metrics.ts';
import { samplesOf } from './samples.ts';
import { TaskNumbers } from './task-numbers.ts';

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

  constructor(deps: SchedulerMetricsDeps) {
    this.#deps = deps;
    this.#tasks = new TaskNumbers(deps.table);
    this.#activity = new Activity(deps.clock);
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

  forget({ connector: { name, uid } }: KnownConnector): void {
    this.#deps.metrics.forget(name);
    this.#tasks.forget(uid);
    this.#activity.forget(uid);
  }

  samples(): Iterable<Sample> {
    return samplesOf({ ...this.#deps, activity: this.#activity });
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
    countRun(metrics, run, { task, isFirst: this.#activity.note(uid, task, run) });
  }
}
