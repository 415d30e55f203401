/** A number of requests that may go on at once, each of which takes long. */
import { ApiError } from '../api-error.ts';

export class Places {
  #free: number;

  constructor(places: number) {
    this.#free = places;
  }

  /** @throws {ApiError} 503 when all are taken. */
  async within<T>(act: () => Promise<T>): Promise<T> {
    if (this.#free === 0) throw new ApiError(503, 'Too many requests wait already; try again later', { 'retry-after': '1' });
    this.#free -= 1;
    try {
      return await act();
    } finally {
      this.#free += 1;
    }
  }
}
