/**
 * One round of learning: what was changed by operators and by other schedulers, a share of everything that is stored, and what is
 * not known yet since this scheduler leads. What targets bear, and the topics of records, are stored between, for the document that they stand in is learnt here.
 */
import type { CancelSignal, Clock } from '../core/ports.ts';
import { sideBySide } from '../core/side-by-side.ts';
import type { ChangeNotes } from './change-notes.ts';
import type { ConnectorCatalog } from './connector-catalog.ts';
import type { Events } from './events.ts';
import { inTurn } from './in-turn.ts';
import type { PressureNotes } from './pressure-notes.ts';
import type { TopicNotes } from './topic-notes.ts';

export interface LearningParts {
  readonly clock: Clock;
  readonly notes: ChangeNotes;
  readonly catalog: ConnectorCatalog;
  readonly pressure: PressureNotes;
  readonly topics: TopicNotes;
  readonly events: Pick<Events, 'connectorChanged'>;
  /** The work of this connector, by uid, is to start now. */
  triggered(uid: string): void;
  /** There is more to plan by, and there may be topics that nobody has looked at. */
  learnt(): void;
}

/** Of a sweep, what a round makes up for that comes late: with more it would come later still. */
const SWEEP_AT_ONCE_MS = 5_000;

/** Connectors that were changed, of which there may be as many as there are. */
const READS_AT_ONCE = 8;

export class Learning {
  readonly #parts: LearningParts;
  /** Names of connectors that are to be read again. */
  readonly #changed = new Set<string>();
  /** The term of the lock in which what is remembered was read. */
  #term = 0;
  #learntAtMs = 0;

  constructor(parts: LearningParts) {
    this.#parts = parts;
  }

  get term(): number {
    return this.#term;
  }

  changed(name: string): void {
    this.#changed.add(name);
  }

  /** Answers whether there is more to be read at once. */
  async round(term: number, signal: CancelSignal): Promise<boolean> {
    const { clock, catalog, pressure, topics, learnt } = this.#parts;
    const now = clock.monotonicMs();
    if (this.#term !== term) {
      this.#term = term;
      catalog.renew();
      this.#learntAtMs = now;
    }
    await catalog.readDocuments(signal);
    learnt();
    const sinceMs = Math.min(now - this.#learntAtMs, SWEEP_AT_ONCE_MS);
    this.#learntAtMs = now;
    await inTurn(
      [
        () => this.#hear(),
        () => this.#readChanged(signal),
        () => catalog.sweep(sinceMs, signal),
        () => pressure.store(catalog, signal),
        () => topics.store(signal),
        // Last, for there may be many: the next round, with whatever was changed meanwhile, goes on with them.
        () => catalog.listMissing(signal),
      ],
      signal,
    ).finally(learnt);
    return catalog.isAnyUnlisted;
  }

  async #hear(): Promise<void> {
    const { changed, triggered } = await this.#parts.notes.read();
    for (const uid of triggered) this.#parts.triggered(uid);
    for (const name of changed) {
      this.#changed.add(name);
      this.#parts.events.connectorChanged(name);
    }
  }

  async #readChanged(signal: CancelSignal): Promise<void> {
    const read = (name: string): Promise<void> => this.#read(name);
    await sideBySide([...this.#changed], READS_AT_ONCE, read, () => !signal.aborted);
  }

  /** One that is changed again while it is read is read again. */
  async #read(name: string): Promise<void> {
    this.#changed.delete(name);
    try {
      await this.#parts.catalog.read(name);
    } catch (error) {
      this.#changed.add(name);
      throw error;
    }
    this.#parts.learnt();
  }
}
