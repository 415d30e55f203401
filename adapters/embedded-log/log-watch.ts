import { closeSync, constants, type FSWatcher, openSync, watch, writeSync } from 'node:fs';
import { messageOf } from '../../core/errors.ts';
import type { Clock, Telemetry } from '../../core/ports.ts';
import { type Wait, WakeUps } from '../wake-ups.ts';

/** Wakes everybody: another process has changed some queue. */
const ANY_QUEUE = '';

/** Where the system tells nothing (a network file system, no watches left), others' records are found by looking this often. */
const LOOK_EVERY_MS = 1_000;

const BYTE = Buffer.of(1);

/**
 * Tells who waits for records that there may be some: of this process by the queue, of others through one small file that
 * every append of any process writes a byte to, and that the system watches. Waiting costs nothing until something happens,
 * and one look a second.
 *
 * A wake-up is a hint. Whoever waits looks first and waits in the same turn.
 */
export class LogWatch {
  readonly #path: string;
  readonly #telemetry: Telemetry;
  readonly #wakeUps: WakeUps;
  readonly #file: number;
  #watcher: FSWatcher | null = null;
  #isWatching = false;

  /** Throws what the file system throws. */
  constructor({ path, clock, telemetry }: { readonly path: string; readonly clock: Clock; readonly telemetry: Telemetry }) {
    this.#path = path;
    this.#telemetry = telemetry;
    this.#wakeUps = new WakeUps(clock);
    this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT);
  }

  /** To be called before the first look, so that nothing falls between. */
  start(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    try {
      // Not what keeps a process alive; whoever waits has a timer.
      this.#watcher = watch(this.#path, { persistent: false }, () => this.#wakeUps.wake(ANY_QUEUE));
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

  /** Resolves at a wake-up, after the duration or a second, or as soon as the signal aborts. */
  wait({ keys, durationMs = LOOK_EVERY_MS, signal }: Wait): Promise<void> {
    return this.#wakeUps.wait({ keys: [...keys, ANY_QUEUE], durationMs: Math.min(durationMs, LOOK_EVERY_MS), signal });
  }

  close(): void {
    this.#watcher?.close();
    closeSync(this.#file);
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
