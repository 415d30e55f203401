import { describe, expect, onTestFinished, test } from 'vitest';
import { MemoryLogBroker } from '../../../adapters/memory/memory-log-broker.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import { type Offset, offset } from '../../../core/offset.ts';
import type { LogBroker } from '../../../core/ports.ts';
import { queueShardId, type ShardId } from '../../../core/shard-id.ts';
import { QueueWatch } from '../../../scheduler/queue-watch.ts';
import { brokerUnavailable, brokerWith } from '../../support/faulty-ports.ts';
import { outgoing } from '../../support/log-records.ts';
import { RunningClock } from '../../support/running-clock.ts';

const queue = (queueId: number): MessageQueue => ({ topic: 'orders', brokerName: 'memory', queueId });
const shard = (queueId: number): ShardId => queueShardId('uid', queue(queueId));
const STANDING = { from: offset(0), movedAtMs: null };

/** Watches of one topic's queues, and what they told. */
function watches({ watchesMax = 10, watch }: { readonly watchesMax?: number; readonly watch?: LogBroker['watch'] } = {}) {
  const clock = new RunningClock();
  const log = new MemoryLogBroker({ clock });
  log.createTopic('orders', { queues: 3 });
  const grown: (readonly [ShardId, Offset])[] = [];
  const unwatched: ShardId[] = [];
  const watching = new QueueWatch({
    broker: brokerWith(log, watch === undefined ? {} : { watch }),
    clock,
    watchesMax,
    grown: (...told) => grown.push(told),
    unwatched: (told) => unwatched.push(told),
  });
  onTestFinished(() => watching.close());
  return { clock, log, watching, grown, unwatched };
}

/** A watch that does as it is told each time, and says when it was asked. */
function unsteady(outcome: (time: number) => 'throws' | 'ends' | 'tells', clock: () => number) {
  const askedAtMs: number[] = [];
  const watch: LogBroker['watch'] = async function* ([first]) {
    askedAtMs.push(clock());
    const does = outcome(askedAtMs.length);
    if (does === 'throws') throw brokerUnavailable();
    if (does === 'tells' && first !== undefined) yield first.queue;
  };
  return { askedAtMs, watch };
}

describe('QueueWatch', () => {
  test('tells once of a queue that grew', async () => {
    const { clock, log, watching, grown } = watches();
    watching.watch(shard(0), queue(0), STANDING);

    await log.send(queue(0), outgoing('a'));
    await clock.sleep(1);
    await log.send(queue(0), outgoing('b'));
    await clock.sleep(1);

    expect(grown).toEqual([[shard(0), 0n]]);
  });

  test.each(['throws', 'ends'] as const)('where a watch %s it is begun again after a pause that doubles', async (outcome) => {
    const { askedAtMs, watch } = unsteady(
      () => outcome,
      () => clock.monotonicMs(),
    );
    const { clock, watching, grown, unwatched } = watches({ watch });
    watching.watch(shard(0), queue(0), STANDING);

    await clock.sleep(40_000);

    expect(askedAtMs).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500, 30_500]);
    expect(unwatched).toEqual(askedAtMs.map(() => shard(0)));
    expect(grown).toEqual([]);
  });

  test('is asked for again and again, it waits for its pause all the same', async () => {
    const { askedAtMs, watch } = unsteady(
      () => 'throws',
      () => clock.monotonicMs(),
    );
    const { clock, watching } = watches({ watch });

    for (let asked = 0; asked < 100; asked += 1) {
      watching.watch(shard(0), queue(0), STANDING);
      await clock.sleep(10);
    }

    expect(askedAtMs).toEqual([0, 500]);
  });

  test('tells of a queue whose watch failed before', async () => {
    const { watch } = unsteady(
      (time) => (time < 3 ? 'throws' : 'tells'),
      () => 0,
    );
    const { clock, watching, grown } = watches({ watch });
    watching.watch(shard(0), queue(0), STANDING);

    await clock.sleep(2_000);

    expect(grown).toEqual([[shard(0), 0n]]);
  });

  test('one that has ended tells nothing more', async () => {
    const { clock, log, watching, grown, unwatched } = watches();
    watching.watch(shard(0), queue(0), STANDING);
    watching.end(shard(0));

    await log.send(queue(0), outgoing('a'));
    await clock.sleep(60_000);

    expect([grown, unwatched]).toEqual([[], []]);
  });

  test('gives the place of the longest standing to one that moved since, and says so', async () => {
    const { clock, watching, unwatched } = watches({ watchesMax: 1 });
    watching.watch(shard(0), queue(0), STANDING);
    await clock.sleep(100);

    const silent = watching.watch(shard(1), queue(1), STANDING);
    const moved = watching.watch(shard(2), queue(2), { from: offset(0), movedAtMs: clock.nowMs() });

    expect([silent, moved]).toEqual([false, true]);
    expect(unwatched).toEqual([shard(0)]);
  });
});
