/**
 * Errors are named by what the runtime does next, and carry a stable dotted code.
 *
 * | class            | the runtime                                                              |
 * | ---------------- | ------------------------------------------------------------------------ |
 * | `RecordError`    | applies `errors.tolerance` to that record: DLQ, drop, or fail the shard   |
 * | `RetryableError` | retries inside the budget, then gives the slice back with a back-off      |
 * | `FencedError`    | ends the slice at once: another invocation owns it; no retry, no log      |
 * | `FatalTaskError` | marks the shard FAILED until an operator, or its restart budget, acts     |
 * | `ConfigError`    | rejects the request, naming each wrong key                                |
 */
import { bounded } from './bounded.ts';
import type { ErrorCode } from './error-codes.ts';

/** Where in the life of a record something failed. Kafka Connect's stages, merged per direction. */
export type Stage = 'poll' | 'convert' | 'transform' | 'put' | 'deadLetter' | 'commit';

export interface ErrorOptions<Code extends ErrorCode = ErrorCode> {
  readonly code?: Code;
  /** Facts for operators. Never secrets, never payloads. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
  readonly cause?: unknown;
}

export abstract class ConnectError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, string | number | boolean>>;

  protected constructor(message: string, code: ErrorCode, options: ErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** One record cannot pass; the others can. Thrown by converters and transforms, returned per record by sinks. */
export class RecordError extends ConnectError {
  override readonly name = 'RecordError';

  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options.code ?? 'record.rejected', options);
  }
}

/** Who wants to be left alone for longer is asked once an hour. An operator's restart and reset wait for as long, too. */
const RETRY_AFTER_MAX_MS = 60 * 60_000;

/** The other side is unwell; the same call may succeed later. */
export class RetryableError extends ConnectError {
  override readonly name = 'RetryableError';
  /** The other side's own wish, in milliseconds, at most an hour; 0 when it said nothing that makes sense. */
  readonly retryAfterMs: number;

  constructor(message: string, options: ErrorOptions & { readonly retryAfterMs?: number } = {}) {
    super(message, options.code ?? 'target.unavailable', options);
    this.retryAfterMs = bounded(options.retryAfterMs ?? 0, RETRY_AFTER_MAX_MS);
  }
}

/** Somebody else holds what this writer thought it held. Nothing was changed. */
export class FencedError extends ConnectError {
  override readonly name = 'FencedError';

  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options.code ?? 'slice.fenced', options);
  }
}

/** Nothing of this shard can succeed until somebody acts. */
export class FatalTaskError extends ConnectError {
  override readonly name = 'FatalTaskError';

  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options.code ?? 'task.failed', options);
  }
}

/** One wrong key of a configuration. `path` is the key as the user wrote it. */
export interface ConfigIssue {
  readonly path: string;
  readonly message: string;
}

export class ConfigError extends ConnectError {
  override readonly name = 'ConfigError';
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[], options: ErrorOptions = {}) {
    super(issues.map(({ path, message }) => `${path}: ${message}`).join('\n'), options.code ?? 'config.invalid', options);
    this.issues = issues;
  }
}

/** What an unknown throw says of itself, on one line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
