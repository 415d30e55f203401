/** The product as a user runs it: `sortie start` and `sortie apply`, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { RunRecord } from '../core/offer.ts';

const MAIN = new URL('../cli/main.ts', import.meta.url);
const STARTS_WITHIN_MS = 20_000;

export interface Server {
  readonly url: string;
  readonly pid: number;
  /** Runs that ended by themselves, oldest first. */
  readonly runs: readonly RunRecord[];
  /** Invocations that died with a process that was killed. */
  invocationsKilled(): number;
  stop(): Promise<void>;
}

/** @throws {Error} with what it said, when it does not start. */
export async function startServer(folder: string): Promise<Server> {
  const args = [
    MAIN.pathname,
    'start',
    '--data',
    'data',
    '--port',
    '0',
    '--invoker',
    'processes',
    '--json',
    '--log-level',
    'debug',
  ];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const runs: RunRecord[] = [];
  const said: string[] = [];
  let killed = 0;
  // For whoever looks into the folder afterwards.
  child.stderr.pipe(createWriteStream(join(folder, 'sortie.log')));
  createInterface({ input: child.stderr }).on('line', (line) => {
    const entry = parsed(line);
    if (entry === null) said.push(line);
    else if (entry['message'] === 'run') runs.push(entry as unknown as RunRecord);
    else if (entry['level'] === 'error' && typeof entry['invocations'] === 'number') killed += entry['invocations'];
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = await Promise.race([urlOf(child), exited.then(() => null), timeout(STARTS_WITHIN_MS)]);
  if (url === null || child.pid === undefined) throw new Error(`sortie did not start:\n${said.join('\n')}`);
  return {
    url,
    pid: child.pid,
    runs,
    invocationsKilled: () => killed,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** What it printed. @throws {Error} when it failed. */
export async function sortie(folder: string, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [MAIN.pathname, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`sortie ${args.join(' ')} failed with exit code ${String(code)}`);
  return text;
}

function urlOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).once('line', (line) => resolve(String(parsed(line)?.['url'])));
  });
}

function parsed(line: string): Readonly<Record<string, unknown>> | null {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
}

function timeout(ms: number): Promise<null> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(null), ms).unref();
  });
}
