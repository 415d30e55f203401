/** What an error of `node:sqlite` says, by its result code. https://www.sqlite.org/rescode.html, read 2026-11-26 */

/**
 * - `busy`: others hold the file; the same may succeed right after.
 * - `refused`: the row breaks a constraint, a type or a limit; the statement changed nothing, its transaction goes on.
 * - `statement`: the statement does not fit the schema, or is no SQL.
 * - `full`, `unwritable`, `unopenable`, `corrupt`: the file, or what it lies on.
 * - `unwell`: anything else.
 */
export type SqliteFailure = 'busy' | 'refused' | 'statement' | 'full' | 'unwritable' | 'unopenable' | 'corrupt' | 'unwell';

const failures = new Map<number, SqliteFailure>([
  [1, 'statement'],
  [3, 'unwritable'],
  [5, 'busy'],
  [6, 'busy'],
  [8, 'unwritable'],
  [11, 'corrupt'],
  [13, 'full'],
  [14, 'unopenable'],
  // Many readers and writers came at the very moment the log was restarted.
  [15, 'busy'],
  // The schema changed more often than a statement is prepared anew.
  [17, 'busy'],
  [18, 'refused'],
  [19, 'refused'],
  [20, 'refused'],
  [23, 'unwritable'],
  [26, 'corrupt'],
]);

/** `undefined` for an error that is not SQLite's. */
export function sqliteFailure(error: unknown): SqliteFailure | undefined {
  const code = sqliteCode(error);
  // Extended codes keep the primary one in their low byte.
  return code === undefined ? undefined : (failures.get(code & 0xff) ?? 'unwell');
}

function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode;
}

const TOO_BIG = 18;

/** A text or blob is longer than SQLite takes. */
export function isTooBig(error: unknown): boolean {
  return sqliteCode(error) === TOO_BIG;
}

const nextSteps: Readonly<Record<'full' | 'unwritable' | 'unopenable' | 'corrupt', string>> = {
  full: 'the disk is full; next: make room on it, then restart the connector',
  unwritable: 'it cannot be written; next: let this user write the file and its folder, then restart the connector',
  unopenable: 'it cannot be opened; next: check the path, that its folder exists, and that this user may use it',
  corrupt: 'it is damaged, or no SQLite database; next: restore it from a backup, or name another file',
};

/** Why nothing can succeed until somebody acts, and what to do; `undefined` where waiting may be enough. */
export function needsSomebody(failure: SqliteFailure | undefined): string | undefined {
  switch (failure) {
    case 'full':
    case 'unwritable':
    case 'unopenable':
    case 'corrupt':
      return nextSteps[failure];
    case 'busy':
    case 'refused':
    case 'statement':
    case 'unwell':
    case undefined:
      return undefined;
  }
}
