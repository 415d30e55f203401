import { RetryableError } from '../../../core/errors.ts';
import type { PutFailure, PutResult } from '../../api/sink.ts';

/** @throws {RetryableError} where the first record is to be put again, and with it all. */
export function putResult(failures: readonly PutFailure[], taken: number): PutResult {
  const whole = failures.find(({ index, error }) => index === 0 && error instanceof RetryableError);
  if (whole !== undefined) throw whole.error;
  return { failures, taken };
}
