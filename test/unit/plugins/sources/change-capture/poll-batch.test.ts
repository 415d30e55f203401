import { describe, expect, test } from 'vitest';
import { NULL_DATUM } from '../../../../../core/record/connect-record.ts';
import type { PolledRecord } from '../../../../../plugins/api/source.ts';
import { PollBatch } from '../../../../../plugins/sources/change-capture/poll-batch.ts';

const LIMITS = { records: 1_000, bytes: 10_000, waitMs: 0 };

function aRecord(topic = 'a'): PolledRecord {
  return { topic, key: NULL_DATUM, value: NULL_DATUM, timestampMs: null };
}

describe(PollBatch, () => {
  test('takes so many records', () => {
    const batch = new PollBatch({ ...LIMITS, records: 2 });

    expect([1, 2, 3].map(() => batch.add(aRecord(), 1))).toEqual([true, true, false]);
    expect(batch.isFull).toBe(true);
  });

  test('takes so many bytes, and the first record in any case', () => {
    const batch = new PollBatch(LIMITS);

    expect([20_000, 1].map((bytes) => batch.add(aRecord(), bytes))).toEqual([true, false]);
  });

  test('takes records of so many topics', () => {
    const batch = new PollBatch(LIMITS);
    const topics = Array.from({ length: 60 }, (_, index) => `topic-${index}`);

    const taken = topics.filter((topic) => batch.add(aRecord(topic), 1));

    expect(taken).toEqual(topics.slice(0, 50));
    expect(batch.add(aRecord('topic-0'), 1)).toBe(true);
  });
});
