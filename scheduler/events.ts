/**
 * What a scheduler does, as it does it, for whoever listens: invocations that start and end, and connectors that were changed. Told
 * once and never again: whoever has to know everything reads the history and the status. Without listeners it costs nothing.
 */
import type { InvocationEnd, Offer, RunRecord } from '../core/offer.ts';
import type { Clock, Invoker } from '../core/ports.ts';
import { Wake } from './wake.ts';

export type SchedulerEvent =
  | ({ readonly event: 'invocation-started'; readonly atMs: number; readonly mode: Offer['mode'] } & OfferNames)
  | ({ readonly event: 'invocation-ended'; readonly atMs: number } & OfferNames & Ending)
  | { readonly event: 'connector-changed'; readonly atMs: number; readonly connector: string };

interface OfferNames {
  readonly offerId: string;
  readonly connector: string;
  readonly shard: string;
}

/** As its invoker saw it; with what the invocation says of itself, where it came to its end. */
interface Ending extends Partial<Pick<RunRecord, 'outcome' | 'refusal' | 'epoch' | 'counts' | 'error'>> {
  readonly end: InvocationEnd['kind'];
  readonly message?: string;
}

/** Each may keep a thousand events of some 500 bytes alive. */
const LISTENERS_MAX = 64;

/** A burst of a second: whoever is further behind does not read. */
const BUFFERED_MAX = 1_000;

export class Events {
  readonly #clock: Clock;
  readonly #listeners = new Set<Listener>();
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `null`: too many listen already. */
  listen(): Listener | null {
    if (this.#listeners.size >= LISTENERS_MAX) return null;
    const listener = new Listener(this.#clock, () => this.#listeners.delete(listener));
    if (this.#isClosed) listener.close();
    else this.#listeners.add(listener);
    return listener;
  }

  /** Tells of the invocations that it carries. */
  watched(invoker: Invoker): Invoker {
    return {
      freeSlots: () => invoker.freeSlots(),
      invoke: (offer) => {
        this.#tell(() => ({ event: 'invocation-started', ...this.#now(), ...namesOf(offer), mode: offer.mode }));
        const end = invoker.invoke(offer);
        void end.then((known) => {
          this.#tell(() => ({ event: 'invocation-ended', ...this.#now(), ...namesOf(offer), ...endingOf(known) }));
        });
        return end;
      },
    };
  }

  connectorChanged(connector: string): void {
    this.#tell(() => ({ event: 'connector-changed', ...this.#now(), connector }));
  }

  /** Nothing more will be told. */
  close(): void {
    this.#isClosed = true;
    for (const listener of this.#listeners) listener.close();
  }

  #now(): { readonly atMs: number } {
    return { atMs: this.#clock.nowMs() };
  }

  #tell(event: () => SchedulerEvent): void {
    if (this.#listeners.size === 0) return;
    const told = event();
    for (const listener of this.#listeners) listener.tell(told);
  }
}

export class Listener {
  readonly #wake: Wake;
  readonly #leave: () => void;
  #events: SchedulerEvent[] = [];
  #isOver: 'closed' | 'too-slow' | null = null;

  constructor(clock: Clock, leave: () => void) {
    this.#wake = new Wake(clock);
    this.#leave = leave;
  }

  /** The next one, or that none came for so long, or that none will: `too-slow`, some were told that it has not taken. */
  async next(forMs: number): Promise<SchedulerEvent | 'none' | 'closed' | 'too-slow'> {
    if (this.#events.length === 0 && this.#isOver === null) await this.#wake.wait(forMs);
    return this.#events.shift() ?? this.#isOver ?? 'none';
  }

  tell(event: SchedulerEvent): void {
    if (this.#events.length === BUFFERED_MAX) this.#end('too-slow');
    else this.#events.push(event);
    this.#wake.wake();
  }

  close(): void {
    this.#end('closed');
  }

  #end(how: 'closed' | 'too-slow'): void {
    this.#isOver ??= how;
    this.#events = [];
    this.#leave();
    this.#wake.wake();
  }
}

function namesOf({ id, connector, shard }: Offer): OfferNames {
  return { offerId: id, connector, shard };
}

function endingOf(end: InvocationEnd): Ending {
  if (end.kind !== 'completed') return { end: end.kind, message: end.message };
  const { outcome, refusal, epoch, counts, error } = end.result.run;
  return {
    ...{ end: 'completed', outcome, counts },
    ...(refusal === undefined ? {} : { refusal }),
    ...(epoch === undefined ? {} : { epoch }),
    ...(error === undefined ? {} : { error }),
  };
}
