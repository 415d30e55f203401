import { readFileSync, statSync } from 'node:fs';

/** Of the `-shm` file beside a database with a write-ahead log. https://www.sqlite.org/walformat.html#locks, read 2026-11-26 */
const WRITE_LOCK_BYTE = 120;

/** A lock that is held: whose, and of which file. https://man7.org/linux/man-pages/man5/proc_locks.5.html, read 2026-11-26 */
const HELD = new RegExp(`^\\d+: POSIX +ADVISORY +WRITE (\\d+) (\\S+) ${WRITE_LOCK_BYTE} ${WRITE_LOCK_BYTE}$`, 'gm');

/**
 * The number of the process that is in a transaction which writes to the database at `path`, whichever program that is; `null`
 * where there is none, or the system does not tell, as everywhere but on Linux.
 */
export function writingProcess(path: string): number | null {
  try {
    const { dev, ino } = statSync(`${path}-shm`);
    const file = `${hex(dev >> 8)}:${hex(dev & 0xff)}:${ino}`;
    for (const [, pid, locked] of readFileSync('/proc/locks', 'utf8').matchAll(HELD)) if (locked === file) return Number(pid);
    return null;
  } catch {
    return null;
  }
}

function hex(device: number): string {
  return device.toString(16).padStart(2, '0');
}
