/** What a process takes of the machine, as the system counts it. */
import { readFileSync } from 'node:fs';

/** Of the times in `/proc/PID/stat`, on every Linux that Node runs on. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, read 2026-11-26. */
const TICK_MS = 10;

/** Of all its threads, those that have ended included, ms. Exact to 10 ms. */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Behind the name, which may have blanks in it; the state is the third field of the file, and the first one here.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user = Number.NaN, system = Number.NaN] = fields.slice(11, 13).map(Number);
  return (user + system) * TICK_MS;
}

/** The memory it holds at this moment, bytes. */
export function residentBytesOf(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1_024;
}
