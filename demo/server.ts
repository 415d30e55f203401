/** The product as a user runs it: `sortie start` and `sortie apply`, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { RunRecord } from '../core/offer.ts';
import { SORTIE } from '../tools/sortie-command.mjs';

const STARTS_WITHIN_MS = 20_000;

/** What it says goes here too, behind what earlier ones of the folder have said: for whoever looks into it afterwards. */
const LOG_FILE = 'sortie.log';

export interface Server {
  readonly pid: number;
  /** Where its API is, once it is ready; `null` when it has ended before. @throws {Error} when it is not ready in time. */
  ready(): Promise<string | null>;
  isReady(): boolean;
  readonly ended: Promise<void>;
  /** Runs that ended by themselves, oldest first. */
  readonly runs: readonly RunRecord[];
  /** Processes that ended with invocations in them. */
  hostsKilled(): number;
  /** Invocations that died with these. */
  invocationsKilled(): number;
  /** Their shards, one for each of them. */
  readonly shardsKilled: readonly string[];
  /** Processes that ended before they were ready. */
  failedStarts(): number;
  /** What it said that is no line of its log, such as why it did not start. */
  said(): string;
  stop(): Promise<void>;
}

/** `flags`: what it is told besides. `env`: beside this process's own. */
export function startServer(
  folder: string,
  { port, flags = [], env = {} }: { readonly port: number; readonly flags?: readonly string[]; readonly env?: NodeJS.ProcessEnv },
): Server {
  const options = ['--data', 'data', '--port', String(port), '--invoker', 'processes', '--json', '--log-level', 'debug'];
  const args = [...SORTIE, 'start', ...options, ...flags];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  if (child.pid === undefined) throw new Error(`${process.execPath} cannot be started`);
  const runs: RunRecord[] = [];
  const said: string[] = [];
  const shards: string[] = [];
  let [hosts, killed, failedStarts] = [0, 0, 0];
  child.stderr.pipe(createWriteStream(join(folder, LOG_FILE), { flags: 'a' }));
  createInterface({ input: child.stderr }).on('line', (line) => {
    const entry = parsed(line);
    if (entry === null) said.push(line);
    else if (entry['message'] === 'run') runs.push(entry as unknown as RunRecord);
    else if (typeof entry['failedStarts'] === 'number') failedStarts += 1;
    else if (typeof entry['invocations'] === 'number' && entry['invocations'] > 0 && wasKilled(entry)) {
      hosts += 1;
      killed += entry['invocations'];
      shards.push(...String(entry['shards']).split(' '));
    }
  });
  // Not its close: what outlives it for a moment holds its output open.
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let isReady = false;
  const url = urlOf(child).finally(() => {
    isReady = true;
  });
  return {
    pid: child.pid,
    isReady: () => isReady,
    ready: () => Promise.race([url, ended.then(() => null), late(STARTS_WITHIN_MS)]),
    ended,
    runs,
    hostsKilled: () => hosts,
    invocationsKilled: () => killed,
    shardsKilled: shards,
    failedStarts: () => failedStarts,
    said: () => said.join('\n'),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** What it printed. @throws {Error} when it failed. */
export async function sortie(folder: string, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [...SORTIE, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
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

/** Not one that crashed, nor one that the pool ended because it was stuck. */
function wasKilled({ level, message }: Readonly<Record<string, unknown>>): boolean {
  return level === 'error' && String(message).endsWith('it was ended by SIGKILL');
}

function parsed(line: string): Readonly<Record<string, unknown>> | null {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
}

function late(ms: number): Promise<never> {
  return new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error(`sortie was not ready ${ms} ms after its start`)), ms).unref();
  });
}
