import { describe, expect, test } from 'vitest';
import { offset } from '../../../core/offset.ts';
import { queueShardId } from '../../../core/shard-id.ts';
import { type AppendTarget, memoryTarget } from '../../support/memory-target.ts';
import { RunningClock } from '../../support/running-clock.ts';
import { aSinkShard, type SinkShard, valuesIn } from '../../support/sink-shard.ts';

const RESET = 'consumer.override.auto.offset.reset';

/** The moment at which the first record is sent. */
const STARTED_AT_MS = new RunningClock().nowMs();

interface Behind extends SinkShard {
  readonly target: AppendTarget;
}

/** Three records ten minutes apart, the last one ten minutes before the connector. */
async function aSinkBehind(reset: string): Promise<Behind> {
  const target = memoryTarget('append');
  const sink = await aSinkShard({ target, values: ['0', '1', '2'], everyMs: 600_000, config: { [RESET]: reset } });
  return { ...sink, target };
}

describe('runInvocation of a new sink', () => {
  test('starts at the earliest record unless told otherwise', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: ['0', '1'] });
    sink.log.truncateBefore(sink.queue, offset(1));

    await sink.run();

    expect(valuesIn(target)).toEqual(['1']);
    expect(await sink.cursor()).toMatchObject({ gaps: null });
  });

  test('starts behind what was there, when told latest', async () => {
    const sink = await aSinkBehind('latest');
    await sink.send('3');

    await sink.run();

    expect(valuesIn(sink.target)).toEqual(['3']);
  });

  test('starts with the first record of a time', async () => {
    const sink = await aSinkBehind(new Date(STARTED_AT_MS + 300_000).toISOString());

    await sink.run();

    expect(valuesIn(sink.target)).toEqual(['1', '2']);
  });

  test('misses nothing that came between its creation and its first look', async () => {
    const sink = await aSinkBehind('latest');
    await sink.host.clock.sleep(3_600_000);
    await sink.send('3');
    await sink.host.clock.sleep(3_600_000);

    await sink.run();

    expect(valuesIn(sink.target)).toEqual(['3']);
  });

  for (const reset of ['earliest', 'latest', '2100-01-01T00:00:00Z']) {
    test(`reads a queue that came later from its first record, when told ${reset}`, async () => {
      const sink = await aSinkBehind(reset);
      await sink.host.clock.sleep(600_000);
      sink.log.addQueues('orders', { queues: 1 });
      const queue = { ...sink.queue, queueId: 1 };
      await sink.log.send(queue, [{ key: null, value: new Uint8Array([53]), tag: null, headers: [], bornAtMs: 0 }]);

      await sink.run({ shard: queueShardId(sink.connector.uid, queue) });

      expect(valuesIn(sink.target)).toEqual(['5']);
    });
  }

  test('is refused where its start is no time at all', async () => {
    const sink = await aSinkBehind('yesterday');

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'config.invalid' } });
    expect(run.error?.message).toContain(RESET);
  });
});
