/**
 * What is found wrong before a claim: a configuration that cannot be used, a plugin that does not load, a log that gives no
 * access. It fails the shard, where its status shows it (I10). Each look at it uses up one automatic restart, once the time of
 * that has come: no claim does, for there is nothing to claim with. So what nobody knows is tried a bounded number of times, too.
 */
import { restartAtMs } from '../core/backoff.ts';
import { Runtime } from '../core/config/connector-config.ts';
import type { Connector } from '../core/connector.ts';
import type { Cursor } from '../core/cursor/cursor.ts';
import { failShard, raiseGate } from '../core/cursor/steer.ts';
import type { StoredCursor } from '../core/cursor/stored-cursor.ts';
import type { ErrorCode } from '../core/error-codes.ts';
import { ConfigError, FatalTaskError, RetryableError } from '../core/errors.ts';
import { classified } from './deliver.ts';
import { type Ending, type Invocation, wantedGate } from './invocation.ts';

/** @throws the error itself, where it says nothing against the shard: it is fenced, a port is unwell, or the program is wrong. */
export async function failUnclaimed(invocation: Invocation, shard: StoredCursor, error: unknown): Promise<Ending> {
  const known = error instanceof ConfigError ? error : classified(error);
  if (!isAgainstShard(known)) throw known;
  const { tally, host, connector } = invocation;
  const wanted = wantedGate(invocation);
  const facts = { code: known.code, nowMs: host.clock.nowMs(), restartsMax: restartsMax(connector.config) };
  const { status, gate } = await shard.change(
    (cursor) => {
      const gated = raiseGate(cursor, wanted);
      return gated.gate.revision === wanted.revision ? unusable(gated, facts) : gated;
    },
    { forMs: host.settings.claimMs },
  );
  // Changed meanwhile, perhaps mended.
  if (gate.revision !== wanted.revision) return { outcome: null, refusal: 'revision-differs', notBeforeMs: null };
  tally.failed(tally.stage, known);
  return { outcome: 'failed', notBeforeMs: status.state === 'failed' ? status.retryAtMs : null };
}

/** Automatic restarts without progress so far. */
export function restartsOf({ status }: Cursor): number {
  return status.state === 'done' ? 0 : status.restarts;
}

function isAgainstShard(error: unknown): error is ConfigError | FatalTaskError | RetryableError {
  if (error instanceof RetryableError) return error.code === 'plugin.failed';
  return error instanceof ConfigError || error instanceof FatalTaskError;
}

interface Facts {
  readonly code: ErrorCode;
  readonly nowMs: number;
  readonly restartsMax: number;
}

function unusable<C extends Cursor>(cursor: C, { code, nowMs, restartsMax: max }: Facts): C {
  const { status } = cursor;
  const retryAtMs = (restarts: number): number | null => restartAtMs({ restarts, restartsMax: max, nowMs });
  if (status.state !== 'failed') return failShard(cursor, { code, retryAtMs: retryAtMs(restartsOf(cursor)) });
  if (status.retryAtMs === null || status.retryAtMs > nowMs) return cursor;
  const restarts = status.restarts + 1;
  return { ...cursor, status: { state: 'failed', code, restarts, retryAtMs: retryAtMs(restarts) } };
}

/** Read alone, for another key may be what is wrong. */
function restartsMax(config: Connector['config']): number {
  const key = Runtime.shape['auto.restart.max.attempts'];
  return key.catch(key.parse(undefined)).parse(config['auto.restart.max.attempts']);
}
