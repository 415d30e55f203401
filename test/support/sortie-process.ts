/** `sortie start` as a process of its own, and its API. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

export interface SortieProcess {
  readonly child: ChildProcess;
  readonly url: string;
}

/** Killed when the test ends. Relative paths of connectors are below `folder`. */
export async function aSortieProcess(
  data: string,
  { invoker, folder, options = [] }: { readonly invoker: string; readonly folder?: string; readonly options?: readonly string[] },
): Promise<SortieProcess> {
  const all = ['start', '--data', data, '--port', '0', '--invoker', invoker, '--json', ...options];
  const child = spawn(process.execPath, [MAIN, ...all], { stdio: ['ignore', 'pipe', 'ignore'], cwd: folder });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(createInterface(child.stdout as Readable), 'line')) as [string];
  return { child, url: (JSON.parse(line) as { readonly url: string }).url };
}

/** Creates a connector. */
export async function putConnector(
  { url }: SortieProcess,
  name: string,
  config: Readonly<Record<string, string>>,
): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const { status } = await fetch(`${url}/connectors/${name}/config`, { method: 'PUT', headers, body: JSON.stringify(config) });
  expect(status).toBe(201);
}
