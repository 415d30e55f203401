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
  test('takes the queue that a source says, counted round and round, before its key', () => {
    const record = aRecord({ queueIndex: 11, key: textDatum('key') });

    expect(chooseQueue(record, QUEUES, 0)).toBe(3);
    expect(chooseQueue(record.with({ topic: 'others', key: textDatum('another') }), QUEUES, 0)).toBe(3);
  });

  test('takes the same queue for the same key, whatever the turn', () => {
    const records = [{ key: textDatum('a') }, { key: textDatum('a'), position: [1n] }].map(aRecord);

    expect(new Set(records.map((record, turn) => chooseQueue(record, QUEUES, turn))).size).toBe(1);
  });

  test('keeps those without a key together, and goes round with the turns', () => {
    const records = [{}, { position: [1n] }, { position: [2n] }].map(aRecord);
    const choices = (turn: number): readonly number[] => records.map((record) => chooseQueue(record, QUEUES, turn));

    expect([0, 1, 8].map(choices)).toEqual([
      [0, 0, 0],
      [1, 1, 1],
      [0, 0, 0],
    ]);
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
