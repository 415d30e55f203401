import { expect } from 'vitest';
import type { MessageQueue } from '../../../core/message-queue.ts';
import { advance, offset } from '../../../core/offset.ts';
import type { LogBroker, OutgoingRecord } from '../../../core/ports.ts';
import { anOutgoingRecord, asSent, bytesOf, outgoing, textOf } from '../../support/log-records.ts';
import { type LogCase, only, readAll } from './log-under-test.ts';

export function sendCases(check: LogCase): void {
  check('keeps a record as it is, by whatever words and sharding key others find it', [], async ({ broker, newQueue }) => {
    const queue = await newQueue();
    const record = anOutgoingRecord({ key: bytesOf('key') });
    await broker.send(queue, [{ ...record, keys: 'order-7 paid', shardingKey: '7' }]);

    expect(asSent(only(await readAll(broker, queue, offset(0))))).toEqual(record);
  });

  for (const [what, record] of kinds) {
    check(`gives back ${what}`, [], async ({ broker, newQueue }) => {
      const queue = await newQueue();

      await broker.send(queue, [record]);

      expect(asSent(only(await readAll(broker, queue, offset(0))))).toEqual(record);
    });
  }

  check('appends batches one behind the other, and answers where each ends', [], async ({ broker, newQueue }) => {
    const queue = await newQueue();

    const first = await broker.send(queue, outgoing('a', 'b'));
    const second = await broker.send(queue, outgoing('c'));
    const third = await broker.send(queue, outgoing('d', 'e'));

    expect([first.endOffset, second.endOffset, third.endOffset]).toEqual([2n, 3n, 5n]);
    expect(await textsOf(broker, queue)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  check('keeps each batch in order among concurrent sends to one queue', [], async ({ broker, newQueue }) => {
    const queue = await newQueue();
    const batches = Array.from({ length: 8 }, (_, batch) => [0, 1, 2].map((index) => `${batch}.${index}`));

    const results = await Promise.all(batches.map((values) => broker.send(queue, outgoing(...values))));

    const texts = await textsOf(broker, queue);
    expect(texts).toHaveLength(24);
    for (const batch of batches) expect(texts.filter((text) => batch.includes(text ?? ''))).toEqual(batch);
    expect(results.map(({ endOffset }) => texts[Number(endOffset) - 1])).toEqual(batches.map((batch) => batch.at(-1)));
  });

  check('keeps the order of every queue among concurrent sends to several', [], async ({ broker, newQueues }) => {
    const queues = await newQueues(4);
    const values = Array.from({ length: 20 }, (_, index) => String(index));

    await Promise.all(queues.map((queue) => sendOneByOne(broker, queue, values)));

    for (const queue of queues) expect(await textsOf(broker, queue)).toEqual(values);
  });

  check('takes a batch of more than four megabytes', [], async ({ broker, newQueue, recordBytesMax }) => {
    const queue = await newQueue();
    const value = new Uint8Array(Math.min(recordBytesMax, 512 * 1024) - 1_024);
    const batch = Array.from({ length: Math.ceil(FOUR_MEGABYTES / value.length) + 1 }, (_, index) =>
      anOutgoingRecord({ key: bytesOf(String(index)), value }),
    );

    const { endOffset, refused } = await broker.send(queue, batch);

    expect([endOffset, refused]).toEqual([BigInt(batch.length), []]);
    const keys = (await readAll(broker, queue, offset(0))).map(({ key }) => textOf(key));
    expect(keys).toEqual(batch.map(({ key }) => textOf(key)));
  });

  check('appends nothing for an empty batch', [], async ({ broker, newQueue }) => {
    const queue = await newQueue();

    const result = await broker.send(queue, []);

    expect(result).toEqual({ endOffset: 0n, refused: [] });
    expect(await broker.bounds([queue])).toEqual([{ min: 0n, max: 0n }]);
  });

  check('refuses records that are too large, each for itself', [], async ({ broker, newQueue, recordBytesMax }) => {
    const queue = await newQueue();
    const tooLarge = anOutgoingRecord({ value: new Uint8Array(recordBytesMax + 1) });
    const [a, b] = outgoing('a', 'b') as [OutgoingRecord, OutgoingRecord];

    const { endOffset, refused } = await broker.send(queue, [tooLarge, a, tooLarge, b]);

    expect(refused.map(({ index, error }) => [index, error.name, error.code])).toEqual([
      [0, 'RecordError', 'record.too_large'],
      [2, 'RecordError', 'record.too_large'],
    ]);
    expect(endOffset).toBe(2n);
    expect(await textsOf(broker, queue)).toEqual(['a', 'b']);
  });

  check('names the size of a refused record and the limit', [], async ({ broker, newQueue, recordBytesMax }) => {
    const queue = await newQueue();

    const { refused } = await broker.send(queue, [anOutgoingRecord({ value: new Uint8Array(recordBytesMax + 1) })]);

    const { error } = only(refused);
    expect(error.details['bytesMax']).toBeTypeOf('number');
    expect(error.message).toContain(String(error.details['bytes']));
    expect(error.message).toContain(String(error.details['bytesMax']));
    expect(Number(error.details['bytes'])).toBeGreaterThan(recordBytesMax);
  });

  check('appends nothing when every record is refused', [], async ({ broker, newQueue, recordBytesMax }) => {
    const queue = await newQueue();
    await broker.send(queue, outgoing('a'));

    const { endOffset } = await broker.send(queue, [anOutgoingRecord({ value: new Uint8Array(recordBytesMax + 1) })]);

    expect(endOffset).toBe(1n);
    expect(await broker.bounds([queue])).toEqual([{ min: 0n, max: advance(offset(0), 1) }]);
  });
}

/** What RocketMQ takes at once. */
const FOUR_MEGABYTES = 4 * 1024 * 1024;

const kinds: readonly (readonly [what: string, record: OutgoingRecord])[] = [
  ['a key', anOutgoingRecord({ key: bytesOf('order-7') })],
  ['a null key', anOutgoingRecord({ key: null })],
  ['an empty key', anOutgoingRecord({ key: new Uint8Array() })],
  ['a tombstone', anOutgoingRecord({ key: bytesOf('order-7'), value: null })],
  ['an empty value', anOutgoingRecord({ value: new Uint8Array() })],
  ['every byte there is, in key and value', anOutgoingRecord({ key: everyByte(), value: everyByte() })],
  ['a tag', anOutgoingRecord({ tag: 'paid' })],
  [
    'headers in their order, doubled names included',
    anOutgoingRecord({
      headers: [
        ['b', '1'],
        ['a', '2'],
        ['b', '3'],
        ['b', '1'],
      ],
    }),
  ],
  [
    'headers of any text',
    anOutgoingRecord({
      headers: [
        ['größe', '漢字 🚀'],
        ['', ''],
        ['line\nbreak', 'a\u0001b\u0002c\\=;'],
      ],
    }),
  ],
  ['the time of birth', anOutgoingRecord({ bornAtMs: 1_234_567_890_123 })],
];

function everyByte(): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => byte);
}

async function textsOf(broker: LogBroker, queue: MessageQueue): Promise<readonly (string | null)[]> {
  return (await readAll(broker, queue, offset(0))).map(({ value }) => textOf(value));
}

/** Awaits each: only then does the port promise their order. */
async function sendOneByOne(broker: LogBroker, queue: MessageQueue, values: readonly string[]): Promise<void> {
  for (const value of values) await broker.send(queue, outgoing(value));
}
