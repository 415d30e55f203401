import { isTooBig, needsSomebody, sqliteFailure } from '../../../clients/sqlite/sqlite-failure.ts';
import { FatalTaskError, messageOf, RecordError, RetryableError } from '../../../core/errors.ts';

/** What an error of the target means for the whole put; anything else stays what it is. */
export function targetError(error: unknown, path: string): unknown {
  const failure = sqliteFailure(error);
  if (failure === undefined) return error;
  const details = { path };
  const reason = needsSomebody(failure);
  if (reason !== undefined)
    return new FatalTaskError(`the database ${path}: ${reason} (${messageOf(error)})`, { details, cause: error });
  if (failure === 'statement') {
    return new FatalTaskError(
      `the database ${path} refuses a statement: ${messageOf(error)}; next: compare the table with the configuration, then restart the connector`,
      { details, cause: error },
    );
  }
  return new RetryableError(`the database ${path} cannot be written for now: ${messageOf(error)}`, { details, cause: error });
}

/**
 * What a row was refused for; `undefined` where it is not about the row. The statement has been prepared, so whatever is wrong
 * with it now is wrong with its values. SQLite's messages name columns and constraints, no values.
 */
export function rowError(error: unknown, table: string): RecordError | undefined {
  if (error instanceof RecordError) return error;
  const failure = sqliteFailure(error);
  if (failure !== 'refused' && failure !== 'statement') return undefined;
  return new RecordError(`table ${JSON.stringify(table)} refuses the row: ${messageOf(error)}`, {
    code: isTooBig(error) ? 'record.too_large' : 'record.rejected',
    details: { table },
    cause: error,
  });
}
