import { describe, expect, test } from 'vitest';
import { discoveryShardId, queueShardId } from '../../../../core/shard-id.ts';
import { TaskNumbers } from '../../../../scheduler/metrics/task-numbers.ts';
import { ShardTable } from '../../../../scheduler/shard-table.ts';

const shardOf = (queueId: number) => queueShardId('uid', { topic: 'orders', brokerName: 'b', queueId });

function aTable(queues: number): ShardTable {
  const table = new ShardTable(() => undefined);
  for (let queueId = 0; queueId < queues; queueId += 1) table.ensure(shardOf(queueId));
  return table;
}

describe('TaskNumbers', () => {
  test('deals shards in order to as many tasks as there may be', () => {
    const tasks = new TaskNumbers(aTable(5));

    expect([0, 1, 2, 3, 4].map((queueId) => tasks.of({ uid: 'uid', tasksMax: 2 }, shardOf(queueId)))).toEqual([0, 1, 0, 1, 0]);
    expect([0, 1, 2, 3, 4].map((queueId) => tasks.of({ uid: 'uid', tasksMax: 9 }, shardOf(queueId)))).toEqual([0, 1, 2, 3, 4]);
  });

  test('deals anew when a shard comes and when one goes', () => {
    const table = aTable(3);
    const tasks = new TaskNumbers(table);
    const of = (queueId: number): number | null => tasks.of({ uid: 'uid', tasksMax: 3 }, shardOf(queueId));
    const before = of(2);

    table.ensure(shardOf(3));
    const more = of(3);
    for (const state of [...table.ofConnector('uid')].slice(0, 2)) table.forget(state);

    expect([before, more, of(2), of(3), of(0)]).toEqual([2, 0, 0, 1, null]);
  });

  test('gives a discovery to nobody', () => {
    const table = aTable(1);
    table.ensure(discoveryShardId('uid'));

    expect(new TaskNumbers(table).of({ uid: 'uid', tasksMax: 1 }, discoveryShardId('uid'))).toBeNull();
  });
});
