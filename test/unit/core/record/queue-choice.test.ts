import { describe, expect, test } from 'vitest';
import { ConnectRecord, type RecordFields } from '../../../../core/record/connect-record.ts';
import { chooseQueue, copiedQueueIndex } from '../../../../core/record/queue-choice.ts';
import { textDatum } from '../../../support/connect-records.ts';

const QUEUES = Array.from({ length: 8 }, (_, queueId) => ({ topic: 'orders', brokerName: 'broker-a', queueId }));

function aRecord(fields: Partial<RecordFields>): ConnectRecord {
  const nothing = { log: null, position: null, timestampMs: null, tag: null, headers: [] };
  return new ConnectRecord({
    ...nothing,
    topic: 'orders',
    key: { schema: null, value: null, bytes: null },
    value: textDatum('value'),
    ...fields,
  });
}

describe('chooseQueue', () => {
  test('takes the queue that a source says, counted round and round, before its key and its position', () => {
    const record = aRecord({ queueIndex: 11, key: textDatum('key'), position: [1n] });

    expect(chooseQueue(record, QUEUES, 0)).toBe(3);
    expect(chooseQueue(record.with({ topic: 'others', key: textDatum('another') }), QUEUES, 0)).toBe(3);
  });

  test('takes the same queue for the same key, and for the same position where there is no key', () => {
    const choices = (fields: readonly Partial<RecordFields>[]): readonly number[] =>
      fields.map((each, turn) => chooseQueue(aRecord(each), QUEUES, turn));

    expect(new Set(choices([{ key: textDatum('a') }, { key: textDatum('a'), position: [1n] }])).size).toBe(1);
    expect(new Set(choices([{ position: [7n, 1n] }, { position: [7n, 1n] }])).size).toBe(1);
  });

  test('spreads what has neither by turns', () => {
    expect([0, 1, 8].map((turn) => chooseQueue(aRecord({}), QUEUES, turn))).toEqual([0, 1, 0]);
  });
});

describe('copiedQueueIndex', () => {
  test('lets the queues of a broker follow one another, and those of brokers begin apart', () => {
    const indexes = (brokerName: string): readonly number[] =>
      [0, 1, 2, 3].map((queueId) => copiedQueueIndex({ brokerName, queueId }) % QUEUES.length);

    const [first = 0, ...others] = indexes('broker-a');

    expect(others).toEqual([1, 2, 3].map((more) => (first + more) % QUEUES.length));
    expect(indexes('broker-b')[0]).not.toBe(first);
  });
});
