/** Kills processes that run invocations, while they hold slices. */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from './server.ts';

const LOOK_EVERY_MS = 20;

/** Kills one process about every `everyMs` until `signal` aborts. Answers how many it killed. */
export async function killNowAndThen(server: Server, everyMs: number, signal: AbortSignal): Promise<number> {
  let killed = 0;
  while (!signal.aborted) {
    await sleep(everyMs);
    const pid = await someHost(server, signal);
    if (pid === null) break;
    process.kill(pid, 'SIGKILL');
    killed += 1;
  }
  return killed;
}

/** A process that the server has started for invocations, as soon as there is one. */
async function someHost({ pid }: Server, signal: AbortSignal): Promise<number | null> {
  while (!signal.aborted) {
    const hosts = childrenOf(pid);
    const host = hosts[Math.floor(Math.random() * hosts.length)];
    if (host !== undefined) return host;
    await sleep(LOOK_EVERY_MS);
  }
  return null;
}

/** `ps` is there on Linux and macOS alike. */
function childrenOf(parent: number): readonly number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    const [pid, ppid] = line.trim().split(/\s+/).map(Number);
    return pid !== undefined && ppid === parent ? [pid] : [];
  });
}
