/** The product as a user runs it: `sortie start`, a process of its own with everything in one folder, and its HTTP API. */
import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { SORTIE } from '../../tools/sortie-command.mjs';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export class Sortie {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #url: Promise<string>;
  /** Does not wait until it is ready. What it warns of is shown. `env`: beside this process's own. */
  constructor(dataFolder: string, env: NodeJS.ProcessEnv = {}) {
    const args = [...SORTIE, 'start', '--data', dataFolder, '--port', '0', '--json', '--log-level', 'warn'];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
    this.#exited = new Promise((resolve) => this.#child.once('exit', () => resolve()));
    this.#url = Promise.race([
      urlOf(this.#child),
      this.#exited.then(() => {
        throw new Error('sortie ended before it was ready');
      }),
    ]);
    // Where nobody asks for it.
    this.#url.catch(() => undefined);
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('sortie could not be started');
    return this.#child.pid;
  }

  async apply(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    await this.#demand('PUT', `${name}/config`, config);
  }

  async remove(name: string): Promise<void> {
    await this.#demand('DELETE', name);
  }

  /** As text, for whoever wonders what became of it. */
  status(name: string): Promise<string> {
    return this.#demand('GET', `${name}/status`);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#exited;
  }

  /** Whatever the answer is. */
  async ask(method: string, path: string, body?: unknown): Promise<Answer> {
    const json = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await fetch(`${await this.#url}${path}`, { method, ...json });
    return { status: response.status, text: await response.text() };
  }

  async #demand(method: string, path: string, body?: unknown): Promise<string> {
    const { status, text } = await this.ask(method, `/connectors/${path}`, body);
    if (status >= 400) throw new Error(`HTTP ${status}: ${text}`);
    return text;
  }
}

function urlOf({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    if (stdout === null) return;
    createInterface({ input: stdout }).once('line', (line) => resolve((JSON.parse(line) as { readonly url: string }).url));
  });
}
