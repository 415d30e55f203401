import { expect } from 'vitest';
import type { MessageQueue } from '../../../core/message-queue.ts';
import { offset } from '../../../core/offset.ts';
import type { OutgoingRecord, RecordFilter } from '../../../core/ports.ts';
import { anOutgoingRecord, bytesOf, textOf } from '../../support/log-records.ts';
import { ALL, type CaseLog, type LogCase, TOO_LONG_MS } from './log-under-test.ts';

/** Two tags of one hash, by which a broker of RocketMQ compares. */
const [ONE, SAME_HASH] = ['Aa', 'BB'];

export function filterCases(check: LogCase): void {
  check('gives the records with one of the tags, and goes on behind all others', [], async (log) => {
    const queue = await aTagged(log, ['a', 'b', null, 'c', 'b']);

    expect(await filtered(log, queue, tags('a', 'c'))).toEqual({ values: ['0 a', '3 c'], next: 5n });
    expect(await filtered(log, queue, tags('b'))).toEqual({ values: ['1 b', '4 b'], next: 5n });
  });

  check('goes on behind records none of which has one of the tags', [], async (log) => {
    const queue = await aTagged(log, ['a', 'b', null]);

    expect(await filtered(log, queue, tags('c'))).toEqual({ values: [], next: 3n });
  });

  check('takes no tag for another one of the same hash', [], async (log) => {
    const queue = await aTagged(log, [ONE, SAME_HASH, ONE]);

    expect((await filtered(log, queue, tags(SAME_HASH))).values).toEqual([`1 ${SAME_HASH}`]);
  });

  check('gives no more of them than asked for', [], async (log) => {
    const queue = await aTagged(log, ['a', 'b', 'a', 'a']);
    const limits = { ...ALL, records: 2, filter: tags('a') };

    const first = await log.broker.read(queue, offset(0), limits);
    const rest = await log.broker.read(queue, first.next, limits);

    expect([...first.records, ...rest.records].map(({ offset: at }) => at)).toEqual([0n, 2n, 3n]);
    expect(first.records.length).toBeLessThanOrEqual(2);
  });

  check('ends a wait at a record that it lets pass', [], async (log) => {
    const queue = await aTagged(log, ['a']);
    const limits = { ...ALL, waitMs: TOO_LONG_MS, filter: tags('b') };
    const reading = (async () => {
      let at = offset(1);
      for (;;) {
        const { records, next } = await log.broker.read(queue, at, limits);
        if (records.length > 0) return records;
        at = next;
      }
    })();

    await log.broker.send(queue, [tagged('a'), tagged('b')]);

    expect((await reading).map(({ offset: at }) => at)).toEqual([2n]);
  });

  check('reads by tags, and says whether it does by SQL92', [], async ({ broker, knowsSql92 }) => {
    const problem = await broker.filterProblem(sql('size > 0'));

    expect(await broker.filterProblem(tags('a'))).toBeNull();
    expect(problem === null).toBe(knowsSql92 === true);
  });

  check('gives the records for which an expression is true', ['knowsSql92'], async (log) => {
    const queue = await log.newQueue();
    const sizes = ['0', '1', '2'].map((size) => anOutgoingRecord({ value: bytesOf(size), headers: [['size', size]] }));
    await log.broker.send(queue, [...sizes, tagged('a')]);

    expect(await filtered(log, queue, sql('size > 0'))).toEqual({ values: ['1', '2'], next: 4n });
    expect((await filtered(log, queue, sql("TAGS = 'a' OR size BETWEEN 0 AND 0"))).values).toEqual(['0', 'a']);
  });

  check('says what is wrong with an expression, in one line', ['knowsSql92'], async ({ broker }) => {
    for (const wrong of ['size >', 'size > 0 AND (', "TAGS = 'a", 'size > 0 size < 9', 'size > 0) OR (size < 9', '1']) {
      expect(await broker.filterProblem(sql(wrong)), wrong).toMatch(/^[^\n]{10,}$/);
    }
    for (const right of ["TAGS = ')' OR size > 0", '(size > 0) AND (size < 9)', 'size > 0 -- comment']) {
      expect(await broker.filterProblem(sql(right)), right).toBeNull();
    }
  });
}

function tags(...names: readonly string[]): RecordFilter {
  return { kind: 'tags', tags: names };
}

function sql(expression: string): RecordFilter {
  return { kind: 'sql92', expression };
}

function tagged(tag: string | null, value = tag ?? ''): OutgoingRecord {
  return anOutgoingRecord({ value: bytesOf(value), tag });
}

/** A queue with a record for each tag: its number and the tag are its value. */
async function aTagged({ broker, newQueue }: CaseLog, all: readonly (string | null)[]): Promise<MessageQueue> {
  const queue = await newQueue();
  await broker.send(
    queue,
    all.map((tag, index) => tagged(tag, `${index} ${tag}`)),
  );
  return queue;
}

/** All that the filter lets pass, and where the last read ended. */
async function filtered({ broker }: CaseLog, queue: MessageQueue, filter: RecordFilter) {
  const values: (string | null)[] = [];
  let at = offset(0);
  for (;;) {
    const { records, next } = await broker.read(queue, at, { ...ALL, filter });
    values.push(...records.map(({ value }) => textOf(value)));
    if (next === at) return { values, next };
    at = next;
  }
}
