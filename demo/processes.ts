/** Processes of this machine, as `ps` tells of them: it is there on Linux and macOS alike. */
import { execFileSync } from 'node:child_process';
import process from 'node:process';

interface Running {
  readonly pid: number;
  readonly parent: number;
}

export function childrenOf(parent: number): readonly number[] {
  return running()
    .filter((one) => one.parent === parent)
    .map(({ pid }) => pid);
}

/** Those of them that are still there. */
export function runningOf(pids: ReadonlySet<number>): readonly number[] {
  return running().flatMap(({ pid }) => (pids.has(pid) ? [pid] : []));
}

/** `false` when it has ended meanwhile. */
export function signal(pid: number, name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** One that has ended and that nobody has asked for its exit code yet (`Z`) runs no more. */
function running(): readonly Running[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    const [pid, parent, state] = line.trim().split(/\s+/);
    return state === undefined || state.startsWith('Z') ? [] : [{ pid: Number(pid), parent: Number(parent) }];
  });
}
