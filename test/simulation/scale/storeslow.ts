/** Each call of the store takes 100 ms, and several invocations share each cursor: do slices get long enough for it? */
import { quantile } from '../../../bench/figure.ts';
import type { ScaleResult, ScaleScenario, ScaleSize } from './scale-result.ts';
import { ScaleWorld } from './scale-world.ts';
import { Timeline } from './timeline.ts';

const SIZES = {
  full: { queues: 20, hosts: 200, recordsEach: 1_000_000 },
  small: { queues: 4, hosts: 40, recordsEach: 1_200_000 },
} as const satisfies Record<ScaleSize, unknown>;

const ROUND_TRIP_MS = 100;
/** Slices of one queue at once. */
const K = 8;
const US_PER_RECORD = 500;

const SETTLE_MS = 15_000;
const DRAIN_MAX_MS = 10 * 60_000;
const LEAVE_MS = 8_000;
/** Until slices are sized by what was measured in full ones: an invocation keeps the size of its offer for its quantum, half a minute. */
const WARM_UP_MS = 35_000;

/**
 * One mostly: the document that a commit expects is as old as its last look at the gate, up to a second, in which the others have
 * written. Its second attempt knows theirs and meets another write only within a round trip.
 */
const CONFLICTS_MAX = 2;

export const storeslow: ScaleScenario = {
  name: 'storeslow',

  async run(size, seed): Promise<ScaleResult> {
    const { queues, hosts, recordsEach } = SIZES[size];
    const platform = { hosts, ramp: { burst: hosts, perSecond: hosts } };
    const world = new ScaleWorld({ seed, platform, storeRoundTripMs: ROUND_TRIP_MS });
    const setup = { name: 'store', queues, tasksMax: hosts, slicesMax: K, freshnessMs: 0, usPerRecord: US_PER_RECORD };
    const all = await world.add(setup);
    await world.settle(SETTLE_MS);

    for (const queue of all) world.log.append(queue, recordsEach);
    const timeline = new Timeline(world);
    await world.run(WARM_UP_MS, () => world.backlog > 0);
    const { totals, slicesMs } = world.connectorOf('uid-store');
    const early = { ...totals, slicesMs: slicesMs.length };
    const earlyAtMs = timeline.atMs;
    await world.run(DRAIN_MAX_MS, () => world.backlog > 0);
    const tookMs = timeline.atMs;
    const slices = totals.slices - early.slices;
    const conflicts = totals.conflicts - early.conflicts;
    const sliceMs = quantile(Float64Array.from(slicesMs.slice(early.slicesMs)), 0.5);
    await world.run(LEAVE_MS);
    await world.checkDrained();

    const idealMs = (recordsEach * US_PER_RECORD) / 1_000 / K;
    return {
      scenario: 'storeslow',
      notes: [
        `${queues} queues of ${recordsEach.toLocaleString('en-US')} records, up to ${K} slices of each at once, ${US_PER_RECORD / 1_000} ms a record; ${ROUND_TRIP_MS} ms a call of the store`,
        `drained in ${(tookMs / 1_000).toFixed(1)} s, with ${K} slices of each queue at work without a pause it were ${(idealMs / 1_000).toFixed(1)} s; from second ${(earlyAtMs / 1_000).toFixed(0)} on ${slices} slices`,
      ],
      samples: timeline.samples,
      figures: [
        { name: 'a slice takes, p50', value: sliceMs, unit: 'ms', goal: { atLeast: 0.9 * 4 * K * ROUND_TRIP_MS } },
        { name: 'conflicts for each slice', value: conflicts / slices, unit: '', goal: { atMost: CONFLICTS_MAX } },
        { name: 'least possible drain time / drain time', value: idealMs / tookMs, unit: 'of 1', goal: { atLeast: 0.75 } },
      ],
      violation: world.violation,
    };
  },
};
