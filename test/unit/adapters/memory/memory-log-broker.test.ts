import { describe, expect, test } from 'vitest';
import { MemoryLogBroker } from '../../../../adapters/memory/memory-log-broker.ts';
import { queueKey } from '../../../../core/message-queue.ts';
import { offset } from '../../../../core/offset.ts';
import { outgoing } from '../../../support/log-records.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const AT_LENGTH = { records: 10, bytes: 1_000, waitMs: 60_000 };
const ORDERS_0 = { topic: 'orders', brokerName: 'memory', queueId: 0 };

function aBroker(): { broker: MemoryLogBroker; clock: ManualClock } {
  const clock = new ManualClock();
  return { broker: new MemoryLogBroker({ clock }), clock };
}

describe('MemoryLogBroker', () => {
  test('orders queues by broker, then by number', async () => {
    const { broker } = aBroker();

    broker.createTopic('orders', { queues: 11, brokerName: 'b' });
    broker.addQueues('orders', { queues: 1, brokerName: 'a' });

    const keys = (await broker.queues('orders')).map(queueKey);
    expect(keys.slice(0, 3)).toEqual(['orders/a/0', 'orders/b/0', 'orders/b/1']);
    expect(keys.at(-1)).toBe('orders/b/10');
  });

  test('starts a queue that was removed and added again at offset 0', async () => {
    const { broker } = aBroker();
    broker.createTopic('orders', { queues: 1 });
    await broker.send(ORDERS_0, outgoing('a'));

    broker.removeQueue(ORDERS_0);
    const without = await broker.queues('orders');
    broker.addQueues('orders', { queues: 1 });

    expect(without).toEqual([]);
    expect(await broker.bounds([ORDERS_0])).toEqual([{ min: 0n, max: 0n }]);
  });

  test('fails a waiting read when its topic is deleted', async () => {
    const { broker } = aBroker();
    broker.createTopic('orders', { queues: 1 });

    const reading = broker.read(ORDERS_0, offset(0), AT_LENGTH);
    broker.deleteTopic('orders');

    await expect(reading).rejects.toMatchObject({ code: 'broker.topic_missing' });
  });

  test('wakes every reader of a queue, and none of another queue', async () => {
    const { broker, clock } = aBroker();
    broker.createTopic('orders', { queues: 2 });
    const other = broker.read({ ...ORDERS_0, queueId: 1 }, offset(0), AT_LENGTH);

    const readings = [broker.read(ORDERS_0, offset(0), AT_LENGTH), broker.read(ORDERS_0, offset(0), AT_LENGTH)];
    await broker.send(ORDERS_0, outgoing('a'));

    expect((await Promise.all(readings)).map(({ records }) => records.length)).toEqual([1, 1]);
    clock.advance(AT_LENGTH.waitMs);
    expect((await other).records).toEqual([]);
  });

  test('announces a topic that was created again with as many records as before', async () => {
    const { broker } = aBroker();
    broker.createTopic('orders', { queues: 1 });
    await broker.send(ORDERS_0, outgoing('old'));
    const abort = new AbortController();
    const iterator = broker.watch([{ queue: ORDERS_0, from: offset(0) }], abort.signal)[Symbol.asyncIterator]();
    await iterator.next();

    const announced = iterator.next();
    broker.deleteTopic('orders');
    broker.createTopic('orders', { queues: 1 });
    await broker.send(ORDERS_0, outgoing('new'));

    expect((await announced).value).toEqual(ORDERS_0);
    abort.abort();
  });

  test('announces nothing where retention has left no record', async () => {
    const { broker } = aBroker();
    broker.createTopic('orders', { queues: 2 });
    const left = { ...ORDERS_0, queueId: 1 };
    for (const queue of [ORDERS_0, left]) await broker.send(queue, outgoing('a'));
    broker.truncateBefore(ORDERS_0, offset(1));
    const abort = new AbortController();

    const queues = [ORDERS_0, left].map((queue) => ({ queue, from: offset(0) }));
    const iterator = broker.watch(queues, abort.signal)[Symbol.asyncIterator]();

    expect((await iterator.next()).value).toEqual(left);
    abort.abort();
  });

  test('drops no more records than there are', async () => {
    const { broker } = aBroker();
    broker.createTopic('orders', { queues: 1 });
    await broker.send(ORDERS_0, outgoing('a', 'b'));

    broker.truncateBefore(ORDERS_0, offset(9));

    expect(await broker.bounds([ORDERS_0])).toEqual([{ min: 2n, max: 2n }]);
  });
});
