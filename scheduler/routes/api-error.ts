/** An answer that is an error, in Kafka Connect's words. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: 400 | 404 | 409 | 500;

  constructor(status: ApiError['status'], message: string) {
    super(message);
    this.status = status;
  }
}
