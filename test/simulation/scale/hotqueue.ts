/**
 * One queue gets most of all records, and hundreds beside it a few now and then: does the hot one get its K invocations, and do
 * the others stay fresh?
 */
import { quantile } from '../../../bench/figure.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import type { ScaleResult, ScaleScenario, ScaleSize } from './scale-result.ts';
import { ScaleWorld } from './scale-world.ts';
import { Timeline } from './timeline.ts';

const SIZES = {
  full: { connectors: 10, queuesEach: 40, hosts: 64, seconds: 120 },
  small: { connectors: 4, queuesEach: 10, hosts: 24, seconds: 40 },
} as const satisfies Record<ScaleSize, unknown>;

/** Slices of the hot queue at once. */
const K = 8;
const US_PER_RECORD = 500;

/** More than K invocations can move while it lasts, so that the hot queue never runs dry. */
const HOT_BACKLOG = 1_000_000;
const HOT_PER_SECOND = 16_000;

const SMALL_EVERY_MS = [2_000, 12_000] as const;
const SMALL_RECORDS = [1, 40] as const;

const SETTLE_MS = 10_000;
/** Until the hot queue has all it may have. */
const WARM_UP_MS = 5_000;

export const hotqueue: ScaleScenario = {
  name: 'hotqueue',

  async run(size, seed): Promise<ScaleResult> {
    const { connectors, queuesEach, hosts, seconds } = SIZES[size];
    const world = new ScaleWorld({ seed, platform: { hosts, ramp: { burst: hosts, perSecond: hosts } } });
    const kind = { usPerRecord: US_PER_RECORD, freshnessMs: 0 };
    const [hot] = await world.add({ ...kind, name: 'hot', queues: 1, tasksMax: hosts, slicesMax: K });
    const small: MessageQueue[] = [];
    for (let index = 0; index < connectors; index += 1) {
      const setup = { ...kind, name: `small-${index}`, queues: queuesEach, tasksMax: queuesEach, slicesMax: 1 };
      small.push(...(await world.add(setup)));
    }
    await world.settle(SETTLE_MS);

    world.log.append(hot as MessageQueue, HOT_BACKLOG);
    const timeline = new Timeline(world);
    const endMs = world.time.nowMs + seconds * 1_000;
    const producing = (): boolean => world.time.nowMs < endMs;
    every(
      world,
      producing,
      () => 1_000,
      () => world.log.append(hot as MessageQueue, HOT_PER_SECOND),
    );
    for (const queue of small) {
      every(
        world,
        producing,
        () => world.random.between(...SMALL_EVERY_MS),
        () => world.log.append(queue, world.random.int(...SMALL_RECORDS)),
      );
    }
    await world.run(WARM_UP_MS);
    const hotRunning: number[] = [];
    every(
      world,
      producing,
      () => 100,
      () => hotRunning.push(world.platform.runningOf.get('uid-hot') ?? 0),
    );
    await world.run(seconds * 1_000 - WARM_UP_MS);

    const waits = Float64Array.from(
      [...world.connectors.values()].flatMap(({ setup, waitsMs }) => (setup.name === 'hot' ? [] : waitsMs)),
    );
    const oldestMs = Math.max(...small.map((queue) => world.log.oldestMs(queue)));
    const held = hotRunning.reduce((sum, count) => sum + count, 0) / hotRunning.length;
    return {
      scenario: 'hotqueue',
      notes: [
        `one queue with ${HOT_BACKLOG.toLocaleString('en-US')} records and ${HOT_PER_SECOND.toLocaleString('en-US')} more a second, in up to ${K} slices; ${small.length} queues with up to ${SMALL_RECORDS[1]} records every ${SMALL_EVERY_MS[0] / 1_000} to ${SMALL_EVERY_MS[1] / 1_000} s; ${US_PER_RECORD / 1_000} ms a record, ${hosts} hosts`,
        `${waits.length} batches into the small queues; the longest wait ${Math.max(...waits).toFixed(0)} ms`,
      ],
      samples: timeline.samples,
      figures: [
        { name: 'small queues: append to delivered, p50', value: quantile(waits, 0.5), unit: 'ms', goal: 'printed' },
        { name: 'small queues: append to delivered, p99', value: quantile(waits, 0.99), unit: 'ms', goal: { atMost: 1_000 } },
        { name: 'small queues: oldest undelivered at the end', value: oldestMs, unit: 'ms', goal: { atMost: 2_000 } },
        { name: `hot queue: invocations of ${K}`, value: held, unit: 'mean', goal: { atLeast: 0.9 * K } },
      ],
      violation: world.violation,
    };
  },
};

function every(world: ScaleWorld, goesOn: () => boolean, pauseMs: () => number, act: () => void): void {
  world.time.after(pauseMs(), () => {
    if (!goesOn()) return;
    act();
    every(world, goesOn, pauseMs, act);
  });
}
