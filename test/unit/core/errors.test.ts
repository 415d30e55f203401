import { describe, expect, test } from 'vitest';
import { RetryableError } from '../../../core/errors.ts';

describe('RetryableError', () => {
  test.each([
    [0, 0],
    [1_500.5, 1_500.5],
    [-1, 0],
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, 3_600_000],
    [1e300, 3_600_000],
  ])('that is to be retried after %d ms keeps %d of them', (retryAfterMs, kept) => {
    expect(new RetryableError('busy', { retryAfterMs }).retryAfterMs).toBe(kept);
  });
});
