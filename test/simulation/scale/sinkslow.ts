/**
 * A target takes only so many puts at once and turns the others away: does back-pressure find out how many, and keep the target
 * busy without hammering it?
 */
import type { ScaleResult, ScaleScenario, ScaleSize } from './scale-result.ts';
import { ScaleWorld } from './scale-world.ts';
import { Timeline } from './timeline.ts';

const SIZES = {
  full: { queues: 200, hosts: 200, putsMax: 40, seconds: 300 },
  small: { queues: 40, hosts: 40, putsMax: 8, seconds: 120 },
} as const satisfies Record<ScaleSize, unknown>;

const US_PER_RECORD = 1_000;

const SETTLE_MS = 10_000;
/** Until the first halvings are over. */
const WARM_UP_MS = 30_000;
const WINDOW_MS = 30_000;

export const sinkslow: ScaleScenario = {
  name: 'sinkslow',

  async run(size, seed): Promise<ScaleResult> {
    const { queues, hosts, putsMax, seconds } = SIZES[size];
    const world = new ScaleWorld({ seed, platform: { hosts, ramp: { burst: hosts, perSecond: hosts } } });
    const setup = { name: 'slow', queues, tasksMax: hosts, slicesMax: 1, freshnessMs: 0, usPerRecord: US_PER_RECORD };
    const all = await world.add(setup, { putsMax });
    await world.settle(SETTLE_MS);

    const capacityPerSecond = (putsMax * 1_000_000) / US_PER_RECORD;
    // Twice what the target could take meanwhile.
    for (const queue of all) world.log.append(queue, Math.ceil((2 * capacityPerSecond * seconds) / queues));
    const timeline = new Timeline(world);
    await world.run(seconds * 1_000);

    const { totals, target } = world.connectorOf('uid-slow');
    const steady = timeline.samples.filter(({ atMs }) => atMs > WARM_UP_MS);
    const throughput = mean(steady.map(({ deliveredPerSecond }) => deliveredPerSecond));
    const perWindow = WINDOW_MS / 1_000;
    const windows = Array.from({ length: Math.floor(steady.length / perWindow) }, (_, index) =>
      mean(steady.slice(index * perWindow, (index + 1) * perWindow).map(({ deliveredPerSecond }) => deliveredPerSecond)),
    );
    const lowest = Math.min(...windows) / capacityPerSecond;
    return {
      scenario: 'sinkslow',
      notes: [
        `${queues} queues of one connector, tasks.max ${hosts}, into a target that takes ${putsMax} puts at once, ${US_PER_RECORD / 1_000} ms a record: ${capacityPerSecond.toLocaleString('en-US')} records/s`,
        `${target.refusals} puts were turned away, ${totals.invocations} invocations ended, ${totals.throttled} attempts met a 429`,
      ],
      samples: timeline.samples,
      figures: [
        {
          name: "throughput / the target's capacity",
          value: throughput / capacityPerSecond,
          unit: 'of 1',
          goal: { atLeast: 0.7 },
        },
        { name: `the same in the worst ${WINDOW_MS / 1_000} s`, value: lowest, unit: 'of 1', goal: { atLeast: 0.5 } },
        {
          name: 'puts turned away for each that was taken',
          value: target.refusals / (world.ledger.delivered / 500),
          unit: 'of 1',
          goal: { atMost: 0.2 },
        },
      ],
      violation: world.violation,
    };
  },
};

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
