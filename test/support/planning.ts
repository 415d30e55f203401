/** What planner tests are about: a connector, a shard, and limits that do not limit. */
import { createLogCursor, type LogCursor } from '../../core/cursor/cursor.ts';
import { offset } from '../../core/offset.ts';
import type { PlannedConnector, PlannedShard, PlannerLimits, PlannerTerms } from '../../core/planner/view.ts';
import { queueShardId } from '../../core/shard-id.ts';

export const NOW_MS = 1_800_000_000_000;
const GRACE_MS = 5_000;

export const TERMS: PlannerTerms = { sliceTargetMs: 2_000, storeRoundTripMs: 1 };
export const UNLIMITED: PlannerLimits = { invocationsMax: 1_000, rampMax: 1_000, freeSlots: 1_000 };

/** By which a slice is as large as before anybody has measured. */
const PACE = { usPerRecord: 2_000, bytesPerRecord: 100 };

export function aConnector(fields: Partial<PlannedConnector> = {}): PlannedConnector {
  return {
    uid: 'uid',
    targetState: 'running',
    revision: 1,
    tasksMax: 100,
    bears: null,
    slicesPerShardMax: 1,
    freshnessMs: 0,
    graceMs: GRACE_MS,
    ...fields,
  };
}

/** A queue's shard whose cursor stands at 0, with so many records behind it. */
export function aQueueShard({
  uid = 'uid',
  queueId = 0,
  records = 0,
  ...fields
}: Partial<PlannedShard> & { readonly queueId?: number; readonly records?: number } = {}): PlannedShard {
  return {
    shard: queueShardId(uid, { topic: 'orders', brokerName: 'broker', queueId }),
    uid,
    cursor: runningCursor({ pace: PACE }),
    bounds: { min: offset(0), max: offset(records) },
    offers: new Set(),
    endedOwners: new Set(),
    notBeforeMs: 0,
    pollAfterMs: 0,
    isTriggered: false,
    waitingSinceMs: null,
    ...fields,
  };
}

export function runningCursor(fields: Partial<LogCursor> = {}): LogCursor {
  return { ...createLogCursor(offset(0)), gate: { state: 'running', revision: 1 }, ...fields };
}
