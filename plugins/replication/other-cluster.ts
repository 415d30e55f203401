/** The cluster on the other side of a copying: a client of its own, and what its errors mean there. */
import { RocketmqClient } from '../../clients/rocketmq/rocketmq-client.ts';
import { rocketmqSettingsOf } from '../../clients/rocketmq/settings-of.ts';
import type { RocketmqValues } from '../../core/config/rocketmq-keys.ts';
import type { ErrorCode } from '../../core/error-codes.ts';
import { ConfigError, FatalTaskError, RetryableError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';

/** Connects nowhere yet. @throws {FatalTaskError} when a file that the keys name cannot be used on this host. */
export function openOtherCluster(values: RocketmqValues, clock: Clock): RocketmqClient {
  try {
    return new RocketmqClient(rocketmqSettingsOf(values), clock);
  } catch (error) {
    throw error instanceof ConfigError ? new FatalTaskError(error.message, { cause: error }) : error;
  }
}

/** The log's own broker has the codes that the client gives: nobody is to look for the fault there. */
export function asSourceError(error: unknown): unknown {
  return withCode(error, () => 'source.unavailable');
}

export function asTargetError(error: unknown): unknown {
  if (error instanceof FatalTaskError && error.code === 'broker.unauthorized')
    return new FatalTaskError(error.message, { code: 'sink.unauthorized', details: error.details, cause: error });
  return withCode(error, (code) => (code === 'broker.throttled' ? 'target.throttled' : 'target.unavailable'));
}

function withCode(error: unknown, codeFor: (code: ErrorCode) => ErrorCode): unknown {
  if (!(error instanceof RetryableError) || !error.code.startsWith('broker.')) return error;
  const { message, details, retryAfterMs } = error;
  return new RetryableError(message, { code: codeFor(error.code), details, retryAfterMs, cause: error });
}
