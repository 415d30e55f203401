/** Kills processes that run invocations, while they hold slices. */
import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf, signal } from './processes.ts';
import type { Server } from './server.ts';

const LOOK_EVERY_MS = 20;

/** Kills one process about every `everyMs` until `ending` aborts. */
export async function killNowAndThen(server: Server, everyMs: number, ending: AbortSignal): Promise<void> {
  while (!ending.aborted) {
    await sleep(everyMs, undefined, { signal: ending }).catch(() => undefined);
    const pid = await someHost(server, ending);
    if (pid === null) break;
    signal(pid, 'SIGKILL');
  }
}

/** A process that the server has started for invocations, as soon as there is one. */
async function someHost({ pid }: Server, ending: AbortSignal): Promise<number | null> {
  while (!ending.aborted) {
    const hosts = childrenOf(pid);
    const host = hosts[Math.floor(Math.random() * hosts.length)];
    if (host !== undefined) return host;
    await sleep(LOOK_EVERY_MS);
  }
  return null;
}
