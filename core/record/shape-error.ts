/**
 * A value, a schema or a text that is not what it declares (I8). Converters turn it into a `RecordError`.
 *
 * The message and the path name types, fields and indexes: an error is logged, so it never holds content of a record.
 */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
  /** From the outermost step to the innermost; empty for the value itself. */
  readonly path: (string | number)[] = [];
  /** Of a text: the character that is wrong, where it is known. */
  readonly at: number | null;

  constructor(message: string, at: number | null = null) {
    super(message);
    this.at = at;
  }
}

/** The same error, one step further out. For `catch` blocks of whatever walks a value, so that a walk costs no path. */
export function inside(step: string | number, error: unknown): Error {
  if (error instanceof ShapeError) error.path.unshift(step);
  return error instanceof Error ? error : new Error(String(error));
}
