import { describe, expect, test } from 'vitest';
import { discoveryShardId, queueShardId, type ShardId } from '../../../../core/shard-id.ts';
import { TaskNumbers } from '../../../../scheduler/metrics/task-numbers.ts';
import { ShardTable } from '../../../../scheduler/shard-table.ts';

const TOPICS = ['orders'];

const ofMost = (tasksMax: number) => ({ planned: { tasksMax }, topics: TOPICS });

const shardOf = (queueId: number) => queueShardId('uid', { topic: 'orders', brokerName: 'b', queueId });

function aTable(queues: number): ShardTable {
  const table = new ShardTable(() => undefined);
  for (let queueId = 0; queueId < queues; queueId += 1) table.ensure(shardOf(queueId));
  return table;
}

describe('TaskNumbers', () => {
  test('deals shards in order to as many tasks as there may be', () => {
    const tasks = new TaskNumbers(aTable(5));

    expect([0, 1, 2, 3, 4].map((queueId) => tasks.of('uid', ofMost(2), shardOf(queueId)))).toEqual([0, 1, 0, 1, 0]);
    expect([0, 1, 2, 3, 4].map((queueId) => tasks.of('uid', ofMost(9), shardOf(queueId)))).toEqual([0, 1, 2, 3, 4]);
  });

  test('deals anew when a shard comes and when one goes', () => {
    const table = aTable(3);
    const tasks = new TaskNumbers(table);
    const of = (queueId: number): number | null => tasks.of('uid', ofMost(3), shardOf(queueId));
    const before = of(2);

    table.ensure(shardOf(3));
    const more = of(3);
    for (const state of [...table.ofConnector('uid')].slice(0, 2)) table.forget(state);

    expect([before, more, of(2), of(3), of(0)]).toEqual([2, 0, 0, 1, null]);
  });

  test('deals anew when other topics are read, and a shard of one that is not to nobody', () => {
    const table = aTable(2);
    const other = queueShardId('uid', { topic: 'invoices', brokerName: 'b', queueId: 0 });
    table.ensure(other);
    const tasks = new TaskNumbers(table);
    const of = (shard: ShardId, topics: readonly string[]) => tasks.of('uid', { ...ofMost(3), topics }, shard);

    const both = [other, shardOf(0), shardOf(1)].map((shard) => of(shard, ['orders', 'invoices']));
    const one = [other, shardOf(0), shardOf(1)].map((shard) => of(shard, TOPICS));

    expect([both, one]).toEqual([
      [0, 1, 2],
      [null, 0, 1],
    ]);
  });

  test('gives a discovery to nobody', () => {
    const table = aTable(1);
    table.ensure(discoveryShardId('uid'));

    expect(new TaskNumbers(table).of('uid', ofMost(1), discoveryShardId('uid'))).toBeNull();
  });
});
