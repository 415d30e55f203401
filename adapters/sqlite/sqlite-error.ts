import { type ConnectError, FatalTaskError, RetryableError } from '../../core/errors.ts';
import type { DatabaseKind } from './database-kind.ts';
import { writingProcess } from './writing-process.ts';

/** Primary result codes. https://www.sqlite.org/rescode.html, read 2026-11-22 */
const BUSY = 5;
const LOCKED = 6;
const IO_ERROR = 10;
const CORRUPT = 11;
const FULL = 13;
/** Too many readers and writers came at the very moment the log was restarted. */
const PROTOCOL = 15;
const NOT_A_DATABASE = 26;

/** The other processes need the file for a moment; the same statement may succeed right after. Nothing was written. */
export function isBusy(error: unknown): boolean {
  const code = primaryCode(error);
  return code === BUSY || code === LOCKED || code === PROTOCOL;
}

/** What an error of `node:sqlite` means for whoever uses the file at `path`; anything else stays as it is. */
export function databaseError(error: unknown, path: string, kind: DatabaseKind): unknown {
  const code = primaryCode(error);
  if (code === undefined) return error;
  if (code === CORRUPT || code === NOT_A_DATABASE) return notOfKind(path, kind, String(error), error);
  return new RetryableError(`the ${kind.what} ${path} cannot be used for now: ${String(error)}; next: ${nextStep(code)}`, {
    code: kind.codes.unavailable,
    details: { path, sqliteCode: code },
    cause: error,
  });
}

/** Of a file that was busy for as long as anybody waits. */
export function keptBusy(path: string, { what, codes }: DatabaseKind): RetryableError {
  const pid = writingProcess(path);
  const [who, next] =
    pid === null ? ['another program', 'end the program that keeps it locked'] : [`process ${pid}`, 'let it go on, or end it'];
  return new RetryableError(`the ${what} ${path} is kept busy by ${who}; next: ${next}`, {
    code: codes.unavailable,
    details: { path, ...(pid === null ? {} : { pid }) },
  });
}

/** Opening is done by whoever starts the product, so what fails here waits for that person. */
export function openError(error: unknown, path: string, kind: DatabaseKind): unknown {
  const meaning = databaseError(error, path, kind);
  if (!(meaning instanceof RetryableError)) return meaning;
  return new FatalTaskError(`cannot open the ${kind.what} ${path}: ${String(error)}; next: ${nextStep(primaryCode(error))}`, {
    code: kind.codes.unusable,
    details: meaning.details,
    cause: error,
  });
}

export function notOfKind(path: string, { what, codes }: DatabaseKind, reason: string, cause?: unknown): ConnectError {
  return new FatalTaskError(
    `${path} is not a ${what} of this product, or is damaged: ${reason}; next: name another file, or restore this one from a backup`,
    { code: codes.unusable, details: { path }, cause },
  );
}

function nextStep(code: number | undefined): string {
  if (code === BUSY || code === LOCKED || code === PROTOCOL) return 'end the other program that keeps it locked';
  if (code === FULL) return 'free space on its disk';
  if (code === IO_ERROR) return 'check its disk, and that there is space on it';
  return 'check that its folder exists and that this user may write there';
}

/** Extended codes keep the primary one in their low byte. */
function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}
