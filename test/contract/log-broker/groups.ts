import { expect } from 'vitest';
import { advance, offset } from '../../../core/offset.ts';
import type { GroupOffset } from '../../../core/ports.ts';
import { outgoing } from '../../support/log-records.ts';
import type { CaseLog, LogCase } from './log-under-test.ts';

export function groupCases(check: LogCase): void {
  check('tells how far each consumer group has come', [], async (log) => {
    const [first, last] = await placesOfTwo(log);

    await log.broker.noteGroup('readers', [first, last]);
    await log.broker.noteGroup('others', [last]);

    const groups = await log.broker.groups(first.queue.topic);
    expect(groups.get('readers')).toEqual([first, last]);
    expect(groups.get('others')).toEqual([last]);
    expect(groups.size).toBe(2);
  });

  check('knows what a consumer group said last, forwards or back', [], async (log) => {
    const [place] = await placesOfTwo(log);
    await log.broker.noteGroup('readers', [{ ...place, offset: offset(0) }]);
    await log.broker.noteGroup('readers', [place]);
    expect((await log.broker.groups(place.queue.topic)).get('readers')).toEqual([place]);

    await log.broker.noteGroup('readers', [{ ...place, offset: advance(place.offset, -1) }]);

    expect((await log.broker.groups(place.queue.topic)).get('readers')).toEqual([
      { ...place, offset: advance(place.offset, -1) },
    ]);
  });

  check('leaves out what a consumer group says of queues that do not exist', [], async (log) => {
    const [place] = await placesOfTwo(log);
    const nowhere = { ...place, queue: { ...place.queue, topic: log.topicName('nowhere') } };

    await log.broker.noteGroup('readers', [nowhere, { ...place, queue: { ...place.queue, queueId: 99 } }, place]);

    expect((await log.broker.groups(place.queue.topic)).get('readers')).toEqual([place]);
    expect(await log.broker.groups(nowhere.queue.topic)).toEqual(new Map());
  });

  check('knows of no consumer group of a topic that was deleted and created again', ['deleteTopic'], async (log) => {
    const [{ queue, offset: at }] = await placesOfTwo(log);
    await log.broker.noteGroup('readers', [{ queue, offset: at }]);

    await log.deleteTopic(queue.topic);
    await log.broker.ensureTopic(queue.topic, { queues: 2 });

    expect(await log.broker.groups(queue.topic)).toEqual(new Map());
  });
}

/** A topic of two queues with three records each, and a place in each. */
async function placesOfTwo({ broker, newQueues }: CaseLog): Promise<readonly [GroupOffset, GroupOffset]> {
  const [first, last] = await newQueues(2);
  if (first === undefined || last === undefined) throw new Error('the topic has two queues');
  for (const queue of [first, last]) await broker.send(queue, outgoing('a', 'b', 'c'));
  return [
    { queue: first, offset: offset(1) },
    { queue: last, offset: offset(3) },
  ];
}
