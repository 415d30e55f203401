import { FatalTaskError, messageOf, RetryableError } from '../../core/errors.ts';
import { BATCH_VERSION } from './batch-codec.ts';

/** No space left on the disk, of this user, or for one file. */
const FULL_CODES = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** SQLite's word for it. */
const FULL_SQLITE_TEXT = 'database or disk is full';

export interface FilePlace {
  readonly path: string;
  /** Byte of the file. */
  readonly position: number;
}

export function logDamaged({ path, position }: FilePlace, reason: string, cause?: unknown): FatalTaskError {
  return new FatalTaskError(
    `the log is damaged: ${path} at byte ${position}: ${reason}; next: restore this file from a backup, or delete its topic`,
    { code: 'log.damaged', details: { path, position }, cause },
  );
}

/** Without it nobody knows what of the files is in the log, and a new one would take them for left over. */
export function databaseMissing(path: string): FatalTaskError {
  return new FatalTaskError(
    `${path} is missing, but the records of its log are there; next: restore it from a backup, or move the whole folder away to begin anew`,
    { code: 'log.damaged', details: { path } },
  );
}

export function logNewer({ path, position }: FilePlace, version: number): FatalTaskError {
  return new FatalTaskError(
    `${path} holds a batch of format ${version} at byte ${position}, this version reads up to ${BATCH_VERSION}; next: upgrade this host to the version that wrote it`,
    { code: 'log.newer', details: { path, position, version } },
  );
}

/** A folder or file of the log that cannot be opened or made, which waits for whoever starts the product. */
export function logUnusable(path: string, error: unknown): FatalTaskError {
  return new FatalTaskError(
    `cannot use the log ${path}: ${messageOf(error)}; next: check that the folder exists and that this user may write there`,
    { code: 'log.unusable', details: { path }, cause: error },
  );
}

/** What the machine's refusal to read or write a file means; any other error stays as it is. */
export function fileError(error: unknown, folder: string): unknown {
  const isFull = error instanceof Error && isFullDisk(error);
  const isOfSystem = error instanceof Error && 'syscall' in error;
  if (!isFull && !isOfSystem) return error;
  const next = isFull
    ? 'free space on its disk, or keep less with log.retention.ms or log.retention.bytes'
    : 'check the disk and who may write there';
  return new RetryableError(`the log ${folder} cannot be used for now: ${messageOf(error)}; next: ${next}`, {
    code: 'broker.unavailable',
    details: { path: folder },
    cause: error,
  });
}

function isFullDisk(error: Error): boolean {
  return (
    ('code' in error && typeof error.code === 'string' && FULL_CODES.has(error.code)) || error.message.includes(FULL_SQLITE_TEXT)
  );
}

export function isMissingFile(error: unknown): error is Error & { readonly path: string } {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT' && 'path' in error;
}
