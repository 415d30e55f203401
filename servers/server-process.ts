/** One process of a real server: its output goes to a file, and it ends when it is told to. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ServerProcessOptions {
  /** Of its log, too. */
  readonly name: string;
  readonly folder: string;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** It goes on when this process ends. */
  readonly isDetached: boolean;
  /** Told of it before anything else happens. */
  readonly onStart?: ((processId: number) => void) | undefined;
}

/** A server that starts tells nobody when it is ready; it takes some seconds. */
const ASK_EVERY_MS = 100;

const LAST_LINES = 20;

export class ServerProcess {
  readonly processId: number;
  readonly #name: string;
  readonly #logPath: string;
  readonly #ended: Promise<void>;
  #isRunning = true;

  private constructor(name: string, { processId, logPath, ended }: { processId: number; logPath: string; ended: Promise<void> }) {
    this.processId = processId;
    this.#name = name;
    this.#logPath = logPath;
    this.#ended = ended.then(() => {
      this.#isRunning = false;
    });
  }

  static start({ name, folder, command, env, isDetached, onStart, arguments: args }: ServerProcessOptions): ServerProcess {
    const logPath = join(folder, `${name}.log`);
    const log = openSync(logPath, 'w');
    const child = spawn(command, args, {
      detached: isDetached,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...env },
    });
    closeSync(log);
    if (child.pid !== undefined) onStart?.(child.pid);
    if (isDetached) child.unref();
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve()).once('error', () => resolve());
    });
    return new ServerProcess(name, { processId: child.pid ?? -1, logPath, ended });
  }

  /**
   * Asks until it answers.
   *
   * @throws {Error} with the last lines of its log, when it ended or did not answer in time.
   */
  async ready(answers: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    const untilMs = Date.now() + timeoutMs;
    while (!(await answers().catch(() => false))) {
      if (!this.#isRunning) throw new Error(`${this.#name} ended at once:\n${this.#lastLines()}`);
      if (Date.now() >= untilMs) throw new Error(`${this.#name} does not answer after ${timeoutMs} ms:\n${this.#lastLines()}`);
      await sleep(ASK_EVERY_MS);
    }
  }

  /** At once: what it holds is worth less than the time that it takes to stop. Resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.#isRunning && this.processId > 0) process.kill(this.processId, 'SIGKILL');
    await this.#ended;
  }

  #lastLines(): string {
    return readFileSync(this.#logPath, 'utf8').split('\n').slice(-LAST_LINES).join('\n');
  }
}
