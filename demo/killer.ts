/** Kills processes that run invocations, while they hold slices. */
import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf, signal } from './processes.ts';
import type { Server } from './server.ts';

const LOOK_EVERY_MS = 20;

/** A process lives at least so long before it is killed: one that never gets ready would show nothing. */
const LIVED_MIN_MS = 500;
/** On a busy machine it takes longer. */
const LIVED_MAX_MS = 16_000;

/** Kills one process about every `everyMs` until `ending` aborts. Where one was not ready yet, the next one lives longer before. */
export async function killNowAndThen(server: Server, everyMs: number, ending: AbortSignal): Promise<void> {
  const seenAtMs = new Map<number, number>();
  let livedMs = LIVED_MIN_MS;
  while (!ending.aborted) {
    const failed = server.failedStarts();
    const killAtMs = performance.now() + everyMs;
    // Those of the last moments are seen then, too.
    await sleep(Math.max(everyMs - livedMs, 0), undefined, { signal: ending }).catch(() => undefined);
    livedMs = server.failedStarts() > failed ? Math.min(2 * livedMs, LIVED_MAX_MS) : LIVED_MIN_MS;
    const pid = await someHost(server, { seenAtMs, livedMs, killAtMs }, ending);
    if (pid === null) break;
    signal(pid, 'SIGKILL');
  }
}

/** A process that the server has started for invocations, from `killAtMs` on and as soon as there is one that has lived so long. */
async function someHost(
  { pid }: Server,
  {
    seenAtMs,
    livedMs,
    killAtMs,
  }: { readonly seenAtMs: Map<number, number>; readonly livedMs: number; readonly killAtMs: number },
  ending: AbortSignal,
): Promise<number | null> {
  while (!ending.aborted) {
    const nowMs = performance.now();
    const all = childrenOf(pid);
    for (const host of all) if (!seenAtMs.has(host)) seenAtMs.set(host, nowMs);
    const hosts = all.filter((host) => nowMs - (seenAtMs.get(host) ?? nowMs) >= livedMs);
    const host = hosts[Math.floor(Math.random() * hosts.length)];
    if (host !== undefined && nowMs >= killAtMs) return host;
    await sleep(LOOK_EVERY_MS);
  }
  return null;
}
