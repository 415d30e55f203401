import { expect } from 'vitest';
import type { MessageQueue } from '../../../core/message-queue.ts';
import { offset } from '../../../core/offset.ts';
import { outgoing } from '../../support/log-records.ts';
import { type CaseLog, type LogCase, readAll } from './log-under-test.ts';

export function timeCases(check: LogCase): void {
  check('stores each record at a time that does not decrease along the queue', [], async (log) => {
    const { storedAtMs } = await queueOfFour(log);

    expect(storedAtMs).toEqual(storedAtMs.toSorted((a, b) => a - b));
  });

  check('finds the first record for a time before all of them', [], async (log) => {
    const { queue, storedAtMs } = await queueOfFour(log);

    expect(await log.broker.offsetAt(queue, storedAtMs[0] - 1)).toBe(0n);
    expect(await log.broker.offsetAt(queue, 0)).toBe(0n);
  });

  check('finds the next record for a time between two', [], async (log) => {
    const { queue, storedAtMs } = await queueOfFour(log);

    expect(await log.broker.offsetAt(queue, storedAtMs[0] + 1)).toBe(1n);
  });

  check('finds the first of the records stored at that very time', [], async (log) => {
    const { queue, storedAtMs } = await queueOfFour(log);

    for (const atMs of storedAtMs) {
      const first = storedAtMs.indexOf(atMs);
      expect(await log.broker.offsetAt(queue, atMs)).toBe(BigInt(first));
    }
  });

  check('finds the end of the log for a time after all records', [], async (log) => {
    const { queue, storedAtMs } = await queueOfFour(log);

    expect(await log.broker.offsetAt(queue, storedAtMs[3] + 1)).toBe(4n);
  });

  check('finds the end of an empty queue for any time', [], async ({ broker, newQueue }) => {
    const queue = await newQueue();

    expect(await broker.offsetAt(queue, 0)).toBe(0n);
  });

  check('finds no record that has expired', ['expireBefore'], async (log) => {
    const { queue } = await queueOfFour(log);

    await log.expireBefore(queue, offset(2));

    expect(await log.broker.offsetAt(queue, 0)).toBe(2n);
  });
}

interface QueueOfFour {
  readonly queue: MessageQueue;
  readonly storedAtMs: readonly [number, number, number, number];
}

/** Records 1 and 2 are sent together, the others some time before and after. */
async function queueOfFour({ broker, newQueue, elapse }: Pick<CaseLog, 'broker' | 'newQueue' | 'elapse'>): Promise<QueueOfFour> {
  const queue = await newQueue();
  for (const batch of [outgoing('a'), outgoing('b', 'c'), outgoing('d')]) {
    await broker.send(queue, batch);
    await elapse(10);
  }
  const records = await readAll(broker, queue, offset(0));
  return { queue, storedAtMs: records.map((record) => record.storedAtMs) as unknown as QueueOfFour['storedAtMs'] };
}
