/** Schedulers over memory adapters, and what they send offers to. */
import { InProcessInvoker } from '../../adapters/invoke/in-process-invoker.ts';
import { MemoryTelemetry } from '../../adapters/memory/memory-telemetry.ts';
import type { InvocationEnd, Offer } from '../../core/offer.ts';
import type { Clock, Invoker, Metrics, StateStore } from '../../core/ports.ts';
import { runInvocation } from '../../functions/run-invocation.ts';
import { RunHistory } from '../../scheduler/run-history.ts';
import { Scheduler } from '../../scheduler/scheduler.ts';
import { DEFAULT_SCHEDULER_SETTINGS, type SchedulerSettings } from '../../scheduler/settings.ts';
import type { TestHost } from './hosts.ts';

/** A platform that allows more than any slice takes. */
const LIMIT_MS = 60_000;

/** Longer than any test waits for. */
const PATIENCE_MS = 10 * 60_000;
const LOOK_EVERY_MS = 10;

/** Runs nothing: what becomes of an offer is said by hand. */
export class InvokerByHand implements Invoker {
  readonly offers: Offer[] = [];
  slots = 100;
  readonly #ends = new Map<Offer, (end: InvocationEnd) => void>();

  freeSlots(): number {
    return this.slots - this.#ends.size;
  }

  invoke(offer: Offer): Promise<InvocationEnd> {
    this.offers.push(offer);
    return new Promise((resolve) => {
      this.#ends.set(offer, resolve);
    });
  }

  /** Of the `index`th offer. Resolves when the scheduler has heard of it. */
  async end(index: number, end: InvocationEnd): Promise<void> {
    const offer = this.offers[index] as Offer;
    this.#ends.get(offer)?.(end);
    this.#ends.delete(offer);
    await Promise.resolve();
    await Promise.resolve();
  }
}

/** Runs invocations on a host, and remembers what was sent. */
export function invokerOn(host: TestHost, slots = 10): Invoker & { readonly offers: readonly Offer[] } {
  const offers: Offer[] = [];
  const invoker = new InProcessInvoker({
    random: host.random,
    slots,
    run: (offer, owner) => runInvocation(host, offer, { limitMs: LIMIT_MS, owner }),
  });
  return {
    offers,
    freeSlots: () => invoker.freeSlots(),
    invoke: (offer) => {
      offers.push(offer);
      return invoker.invoke(offer);
    },
  };
}

interface SchedulerFields {
  readonly invoker?: Invoker;
  readonly settings?: Partial<SchedulerSettings>;
  readonly store?: StateStore;
  /** Where they are not to be those of the scheduler's telemetry. */
  readonly metrics?: Metrics;
  readonly clock?: Clock;
  /** Whether its loops run; otherwise somebody calls `tick`. */
  readonly isStarted?: boolean;
}

export interface TestScheduler {
  readonly scheduler: Scheduler;
  readonly history: RunHistory;
  readonly telemetry: MemoryTelemetry;
}

/** A process of its own that shares store, broker and time with the host. */
export function aScheduler(
  host: TestHost,
  {
    invoker = invokerOn(host),
    settings = {},
    store = host.store,
    metrics,
    clock = host.clock,
    isStarted = true,
  }: SchedulerFields = {},
): TestScheduler {
  const telemetry = new MemoryTelemetry();
  const history = new RunHistory({ store, clock });
  const scheduler = new Scheduler({
    ...host,
    store,
    clock,
    telemetry,
    metrics: metrics ?? telemetry,
    invoker,
    history,
    settings: { ...DEFAULT_SCHEDULER_SETTINGS, ...settings },
  });
  if (isStarted) scheduler.start();
  return { scheduler, history, telemetry };
}

/** Lets time pass until it holds; answers how long that took. */
export async function until({ clock }: Pick<TestHost, 'clock'>, holds: () => boolean | Promise<boolean>): Promise<number> {
  const startedAtMs = clock.monotonicMs();
  while (!(await holds())) {
    if (clock.monotonicMs() - startedAtMs > PATIENCE_MS) throw new Error('it never comes to hold');
    await clock.sleep(LOOK_EVERY_MS);
  }
  return clock.monotonicMs() - startedAtMs;
}
