import { expect } from 'vitest';
import { type MessageQueue, queueKey } from '../../../core/message-queue.ts';
import { offset } from '../../../core/offset.ts';
import { outgoing, textOf } from '../../support/log-records.ts';
import { ALL, type LogCase, only, readAll } from './log-under-test.ts';

export function topicCases(check: LogCase): void {
  check('creates a topic with as many queues as asked for', [], async ({ broker, topicName }) => {
    const topic = topicName('orders');

    await broker.ensureTopic(topic, { queues: 3 });

    const queues = await broker.queues(topic);
    expect(queues.map((queue) => queue.topic)).toEqual([topic, topic, topic]);
    expect(new Set(queues.map(queueKey)).size).toBe(3);
  });

  check('finds nothing wrong with the name of a topic', [], async ({ broker, topicName }) => {
    expect(broker.topicProblem(topicName('orders'))).toBeNull();
  });

  check('says what is wrong with a name that no topic can have, and creates none', ['impossibleTopic'], async (log) => {
    const { broker, impossibleTopic } = log;

    expect(broker.topicProblem(impossibleTopic)).toContain(impossibleTopic);
    await expect(broker.ensureTopic(impossibleTopic, { queues: 1 })).rejects.toMatchObject({
      name: 'FatalTaskError',
      code: 'broker.topic_refused',
      message: expect.stringContaining(`${impossibleTopic}; next: `),
    });
  });

  check('keeps the queues of a topic that exists', [], async ({ broker, topicName }) => {
    const topic = topicName('orders');
    await broker.ensureTopic(topic, { queues: 2 });
    const queues = await broker.queues(topic);

    await broker.ensureTopic(topic, { queues: 5 });

    expect(await broker.queues(topic)).toEqual(queues);
  });

  check('gives the queues of a topic in the same order, whatever is sent', [], async ({ broker, newQueues }) => {
    const queues = await newQueues(4);
    const [first, , , last] = queues;

    for (const queue of [last, first]) if (queue !== undefined) await broker.send(queue, outgoing('a'));

    expect(await broker.queues(queues[0]?.topic ?? '')).toEqual(queues);
  });

  check('lists topics in ascending order', [], async ({ broker, topicName }) => {
    const names = ['b', 'c', 'B', 'a'].map(topicName);
    for (const topic of names) await broker.ensureTopic(topic, { queues: 1 });

    const topics = await broker.topics();

    expect(topics.filter((topic) => names.includes(topic))).toEqual(['B', 'a', 'b', 'c'].map(topicName));
  });

  check('has no queues for a topic that does not exist', [], async ({ broker, topicName }) => {
    expect(await broker.queues(topicName('nowhere'))).toEqual([]);
  });

  check('holds nothing in a new queue', [], async ({ broker, newQueue }) => {
    const queue = await newQueue();

    const bounds = await broker.bounds([queue]);

    expect(bounds).toEqual([{ min: 0n, max: 0n }]);
  });

  check(
    'answers bounds in the order asked, null for a queue that does not exist',
    [],
    async ({ broker, newQueues, topicName }) => {
      const [a, b] = (await newQueues(2)) as [MessageQueue, MessageQueue];
      await broker.send(b, outgoing('1', '2'));

      const bounds = await broker.bounds([b, { ...a, topic: topicName('nowhere') }, a, { ...a, queueId: 99 }]);

      expect(bounds).toEqual([{ min: 0n, max: 2n }, null, { min: 0n, max: 0n }, null]);
    },
  );

  check('says that a topic or queue is missing', [], async ({ broker, newQueue, topicName }) => {
    const queue = await newQueue();

    for (const missing of [
      { ...queue, topic: topicName('nowhere') },
      { ...queue, queueId: 99 },
    ]) {
      const error = { name: 'FatalTaskError', code: 'broker.topic_missing', message: expect.stringContaining('; next: ') };
      await expect(broker.read(missing, offset(0), ALL)).rejects.toMatchObject(error);
      await expect(broker.send(missing, outgoing('a'))).rejects.toMatchObject(error);
      await expect(broker.offsetAt(missing, 0)).rejects.toMatchObject(error);
    }
  });

  check('keeps what the old queues hold when a topic gets one more', ['addQueue'], async ({ broker, addQueue, newQueues }) => {
    const queues = await newQueues(2);
    for (const queue of queues) await broker.send(queue, outgoing('a'));
    const topic = queues[0]?.topic ?? '';

    await addQueue(topic);

    const grown = await broker.queues(topic);
    expect(grown).toHaveLength(3);
    expect(grown).toEqual(expect.arrayContaining([...queues]));
    expect(await broker.bounds(queues)).toEqual(queues.map(() => ({ min: 0n, max: 1n })));
  });

  check('forgets a deleted topic', ['deleteTopic'], async ({ broker, deleteTopic, newQueue }) => {
    const queue = await newQueue();
    await broker.send(queue, outgoing('a'));

    await deleteTopic(queue.topic);

    expect(await broker.queues(queue.topic)).toEqual([]);
    expect(await broker.topics()).not.toContain(queue.topic);
    expect(await broker.bounds([queue])).toEqual([null]);
    await expect(broker.read(queue, offset(0), ALL)).rejects.toMatchObject({ code: 'broker.topic_missing' });
  });

  check('begins a topic created again at offset 0, with later store times', ['deleteTopic'], async (log) => {
    const { broker, deleteTopic, elapse } = log;
    const queue = await log.newQueue();
    await broker.send(queue, outgoing('old'));
    const before = only(await readAll(broker, queue, offset(0)));
    await elapse(10);

    await deleteTopic(queue.topic);
    await broker.ensureTopic(queue.topic, { queues: 1 });
    await broker.send(queue, outgoing('new'));

    const after = only(await readAll(broker, queue, offset(0)));
    expect([textOf(after.value), after.offset]).toEqual(['new', 0n]);
    expect(after.storedAtMs).toBeGreaterThan(before.storedAtMs);
  });
}
