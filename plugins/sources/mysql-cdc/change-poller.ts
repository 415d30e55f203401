/** Fills batches with the records of what a follower gives: with what is here, and after a wait where nothing is. */
import type { CancelSignal, Clock } from '../../../core/ports.ts';
import type { PolledRecord } from '../../api/source.ts';
import { eventBytes, type PollBatch } from '../change-capture/poll-batch.ts';
import type { LogCheckpoint } from './cdc-checkpoint.ts';
import type { LogFollower, Logged } from './log-follower.ts';

/** A poll that reads changes of other tables, or reads up on a large transaction, gives way after so long. */
const POLL_MS_MAX = 1_000;

/** A change whose records did not all fit into a batch. */
interface Divided {
  readonly records: readonly PolledRecord[];
  readonly bytes: number;
  /** The first that was not given. */
  next: number;
}

export class ChangePoller {
  readonly #follower: LogFollower;
  readonly #recordsOf: (logged: Logged) => readonly PolledRecord[];
  readonly #clock: Clock;
  /** What did not fit last time, or is at work. */
  #divided: Divided | null = null;
  /** Came behind what was given. */
  #failure: unknown = null;

  constructor(
    follower: LogFollower,
    { recordsOf, clock }: { readonly recordsOf: (logged: Logged) => readonly PolledRecord[]; readonly clock: Clock },
  ) {
    this.#follower = follower;
    this.#recordsOf = recordsOf;
    this.#clock = clock;
  }

  /** Whether nothing more is here. What fails behind changes that are given is thrown by the next call. */
  async poll(batch: PollBatch, { waitMs, signal }: { readonly waitMs: number; readonly signal: CancelSignal }): Promise<boolean> {
    if (this.#failure !== null) throw this.#failure as Error;
    const beganMs = this.#clock.monotonicMs();
    for (let had = -1; ; had = batch.records.length) {
      if (this.#fill(batch) || signal.aborted) return false;
      if (this.#follower.isAtEnd || this.#follower.isAtLimit) return batch.records.length === 0;
      const spentMs = this.#clock.monotonicMs() - beganMs;
      if (batch.records.length > 0) {
        // Whatever the last turn of the event loop brought is in; a wait for more would make what is here late.
        if (batch.records.length === had || spentMs >= POLL_MS_MAX) return false;
        await this.#follower.arrival(0, signal);
      } else {
        const leftMs = (this.#follower.follows ? waitMs : POLL_MS_MAX) - spentMs;
        if (leftMs <= 0) return this.#follower.follows;
        await this.#follower.arrival(leftMs, signal);
      }
    }
  }

  /** Behind what was given. */
  checkpoint(): LogCheckpoint {
    return this.#follower.checkpoint(this.#divided?.next ?? null);
  }

  /** Whether there is no room for more, or nothing more can be given for now. */
  #fill(batch: PollBatch): boolean {
    try {
      for (;;) {
        if (!this.#addDivided(batch)) return true;
        if (batch.isFull) return true;
        const logged = this.#follower.next();
        if (logged === null) return false;
        // Set before its records are made: where that fails, none of them was given.
        this.#divided = { records: [], bytes: 0, next: logged.given };
        this.#divided = { ...this.#divided, records: this.#recordsOf(logged), bytes: bytesOf(logged) };
      }
    } catch (error) {
      if (batch.records.length === 0) throw error;
      this.#failure = error;
      return true;
    }
  }

  /** Whether all of it fitted. */
  #addDivided(batch: PollBatch): boolean {
    const divided = this.#divided;
    if (divided === null) return true;
    for (; divided.next < divided.records.length; divided.next += 1) {
      if (!batch.add(divided.records[divided.next] as PolledRecord, divided.bytes)) return false;
    }
    this.#divided = null;
    return true;
  }
}

function bytesOf(logged: Logged): number {
  if (logged.kind === 'statement') return eventBytes([logged.statement.sql]);
  if (logged.kind === 'end') return eventBytes([]);
  const { before, after } = logged.change;
  return eventBytes(before ?? []) + eventBytes(after ?? []);
}
