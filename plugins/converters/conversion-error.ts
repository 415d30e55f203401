import { RecordError } from '../../core/errors.ts';
import { ShapeError } from '../../core/record/shape-error.ts';

/** What a converter throws for whatever went wrong in it; faults of the program stay what they are. */
export function conversionError(error: unknown): Error {
  if (error instanceof ShapeError)
    return refused(error.path.length === 0 ? error.message : `${error.path.join('.')}: ${error.message}`);
  // The stack ends at some ten thousand levels of nesting, a string at half a gigabyte.
  if (error instanceof RangeError) return refused('the value is nested too deeply, or too long');
  return error instanceof Error ? error : new Error(String(error));
}

function refused(message: string): RecordError {
  return new RecordError(message, { code: 'record.conversion_failed' });
}
