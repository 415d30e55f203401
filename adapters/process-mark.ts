/**
 * Marks of processes: a text that says which process wrote it, so that another one on the same machine can tell that it has ended.
 * It holds what the kernel gives no two processes together: its boot, the namespace of the number, the number, and when it began
 * (field 22 of https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, read 2026-11-26).
 */
import { readFileSync, readlinkSync } from 'node:fs';
import process from 'node:process';

/** Fields of `stat` that follow the name of the program, which may hold spaces and brackets; the first of them is field 3. */
const STARTED_INDEX = 22 - 3;

/** `null` where the system does not tell, as everywhere but on Linux, or where there is no such process. */
export function markOf(pid: number): string | null {
  try {
    return [...place(), String(pid), startOf(pid)].join('/');
  } catch {
    return null;
  }
}

/** Whether it is sure that the process of this mark has ended; it is not where that is or was on another machine. */
export function hasEnded(mark: string): boolean {
  const [boot, namespace, pid] = mark.split('/');
  try {
    const [bootHere, namespaceHere] = place();
    return boot === bootHere && namespace === namespaceHere && !isThere(Number(pid), mark);
  } catch {
    return false;
  }
}

function place(): readonly [boot: string, namespace: string] {
  return [readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(), readlinkSync('/proc/self/ns/pid')];
}

function startOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[STARTED_INDEX] as string;
}

/** One of another user may be there and not be shown: only a signal that is not sent finds out. */
function isThere(pid: number, mark: string): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = markOf(pid);
  return now === null || now === mark;
}
