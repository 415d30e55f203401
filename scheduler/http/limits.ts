/** What a request may take at most, of memory and of time. */
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { timeout } from 'hono/timeout';
import { ApiError } from '../routes/api-error.ts';

/** What a body may hold at most that has the right form, in bytes. Kafka Connect's own limit on a request is of this order. */
const BODY_BYTES_MAX = 1_048_576;

/** Kafka Connect's own. Whoever waits for a connector waits for 60 seconds at most, and a stream has begun long before. */
const ANSWER_WITHIN_MS = 90_000;

export const limitBody = bodyLimit({
  maxSize: BODY_BYTES_MAX,
  onError: () => {
    throw new ApiError(413, `The body of the request has more than ${BODY_BYTES_MAX} bytes`);
  },
});

/** What was begun may still come about. */
export const limitTime = timeout(
  ANSWER_WITHIN_MS,
  new HTTPException(504, { message: `Request timed out after ${ANSWER_WITHIN_MS} ms` }),
);
