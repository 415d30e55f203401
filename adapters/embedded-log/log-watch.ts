import { closeSync, constants, type FSWatcher, openSync, watch, writeSync } from 'node:fs';
import { ConnectError, messageOf } from '../../core/errors.ts';
import type { Clock, Telemetry } from '../../core/ports.ts';
import { type Wait, WakeUps } from '../wake-ups.ts';

export interface LogWatchDeps {
  readonly path: string;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Keys of the queues that have changed since it was asked last, by whomever. @throws {ConnectError}. */
  changed(): readonly string[];
}

/** Wakes who looks for all others: another process has changed some queue. No queue has such a key. */
const SOME_QUEUE = 'some';
/** Wakes everybody: it is for each to see whether his queue has changed. */
const ANY_QUEUE = 'any';

/** Where the system tells nothing (a network file system, no watches left), others' records are found by looking this often. */
const LOOK_EVERY_MS = 1_000;

/** So few look for themselves: cheaper than a look at all queues, of which there may be thousands. */
const FEW = 16;

/** Of its time a process spends at most one part in so many on looking at all queues, however often it is woken. */
const REST_PER_LOOK = 20;

const BYTE = Buffer.of(1);

/**
 * Tells who waits for records that there may be some: of this process by the queue, of others through one small file that
 * every append of any process writes a byte to, and that the system watches. Then one look finds which queues have changed, for
 * all who wait: thousands of them cost nothing until something happens, but one look a second whether anything has.
 *
 * A wake-up is a hint. Whoever waits looks first and waits in the same turn.
 */
export class LogWatch {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #changed: () => readonly string[];
  readonly #wakeUps: WakeUps;
  readonly #file: number;
  readonly #closed = new AbortController();
  #watcher: FSWatcher | null = null;
  #isWatching = false;
  #waiting = 0;
  #isLooking = false;
  #restUntilMs = 0;

  /** Throws what the file system throws. */
  constructor({ path, clock, telemetry, changed }: LogWatchDeps) {
    this.#path = path;
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.#changed = changed;
    this.#wakeUps = new WakeUps(clock);
    this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT);
  }

  /** To be called before the first look, so that nothing falls between. @throws as `changed`. */
  start(): void {
    if (this.#isWatching) return;
    // What changes from here on.
    this.#changed();
    this.#isWatching = true;
    try {
      // Not what keeps a process alive; whoever waits has a timer.
      this.#watcher = watch(this.#path, { persistent: false }, () => this.#wakeUps.wake(SOME_QUEUE));
      this.#watcher.on('error', (error) => this.#unwatch(error));
    } catch (error) {
      this.#unwatch(error);
    }
  }

  /** The queues of these keys have changed, here. Never throws. */
  tell(keys: readonly string[]): void {
    for (const key of keys) this.#wakeUps.wake(key);
    try {
      writeSync(this.#file, BYTE, 0, 1, 0);
    } catch (error) {
      // A full disk, for example: others find the records with their next look.
      this.#telemetry.log('debug', 'other processes were not told of new records', { path: this.#path, error: messageOf(error) });
    }
  }

  /** Resolves when one of the queues may have changed, after the duration, or as soon as the signal aborts. */
  async wait(wait: Wait): Promise<void> {
    this.#waiting += 1;
    if (!this.#isLooking) void this.#look();
    await this.#wakeUps.wait({ ...wait, keys: [...wait.keys, ANY_QUEUE] });
    this.#waiting -= 1;
  }

  close(): void {
    this.#closed.abort();
    this.#watcher?.close();
    closeSync(this.#file);
  }

  /** For all who wait, as long as anybody does. */
  async #look(): Promise<void> {
    const { signal } = this.#closed;
    this.#isLooking = true;
    while (this.#waiting > 0) {
      await this.#wakeUps.wait({ keys: [SOME_QUEUE], durationMs: LOOK_EVERY_MS, signal });
      // What changes meanwhile is found by the look that comes.
      const restMs = Math.floor(this.#restUntilMs - this.#clock.monotonicMs());
      if (restMs > 0) await this.#clock.sleep(restMs, signal);
      if (signal.aborted) return;
      this.#wakeWhomItConcerns();
    }
    this.#isLooking = false;
  }

  #wakeWhomItConcerns(): void {
    if (this.#waiting <= FEW) return this.#wakeUps.wake(ANY_QUEUE);
    const startedAtMs = this.#clock.monotonicMs();
    try {
      for (const key of this.#changed()) this.#wakeUps.wake(key);
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      // Each meets it himself.
      this.#wakeUps.wake(ANY_QUEUE);
    }
    const endedAtMs = this.#clock.monotonicMs();
    this.#restUntilMs = endedAtMs + (endedAtMs - startedAtMs) * REST_PER_LOOK;
  }

  #unwatch(error: unknown): void {
    this.#watcher?.close();
    this.#watcher = null;
    this.#telemetry.log('warn', 'records of other processes are noticed up to a second late: their log cannot be watched', {
      path: this.#path,
      error: messageOf(error),
    });
  }
}
