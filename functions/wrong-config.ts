/**
 * A configuration found wrong only in an invocation fails the shard, where its status shows it. Each look at it uses up one
 * automatic restart, once the time of that has come: no claim does, for there is nothing to claim with.
 */
import { restartAtMs } from '../core/backoff.ts';
import type { Cursor } from '../core/cursor/cursor.ts';
import { failShard, raiseGate } from '../core/cursor/steer.ts';
import type { StoredCursor } from '../core/cursor/stored-cursor.ts';
import type { ErrorCode } from '../core/error-codes.ts';
import type { ConfigError } from '../core/errors.ts';
import { type Ending, type Invocation, wantedGate } from './invocation.ts';

/** As many as `auto.restart.max.attempts` has by default: what sets it cannot be read. */
const CONFIG_RESTARTS_MAX = 7;

export async function failByConfig(invocation: Invocation, shard: StoredCursor, error: ConfigError): Promise<Ending> {
  const { tally, host } = invocation;
  const wanted = wantedGate(invocation);
  const facts = { code: error.code, nowMs: host.clock.nowMs() };
  const { status, gate } = await shard.change(
    (cursor) => {
      const gated = raiseGate(cursor, wanted);
      return gated.gate.revision === wanted.revision ? unusable(gated, facts) : gated;
    },
    { forMs: host.settings.claimMs },
  );
  // Changed meanwhile, perhaps mended.
  if (gate.revision !== wanted.revision) return { outcome: null, refusal: 'revision-differs', notBeforeMs: null };
  tally.failed('poll', error);
  return { outcome: 'failed', notBeforeMs: status.state === 'failed' ? status.retryAtMs : null };
}

function unusable<C extends Cursor>(cursor: C, { code, nowMs }: { readonly code: ErrorCode; readonly nowMs: number }): C {
  const { status } = cursor;
  if (status.state !== 'failed') return failShard(cursor, { code, retryAtMs: retryAtMs(restartsOf(cursor), nowMs) });
  if (status.retryAtMs === null || status.retryAtMs > nowMs) return cursor;
  const restarts = status.restarts + 1;
  return { ...cursor, status: { state: 'failed', code, restarts, retryAtMs: retryAtMs(restarts, nowMs) } };
}

function retryAtMs(restarts: number, nowMs: number): number | null {
  return restartAtMs({ restarts, restartsMax: CONFIG_RESTARTS_MAX, nowMs });
}

/** Automatic restarts without progress so far. */
export function restartsOf({ status }: Cursor): number {
  return status.state === 'active' || status.state === 'failed' ? status.restarts : 0;
}
