/** Clients of Kafka Connect know this text, and try again. */
export const STALE =
  'Cannot complete request momentarily due to stale configuration (typically caused by a concurrent config change)';

/** An answer that is an error, in Kafka Connect's words. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 500 | 503;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: ApiError['status'], message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}
