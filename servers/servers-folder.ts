/** The folder of what one `start` leaves running. In it is noted what that is, for whoever asks for its state or stops it. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Noted {
  readonly processIds: readonly number[];
  /** What runs where; `null` until all of it is ready. */
  readonly lines: readonly string[] | null;
}

/** A process that is killed gives back its memory first, which takes a busy machine a while. */
const GONE_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 20;

export class ServersFolder {
  readonly path: string;
  readonly #notePath: string;

  constructor(name: string) {
    this.path = join(tmpdir(), `sortie-${name}-${userInfo().uid}`);
    this.#notePath = join(this.path, 'servers.json');
  }

  /** Empty; what another `start` left in it is gone. */
  make(): void {
    this.remove();
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
  }

  /** `null`: nothing was started. */
  noted(): Noted | null {
    try {
      return JSON.parse(readFileSync(this.#notePath, 'utf8')) as Noted;
    } catch {
      return null;
    }
  }

  noteProcess(id: number): void {
    this.#note({ processIds: [...(this.noted()?.processIds ?? []), id], lines: null });
  }

  noteReady(lines: readonly string[]): void {
    this.#note({ processIds: this.noted()?.processIds ?? [], lines });
  }

  /** Of the noted processes, those that run. */
  running(): readonly number[] {
    return (this.noted()?.processIds ?? []).filter((id) => this.#isRunning(id));
  }

  /** Those that are noted meanwhile included. Resolves when all are gone. @throws {Error} when one of them stays. */
  async kill(): Promise<void> {
    const untilMs = Date.now() + GONE_WITHIN_MS;
    for (let running = this.running(); running.length > 0; running = this.running()) {
      if (Date.now() >= untilMs) {
        const next = 'next: look at what holds them, such as a disk that does not answer, and stop again';
        throw new Error(`of ${this.path} run after ${GONE_WITHIN_MS} ms still: process ${running.join(', ')}; ${next}`);
      }
      for (const id of running) kill(id);
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** With all it holds, when its processes are gone: the system may still be writing what they wrote last. */
  remove(): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  /** Whole at any moment: whoever writes it may be killed. */
  #note(noted: Noted): void {
    const next = `${this.#notePath}.next`;
    writeFileSync(next, JSON.stringify(noted));
    renameSync(next, this.#notePath);
  }

  /** Its command names the folder: a number may be another process's by now. */
  #isRunning(id: number): boolean {
    try {
      return readFileSync(`/proc/${id}/cmdline`, 'utf8').includes(this.path);
    } catch {
      return isSignalled(id);
    }
  }
}

/** Without /proc, as on macOS. */
function isSignalled(id: number): boolean {
  try {
    return process.platform !== 'linux' && process.kill(id, 0);
  } catch {
    return false;
  }
}

function kill(id: number): void {
  try {
    process.kill(id, 'SIGKILL');
  } catch {
    // It ended by itself; where it may not be killed, it is seen to stay.
  }
}
