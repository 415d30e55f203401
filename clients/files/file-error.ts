/** What the machine's refusal to open, read or write a file means for a connector: one class, the path, and the next step. */
import { ConnectError, FatalTaskError, messageOf, RetryableError } from '../../core/errors.ts';

/** Nothing helps but somebody who acts. https://man7.org/linux/man-pages/man3/errno.3.html, read 2026-11-22 */
const NEEDS_SOMEBODY: Readonly<Record<string, string>> = {
  EACCES: 'give the user that runs this product access to it',
  EPERM: 'give the user that runs this product access to it',
  EROFS: 'mount its file system for writing, or name another place',
  ENOTDIR: 'name a path whose folders are folders',
  EISDIR: 'name a file, not a folder',
  ENAMETOOLONG: 'choose a shorter path',
  ELOOP: 'mend the symbolic links on the way to it',
  EXDEV: 'keep the folder and all below it on one file system',
};

/** May pass by itself; any other cause is tried again, too. */
const MAY_PASS: Readonly<Record<string, string>> = {
  ENOSPC: 'free space on its disk',
  EDQUOT: 'free space, or raise the quota of this user',
  EFBIG: "raise this user's limit for one file",
  ENOENT: 'create it, or correct the path in the configuration',
  EMFILE: 'raise the number of files this process may open',
  ENFILE: 'raise the number of files this machine may open',
};

export interface FileAction {
  readonly path: string;
  /** As in "cannot ... /the/path". */
  readonly what: string;
  /** Of the error where the same call may succeed later. */
  readonly code: 'target.unavailable' | 'source.unavailable';
}

/** Errors that are ours already stay as they are. */
export function fileError(error: unknown, { path, what, code }: FileAction): ConnectError {
  if (error instanceof ConnectError) return error;
  const errno = errnoOf(error) ?? '';
  const fatalNext = NEEDS_SOMEBODY[errno];
  const next = fatalNext ?? MAY_PASS[errno] ?? 'check the disk';
  const message = `cannot ${what} ${path}: ${messageOf(error)}; next: ${next}`;
  const options = { details: { path, errno }, cause: error };
  return fatalNext === undefined ? new RetryableError(message, { code, ...options }) : new FatalTaskError(message, options);
}

/** `ENOENT` and its like; `undefined` for what is no error of the file system. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
