import { expect } from 'vitest';
import { type MessageQueue, queueKey } from '../../../core/message-queue.ts';
import { type Offset, offset } from '../../../core/offset.ts';
import type { LogBroker } from '../../../core/ports.ts';
import { outgoing } from '../../support/log-records.ts';
import type { LogCase } from './log-under-test.ts';

export function watchCases(check: LogCase): void {
  check('announces a backlog at once', [], async ({ broker, newQueues }) => {
    const [empty, full] = (await newQueues(2)) as [MessageQueue, MessageQueue];
    await broker.send(full, outgoing('a', 'b'));

    await watching(broker, [at(empty, 0), at(full, 1)], async (next) => {
      expect(await next()).toEqual(full);
    });
  });

  check('announces a queue when its first record arrives', [], async ({ broker, newQueue }) => {
    const queue = await newQueue();

    await watching(broker, [at(queue, 0)], async (next) => {
      const announced = next();
      await broker.send(queue, outgoing('a'));

      expect(await announced).toEqual(queue);
    });
  });

  check('announces a queue only for records at or after the offset', [], async ({ broker, newQueues }) => {
    const [behind, other] = (await newQueues(2)) as [MessageQueue, MessageQueue];
    await broker.send(behind, outgoing('a', 'b'));

    await watching(broker, [at(behind, 3), at(other, 0)], async (next) => {
      const announced = next();
      await broker.send(behind, outgoing('c')); // at offset 2
      await broker.send(other, outgoing('d'));

      expect(await announced).toEqual(other);
    });
  });

  check('announces each of several queues', [], async ({ broker, newQueues }) => {
    const queues = await newQueues(4);

    await watching(
      broker,
      queues.map((queue) => at(queue, 0)),
      async (next) => {
        const waiting = new Set(queues.map(queueKey));
        for (const queue of queues) await broker.send(queue, outgoing('a'));

        while (waiting.size > 0) waiting.delete(queueKey((await next()) as MessageQueue));
        expect(waiting.size).toBe(0);
      },
    );
  });

  check('misses no record that arrives between two announcements', [], async ({ broker, newQueues }) => {
    const [a, b] = (await newQueues(2)) as [MessageQueue, MessageQueue];
    await broker.send(a, outgoing('1'));

    await watching(broker, [at(a, 0), at(b, 0)], async (next) => {
      await next();
      await broker.send(b, outgoing('2')); // while nobody waits

      await until(next, b);
      await broker.send(a, outgoing('3'));
      await until(next, a);
    });
  });

  check('ends when it is aborted while it waits', [], async ({ broker, newQueue }) => {
    const queue = await newQueue();
    const abort = new AbortController();
    const iterator = broker.watch([at(queue, 0)], abort.signal)[Symbol.asyncIterator]();

    const announced = iterator.next();
    abort.abort();

    expect((await announced).done).toBe(true);
  });

  check('ends when it is aborted between two announcements', [], async ({ broker, newQueue }) => {
    const queue = await newQueue();
    await broker.send(queue, outgoing('a'));
    const abort = new AbortController();
    const iterator = broker.watch([at(queue, 0)], abort.signal)[Symbol.asyncIterator]();

    await iterator.next();
    abort.abort();

    expect((await iterator.next()).done).toBe(true);
  });

  check('announces nothing with a signal that has aborted before', [], async ({ broker, newQueue }) => {
    const queue = await newQueue();
    await broker.send(queue, outgoing('a'));

    const iterator = broker.watch([at(queue, 0)], AbortSignal.abort())[Symbol.asyncIterator]();

    expect((await iterator.next()).done).toBe(true);
  });
}

interface WatchedQueue {
  readonly queue: MessageQueue;
  readonly from: Offset;
}

function at(queue: MessageQueue, from: number): WatchedQueue {
  return { queue, from: offset(from) };
}

type Next = () => Promise<MessageQueue | undefined>;

/** Watches while `body` runs, and lets the watch end afterwards. */
async function watching(broker: LogBroker, queues: readonly WatchedQueue[], body: (next: Next) => Promise<void>): Promise<void> {
  const abort = new AbortController();
  const iterator = broker.watch(queues, abort.signal)[Symbol.asyncIterator]();
  const next: Next = async () => {
    const result = await iterator.next();
    return result.done === true ? undefined : result.value;
  };
  try {
    await body(next);
  } finally {
    abort.abort();
    await iterator.return?.();
  }
}

/** Other queues, and the same one again, may be announced before. */
async function until(next: Next, queue: MessageQueue): Promise<void> {
  let announced = await next();
  while (announced !== undefined && queueKey(announced) !== queueKey(queue)) announced = await next();
  expect(announced).toEqual(queue);
}
