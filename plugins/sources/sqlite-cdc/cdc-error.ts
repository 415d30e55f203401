import { needsSomebody, sqliteFailure } from '../../../clients/sqlite/sqlite-failure.ts';
import { FatalTaskError, messageOf, RetryableError } from '../../../core/errors.ts';

export function isBusy(error: unknown): boolean {
  return sqliteFailure(error) === 'busy';
}

/** What an error of the source means; anything that is not SQLite's stays what it is. */
export function sourceError(error: unknown, path: string): unknown {
  const failure = sqliteFailure(error);
  if (failure === undefined) return error;
  const details = { path };
  const reason = needsSomebody(failure);
  if (reason !== undefined) {
    return new FatalTaskError(`the database ${path}: ${reason} (${messageOf(error)})`, { details, cause: error });
  }
  if (failure === 'statement') {
    return new FatalTaskError(
      `the database ${path} refuses a statement: ${messageOf(error)}; next: mend what it names, then restart the connector`,
      { details, cause: error },
    );
  }
  return new RetryableError(`the database ${path} cannot be read for now: ${messageOf(error)}`, {
    code: 'source.unavailable',
    details,
    cause: error,
  });
}
