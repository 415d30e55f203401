import { RetryableError } from '../../../core/errors.ts';

/** Why there is no answer, or no whole one; whether the request arrived is unknown. Of what was thrown only its code is shown: a message may quote the URL. */
export function noAnswer(
  error: unknown,
  { from, isTimeOver }: { readonly from: string; readonly isTimeOver: boolean },
): RetryableError {
  if (isTimeOver) {
    return new RetryableError(`${from} did not answer within put.timeout.ms`, { code: 'target.timed_out' });
  }
  return new RetryableError(`${from} gave no answer: ${codeOf(error)}`);
}

/** Node's `fetch` keeps the code in a cause of its error; other platforms have none. */
function codeOf(error: unknown): string {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('code' in current && typeof current.code === 'string') return current.code;
  }
  return 'the connection failed or broke off';
}
