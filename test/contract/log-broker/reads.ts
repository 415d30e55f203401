import { expect } from 'vitest';
import { offset } from '../../../core/offset.ts';
import { anOutgoingRecord, bytesOf, outgoing, textOf } from '../../support/log-records.ts';
import { ALL, type LogCase, readAll, TOO_LONG_MS } from './log-under-test.ts';

export function readCases(check: LogCase): void {
  check('reads from an offset on, in order', [], async ({ broker, newQueue }) => {
    const queue = await newQueue();
    await broker.send(queue, outgoing('a', 'b', 'c'));

    const records = await readAll(broker, queue, offset(1));

    expect(records.map((record) => [record.offset, textOf(record.value), record.queue])).toEqual([
      [1n, 'b', queue],
      [2n, 'c', queue],
    ]);
  });

  check('reads at most as many records as asked for', [], async ({ broker, newQueue }) => {
    const queue = await newQueue();
    await broker.send(queue, outgoing('a', 'b', 'c'));

    const { records, next, bounds } = await broker.read(queue, offset(0), { ...ALL, records: 2 });

    expect(records.map(({ value }) => textOf(value))).toEqual(['a', 'b']);
    expect([next, bounds]).toEqual([2n, { min: 0n, max: 3n }]);
  });

  check('reads at most as many bytes as asked for, of keys, values and headers together', [], async ({ broker, newQueue }) => {
    const queue = await newQueue();
    const record = anOutgoingRecord({ key: bytesOf('key'), value: bytesOf('value'), headers: [['name', 'été']] });
    const recordBytes = 3 + 5 + 4 + 5;
    await broker.send(queue, [record, record, record]);

    const two = await broker.read(queue, offset(0), { ...ALL, bytes: 2 * recordBytes });
    const one = await broker.read(queue, offset(0), { ...ALL, bytes: 2 * recordBytes - 1 });

    expect([two.records.length, two.next]).toEqual([2, 2n]);
    expect([one.records.length, one.next]).toEqual([1, 1n]);
  });

  check('reads the first record however large it is', [], async ({ broker, newQueue }) => {
    const queue = await newQueue();
    await broker.send(queue, outgoing('longer than a byte', 'b'));

    const { records, next } = await broker.read(queue, offset(0), { ...ALL, bytes: 1 });

    expect([records.length, next]).toEqual([1, 1n]);
  });

  check('reads nothing at the end of the log', [], async ({ broker, newQueue }) => {
    const queue = await newQueue();
    await broker.send(queue, outgoing('a'));

    const result = await broker.read(queue, offset(1), ALL);

    expect(result).toEqual({ records: [], next: 1n, bounds: { min: 0n, max: 1n } });
  });

  check('answers at once, with nothing, above the end of the log', [], async ({ broker, newQueue }) => {
    const queue = await newQueue();
    await broker.send(queue, outgoing('a'));

    const result = await broker.read(queue, offset(5), { ...ALL, waitMs: TOO_LONG_MS });

    expect(result).toEqual({ records: [], next: 5n, bounds: { min: 0n, max: 1n } });
  });

  check(
    'answers at once, with nothing, below what retention has left',
    ['expireBefore'],
    async ({ broker, expireBefore, newQueue }) => {
      const queue = await newQueue();
      await broker.send(queue, outgoing('a', 'b', 'c'));

      await expireBefore(queue, offset(2));

      const below = await broker.read(queue, offset(1), { ...ALL, waitMs: TOO_LONG_MS });
      expect(below).toEqual({ records: [], next: 1n, bounds: { min: 2n, max: 3n } });
      expect((await readAll(broker, queue, offset(2))).map(({ value }) => textOf(value))).toEqual(['c']);
    },
  );

  check(
    'goes on at the same offset after everything has expired',
    ['expireBefore'],
    async ({ broker, expireBefore, newQueue }) => {
      const queue = await newQueue();
      await broker.send(queue, outgoing('a', 'b'));
      await expireBefore(queue, offset(2));

      const { endOffset } = await broker.send(queue, outgoing('c'));

      expect(endOffset).toBe(3n);
      expect(await broker.bounds([queue])).toEqual([{ min: 2n, max: 3n }]);
    },
  );

  check('ends a waiting read when a record arrives', [], async ({ broker, newQueue }) => {
    const queue = await newQueue();
    await broker.send(queue, outgoing('a'));

    const reading = broker.read(queue, offset(1), { ...ALL, waitMs: TOO_LONG_MS });
    await broker.send(queue, outgoing('b'));

    const { records, next } = await reading;
    expect(records.map(({ value }) => textOf(value))).toEqual(['b']);
    expect(next).toBe(2n);
  });

  check('ends a waiting read, with nothing, when it is aborted', [], async ({ broker, newQueue }) => {
    const queue = await newQueue();
    const abort = new AbortController();

    const reading = broker.read(queue, offset(0), { ...ALL, waitMs: TOO_LONG_MS }, abort.signal);
    abort.abort();

    expect(await reading).toMatchObject({ records: [], next: 0n });
    expect(await broker.read(queue, offset(0), { ...ALL, waitMs: TOO_LONG_MS }, abort.signal)).toMatchObject({ records: [] });
  });

  check('ends a waiting read, with nothing, when its time is over', [], async ({ broker, newQueue, elapse }) => {
    const queue = await newQueue();

    const reading = broker.read(queue, offset(0), { ...ALL, waitMs: 50 });
    await elapse(60);

    expect(await reading).toEqual({ records: [], next: 0n, bounds: { min: 0n, max: 0n } });
  });
}
