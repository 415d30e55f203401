import { describe, expect, test } from 'vitest';
import type { CheckpointCursor, Status } from '../../../../core/cursor/cursor.ts';
import { type DemandReason, demandOf } from '../../../../core/planner/demand.ts';
import type { PlannedConnector, PlannedShard } from '../../../../core/planner/view.ts';
import {
  aCheckpointCursor,
  aFreeRange,
  aHeldRange,
  aLogCursor,
  anAbandonedRange,
  CLAIM_MS,
  GRACE_MS,
  NOW_MS,
} from '../../../support/builders.ts';
import { aConnector, aQueueShard, TERMS } from '../../../support/planning.ts';

interface Seen {
  readonly connector?: Partial<PlannedConnector>;
  readonly shard?: Parameters<typeof aQueueShard>[0];
}

function demand({ connector = {}, shard = {} }: Seen) {
  return demandOf(aConnector(connector), aQueueShard(shard), TERMS, NOW_MS);
}

function ofSource(cursor: Partial<CheckpointCursor>, shard: Partial<PlannedShard> = {}): Seen {
  return { shard: { ...shard, bounds: null, cursor: aCheckpointCursor(cursor) } };
}

function failed(fields: Partial<Extract<Status, { state: 'failed' }>>): Seen['shard'] {
  const status: Status = { state: 'failed', code: 'target.unavailable', retryAtMs: null, restarts: 0, ...fields };
  return { records: 10, cursor: aLogCursor({ status }) };
}

const SOON = NOW_MS + 3_000;
const parallel = { slicesPerShardMax: 4 };
/** Free from a failure that is not to be tried again yet. */
const backingOff = (start: number) => aFreeRange({ start, end: start + 100, attempts: 1, retryAtMs: SOON });

const heldWhenItFailed = aLogCursor({
  next: 100,
  open: [aHeldRange()],
  status: { state: 'failed', code: 'target.unavailable', retryAtMs: null, restarts: 0 },
});

const nothing: readonly (readonly [DemandReason, string, Seen, number | null])[] = [
  ['paused', 'an operator paused it', { connector: { targetState: 'paused' }, shard: { records: 10 } }, null],
  ['stopped', 'an operator stopped it', { connector: { targetState: 'stopped' }, shard: { records: 10 } }, null],
  ['deleted', 'an operator deleted it', { connector: { targetState: 'deleted' }, shard: { records: 10 } }, null],
  ['failed', 'it has failed and nothing restarts it', { shard: failed({}) }, null],
  ['log-truncated', 'its log is another one', { shard: failed({ code: 'shard.log_truncated', retryAtMs: NOW_MS }) }, null],
  ['restart-later', 'it has failed and restarts later', { shard: failed({ retryAtMs: SOON }) }, SOON],
  [
    'queue-gone',
    'its queue is gone',
    { shard: { cursor: aLogCursor({ status: { state: 'gone', restarts: 0 } }), bounds: 'gone' } },
    null,
  ],
  ['queue-gone', 'its queue never was', { shard: { cursor: null, bounds: 'gone' } }, null],
  ['done', 'its work is over', ofSource({ status: { state: 'done' } }), null],
  ['backlog-unknown', 'nobody has looked at its queue yet', { shard: { bounds: 'unknown' } }, null],
  ['drained', 'everything is finished', { shard: { records: 0 } }, null],
  [
    'drained',
    'a failure may restart, but there is nothing to do it with',
    { shard: { ...failed({ retryAtMs: NOW_MS }), records: 0 } },
    null,
  ],
  [
    'drained',
    'a failure may restart, but a tail that was left behind is nothing to do it with',
    {
      shard: {
        cursor: aLogCursor({
          open: [anAbandonedRange({ end: null })],
          status: { state: 'failed', code: 'target.unavailable', retryAtMs: NOW_MS, restarts: 0 },
        }),
      },
    },
    null,
  ],
  ['collecting', 'a few records may still wait', { connector: { freshnessMs: 3_000 }, shard: { records: 10 } }, SOON],
  [
    'collecting',
    'a few records have waited for a part of that',
    { connector: { freshnessMs: 5_000 }, shard: { records: 10, waitingSinceMs: NOW_MS - 2_000 } },
    SOON,
  ],
  [
    'backing-off',
    'its lowest range waits after a failure',
    { shard: { records: 500, cursor: aLogCursor({ next: 100, open: [backingOff(0)] }) } },
    SOON,
  ],
  [
    'backing-off',
    'a failing head waits, though others could be claimed',
    { connector: parallel, shard: { records: 5_000, cursor: aLogCursor({ next: 100, open: [backingOff(0)] }) } },
    SOON,
  ],
  [
    'backing-off',
    'an ordered one waits for its head, though another range is due',
    { shard: { cursor: aLogCursor({ next: 200, open: [backingOff(0), aFreeRange({ start: 100, end: 200 })] }), records: 200 } },
    SOON,
  ],
  ['backing-off', 'a source waits after a failure', ofSource({ attempts: 1, retryAtMs: SOON }), SOON],
  ['not-yet', 'an invocation found nothing and said when to come', { shard: { records: 10, notBeforeMs: SOON } }, SOON],
  ['not-yet', 'an invocation said so before there was a cursor', { shard: { cursor: null, notBeforeMs: SOON } }, SOON],
  ['not-yet', 'a restart found nothing to claim', { shard: { ...failed({ retryAtMs: NOW_MS }), notBeforeMs: SOON } }, SOON],
  [
    'not-yet',
    'a queue that is back was looked at',
    { shard: { cursor: aLogCursor({ status: { state: 'gone', restarts: 0 } }), notBeforeMs: SOON } },
    SOON,
  ],
  ['at-work', 'an offer for what is there is under way', { shard: { records: 10, offers: new Set(['offer']) } }, null],
  [
    'at-work',
    'an offer for what is collected is under way',
    { connector: { freshnessMs: 3_000 }, shard: { records: 10, offers: new Set(['offer']) } },
    null,
  ],
  [
    'at-work',
    'somebody else holds it',
    { shard: { records: 10, cursor: aLogCursor({ next: 5, open: [aHeldRange({ end: 5 })] }) } },
    NOW_MS + CLAIM_MS + GRACE_MS,
  ],
  [
    'at-work',
    'its own invocation holds it',
    {
      shard: {
        records: 10,
        offers: new Set(['offer']),
        cursor: aLogCursor({ next: 5, open: [aHeldRange({ end: 5, owner: 'offer/run.1' })] }),
      },
    },
    NOW_MS + CLAIM_MS + GRACE_MS,
  ],
  [
    'at-work',
    'a tail follows it',
    { connector: parallel, shard: { records: 9_000, cursor: aLogCursor({ open: [aHeldRange({ end: null })] }) } },
    NOW_MS + CLAIM_MS + GRACE_MS,
  ],
  [
    'at-work',
    'its own invocation holds all that is due, and a range behind it is to be tried again',
    {
      connector: parallel,
      shard: {
        records: 200,
        offers: new Set(['offer']),
        cursor: aLogCursor({ next: 200, open: [aHeldRange({ owner: 'offer/run.1' }), backingOff(100)] }),
      },
    },
    SOON,
  ],
  ['failed', 'somebody holds it until later', { shard: { cursor: heldWhenItFailed } }, NOW_MS + CLAIM_MS + GRACE_MS],
  ['at-work', 'a source is held', ofSource({ holder: { owner: 'holder', deadlineAtMs: NOW_MS } }), NOW_MS + GRACE_MS],
  [
    'at-work',
    'a failing head is being looked at',
    {
      connector: parallel,
      shard: {
        records: 9_000,
        offers: new Set(['offer']),
        cursor: aLogCursor({ next: 100, open: [aFreeRange({ attempts: 1 })] }),
      },
    },
    null,
  ],
  ['poll-later', 'a source said when to come', ofSource({ pollAtMs: SOON }), SOON],
];

const something: readonly (readonly [DemandReason, string, Seen, number])[] = [
  ['new', 'there is no cursor yet', { shard: { cursor: null, bounds: 'unknown' } }, 1],
  ['restart', 'a failure may restart', { connector: parallel, shard: { ...failed({ retryAtMs: NOW_MS }), records: 50_000 } }, 1],
  [
    'restart',
    'a failed source may restart',
    ofSource({ status: { state: 'failed', code: 'target.unavailable', retryAtMs: NOW_MS, restarts: 1 } }),
    1,
  ],
  ['log-changed', 'the log ends below what was claimed', { shard: { records: 10, cursor: aLogCursor({ next: 11 }) } }, 1],
  ['log-changed', 'the queue is gone, and the cursor does not say so', { shard: { bounds: 'gone' } }, 1],
  [
    'log-changed',
    'the queue is back',
    { shard: { cursor: aLogCursor({ status: { state: 'gone', restarts: 0 } }), records: 0 } },
    1,
  ],
  [
    'head-fails',
    'the lowest range has failed and is due',
    { connector: parallel, shard: { records: 90_000, cursor: aLogCursor({ next: 100, open: [aFreeRange({ attempts: 1 })] }) } },
    1,
  ],
  [
    'head-fails',
    'the lowest range has killed',
    {
      connector: parallel,
      shard: { records: 90_000, cursor: aLogCursor({ next: 100, open: [anAbandonedRange({ deaths: 1 })] }) },
    },
    1,
  ],
  [
    'left-behind',
    'a tail was left behind at the end of the log',
    { shard: { cursor: aLogCursor({ open: [anAbandonedRange({ end: null })] }) } },
    1,
  ],
  ['follow', 'a few records may not wait', { connector: parallel, shard: { records: 10 } }, 1],
  [
    'backlog',
    'a few records have waited long enough',
    { connector: { freshnessMs: 3_000 }, shard: { records: 10, waitingSinceMs: NOW_MS - 3_000 } },
    1,
  ],
  [
    'backlog',
    'somebody asked for a few records now',
    { connector: { freshnessMs: 3_000 }, shard: { records: 10, isTriggered: true } },
    1,
  ],
  ['backlog', 'there is more than a slice, in order', { shard: { records: 90_000 } }, 1],
  ['backlog', 'there are three slices', { connector: parallel, shard: { records: 2_500 } }, 3],
  ['backlog', 'there are more slices than may be held at once', { connector: parallel, shard: { records: 90_000 } }, 4],
  [
    'backlog',
    'an offer under way takes one of three slices',
    { connector: parallel, shard: { records: 2_500, offers: new Set(['offer']) } },
    2,
  ],
  [
    'backlog',
    'an offer has taken its slice, and two are left',
    {
      connector: parallel,
      shard: {
        records: 3_000,
        offers: new Set(['offer']),
        cursor: aLogCursor({ next: 1_000, open: [aHeldRange({ end: 1_000, owner: 'offer/run.1' })] }),
      },
    },
    2,
  ],
  ['backlog', 'a range was given back', { shard: { records: 100, cursor: aLogCursor({ next: 100, open: [aFreeRange()] }) } }, 1],
  [
    'backlog',
    'a holder was seen to end',
    { shard: { records: 100, endedOwners: new Set(['holder']), cursor: aLogCursor({ next: 100, open: [aHeldRange()] }) } },
    1,
  ],
  [
    'backlog',
    "a dead holder's tail left records behind",
    { connector: parallel, shard: { records: 500, cursor: aLogCursor({ open: [anAbandonedRange({ end: null })] }) } },
    1,
  ],
  [
    'backlog',
    'a ninth range may not be opened',
    {
      connector: { slicesPerShardMax: 8 },
      shard: {
        records: 90_000,
        cursor: aLogCursor({ next: 800, open: [aFreeRange(), ...[100, 200, 300, 400, 500, 600].map(backingOff)] }),
      },
    },
    2,
  ],
  ['poll', 'a source is to be polled', ofSource({ pollAtMs: NOW_MS }), 1],
  ['poll', 'somebody asked for a poll now', ofSource({ pollAtMs: SOON }, { isTriggered: true }), 1],
];

describe('demandOf', () => {
  test.each(nothing)('sends nobody (%s) where %s', (reason, _, seen, againAtMs) => {
    expect(demand(seen)).toMatchObject({ reason, slots: 0, againAtMs });
  });

  test.each(something)('sends somebody (%s) where %s', (reason, _, seen, slots) => {
    expect(demand(seen)).toMatchObject({ reason, slots });
  });

  test('follows with a tail only what may not wait and stands at the end of its log', () => {
    expect(demand({ shard: { records: 10 } }).mode).toBe('tail');
    expect(demand({ shard: { records: 10 }, connector: { freshnessMs: 1 } }).mode).toBe('slice');
    expect(demand({ shard: { records: 90_000 } }).mode).toBe('slice');
    expect(demand({ shard: { cursor: aLogCursor({ open: [anAbandonedRange({ end: null })] }) } }).mode).toBe('tail');
    expect(demand(ofSource({})).mode).toBe('tail');
    expect(demand(ofSource({ attempts: 1 })).mode).toBe('slice');
  });

  test('counts the holders that no offer of its own brought, and each of its offers once', () => {
    const open = [
      aHeldRange({ start: 0, end: 100, owner: 'offer/run.1' }),
      aHeldRange({ start: 100, end: 200, owner: 'foreign/run.7' }),
      anAbandonedRange({ start: 200, end: 300, owner: 'dead/run.1' }),
    ];

    const { running } = demand({ shard: { cursor: aLogCursor({ next: 300, open }), offers: new Set(['offer', 'other']) } });

    expect(running).toBe(3);
  });
});
