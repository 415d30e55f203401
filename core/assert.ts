/** Thrown when the program itself is wrong: the invocation crashes, and what it held is claimed again by another. */
export class AssertionError extends Error {
  readonly code = 'internal.assertion';
  override readonly name = 'AssertionError';
}

/** @throws {AssertionError} when `condition` does not hold. Assertions stay on in production. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Ends an exhaustive switch: compiles only while every case is handled. */
export function unreachable(value: never): never {
  throw new AssertionError(`unexpected case: ${JSON.stringify(value)}`);
}

/** Whether the program itself is wrong. By its name, for a plugin's driver may assert with a class of its own. */
export function isAssertion(error: unknown): error is Error {
  return error instanceof Error && error.name === 'AssertionError';
}
