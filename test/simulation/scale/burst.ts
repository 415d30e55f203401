/**
 * Ten million records come over thousands of queues at once, where nothing ran before: how soon are all invocations at work that
 * the platform allows, and how far is the time it takes from the least possible?
 */
import type { MessageQueue } from '../../../core/message-queue.ts';
import type { RampTerms } from '../../../core/planner/ramp.ts';
import type { ScaleResult, ScaleScenario, ScaleSize } from './scale-result.ts';
import { ScaleWorld } from './scale-world.ts';
import { Timeline } from './timeline.ts';

const SIZES = {
  full: { connectors: 50, queuesEach: 100, hosts: 1_000, records: 10_000_000, ramp: { burst: 100, perSecond: 100 } },
  small: { connectors: 10, queuesEach: 25, hosts: 50, records: 500_000, ramp: { burst: 10, perSecond: 10 } },
} as const satisfies Record<ScaleSize, unknown>;

/** As an HTTP call or a row of a remote database takes. */
const US_PER_RECORD = 4_000;

/** No queue gets exactly its even share. */
const SPREAD = [0.75, 1.25] as const;

/** For a scheduler to read everything first. */
const SETTLE_MS = 10_000;
const DRAIN_MAX_MS = 10 * 60_000;

const LEAVE_MS = 8_000;

/** Of the invocations allowed in the end. */
const SHARE = 0.9;

export const burst: ScaleScenario = {
  name: 'burst',

  async run(size, seed): Promise<ScaleResult> {
    const { connectors, queuesEach, hosts, records, ramp } = SIZES[size];
    const world = new ScaleWorld({ seed, platform: { hosts, ramp } });
    const queues: MessageQueue[] = [];
    for (let index = 0; index < connectors; index += 1) {
      const setup = { name: `burst-${index}`, queues: queuesEach, tasksMax: hosts, slicesMax: 1, freshnessMs: 0 };
      queues.push(...(await world.add({ ...setup, usPerRecord: US_PER_RECORD })));
    }
    await world.settle(SETTLE_MS);

    const share = records / queues.length;
    for (const queue of queues) world.log.append(queue, Math.round(share * world.random.between(...SPREAD)));
    const timeline = new Timeline(world);
    const total = world.log.appended;
    let manyAtMs = Number.POSITIVE_INFINITY;
    await world.run(DRAIN_MAX_MS, () => {
      if (world.platform.running >= SHARE * hosts) manyAtMs = Math.min(manyAtMs, timeline.atMs);
      return world.backlog > 0;
    });
    const tookMs = timeline.atMs;
    // What was delivered last has yet to be committed, and tails wait for more.
    await world.run(LEAVE_MS);
    await world.checkDrained();

    const idealMs = idealDrainMs((total * US_PER_RECORD) / 1_000, { hosts, ramp });
    const allowedAtMs = rampMs(SHARE * hosts, ramp);
    return {
      scenario: 'burst',
      notes: [
        `${total.toLocaleString('en-US')} records over ${queues.length} queues of ${connectors} connectors at once, ${US_PER_RECORD / 1_000} ms a record; ${hosts} hosts, ${ramp.burst} at once and ${ramp.perSecond} more each second`,
        `drained in ${seconds(tookMs)}, ideal ${seconds(idealMs)}; ${SHARE * 100}% of the invocations ran after ${seconds(manyAtMs)}, allowed after ${seconds(allowedAtMs)}`,
      ],
      samples: timeline.samples,
      figures: [
        { name: 'ideal drain time / drain time', value: idealMs / tookMs, unit: 'of 1', goal: { atLeast: 0.9 } },
        {
          name: `until ${SHARE * 100}% of the invocations run, beyond the ramp`,
          value: (manyAtMs - allowedAtMs) / 1_000,
          unit: 's',
          goal: { atMost: 1 },
        },
      ],
      violation: world.violation,
    };
  },
};

/** When the ramp allows so many. */
function rampMs(invocations: number, { burst: atOnce, perSecond }: RampTerms): number {
  return Math.max(0, ((invocations - atOnce) / perSecond) * 1_000);
}

/** As long as the work takes where every invocation that is allowed works without a pause. */
function idealDrainMs(workMs: number, { hosts, ramp }: { readonly hosts: number; readonly ramp: RampTerms }): number {
  const rampsMs = rampMs(hosts, ramp);
  const doneInRampMs = ((ramp.burst + hosts) / 2) * rampsMs;
  if (workMs >= doneInRampMs) return rampsMs + (workMs - doneInRampMs) / hosts;
  // Work done by the moment t of the ramp: burst * t + perSecond / 2 * t².
  const growth = ramp.perSecond / 1_000;
  return (Math.sqrt(ramp.burst ** 2 + 2 * growth * workMs) - ramp.burst) / growth;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
