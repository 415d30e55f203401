import { describe, expect, test } from 'vitest';
import { plan } from '../../../support/plan.ts';
import { aConnector, aQueueShard, NOW_MS, TERMS, UNLIMITED } from '../../../support/planning.ts';

const moment = { terms: TERMS, limits: UNLIMITED, tails: new Map(), nowMs: NOW_MS };

describe('plan', () => {
  test('sends one tail to a shard with a few records, and nobody to one without', () => {
    const shards = [aQueueShard({ queueId: 0, records: 3 }), aQueueShard({ queueId: 1 })];

    const { allotments, reasons } = plan([aConnector()], shards, moment);

    expect(allotments.map(({ shard, mode }) => [shard, mode])).toEqual([[shards[0]?.shard, 'tail']]);
    expect([...reasons.values()].map(({ demand }) => demand)).toEqual(['follow', 'drained']);
  });
});
