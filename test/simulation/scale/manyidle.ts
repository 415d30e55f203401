/** Thousands of connectors, of which one in a hundred has anything to do: what do the others cost? */
import { quantile } from '../../../bench/figure.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import type { ScaleResult, ScaleScenario, ScaleSize } from './scale-result.ts';
import { ScaleWorld } from './scale-world.ts';
import { Timeline } from './timeline.ts';

/** `found`: seconds in which every queue that moves was found to. */
const SIZES = {
  full: { connectors: 10_000, hosts: 100, watchesMax: 5_000, settleMs: 300_000, found: 180, seconds: 300 },
  small: { connectors: 600, hosts: 20, watchesMax: 300, settleMs: 60_000, found: 30, seconds: 90 },
} as const satisfies Record<ScaleSize, unknown>;

const ACTIVE_SHARE = 0.01;
const US_PER_RECORD = 1_000;
const APPEND_EVERY_MS = [5_000, 15_000] as const;
const APPEND_RECORDS = [1, 100] as const;

/** Of one invocation: cursor, connector, a look at the gate each second of a tail, claim, commits, release. */
const STORE_READS_PER_INVOCATION = 12;

/** Beside what nobody watches, topics of which something is known are looked at, too. */
const LOOK_MARGIN = 1.5;

export const manyidle: ScaleScenario = {
  name: 'manyidle',

  async run(size, seed): Promise<ScaleResult> {
    const { connectors, hosts, watchesMax, settleMs, found, seconds } = SIZES[size];
    const world = new ScaleWorld({
      seed,
      platform: { hosts, ramp: { burst: hosts, perSecond: hosts } },
      settings: { watchesMax },
    });
    const active: { readonly uid: string; readonly queue: MessageQueue }[] = [];
    const every = Math.round(1 / ACTIVE_SHARE);
    for (let index = 0; index < connectors; index += 1) {
      const name = `c${String(index).padStart(5, '0')}`;
      const [queue] = await world.add({ name, queues: 1, tasksMax: 1, slicesMax: 1, freshnessMs: 0, usPerRecord: US_PER_RECORD });
      if (index % every === 0) active.push({ uid: `uid-${name}`, queue: queue as MessageQueue });
    }
    await world.settle(settleMs);
    const atStart = world.platform.invocations;

    const timeline = new Timeline(world);
    const before = { ...world.schedulerCounts };
    for (const { queue } of active) keepAppending(world, queue);
    await world.run(found * 1_000);
    const first = active.flatMap(({ uid }) => world.connectorOf(uid).waitsMs.splice(0));
    await world.run((seconds - found) * 1_000);

    const reads = timeline.samples.map(({ storeReadsPerSecond }) => storeReadsPerSecond);
    const schedulerReads = (world.schedulerCounts.reads - before.reads) / seconds;
    const invocations = world.platform.invocations - atStart;
    const uids = new Set(active.map(({ uid }) => uid));
    const ofIdle = [...world.connectors].reduce((sum, [uid, { totals }]) => sum + (uids.has(uid) ? 0 : totals.invocations), 0);
    const waits = Float64Array.from(active.flatMap(({ uid }) => world.connectorOf(uid).waitsMs));
    const lookRound = (connectors - watchesMax) / world.settings.topicLooksPerSecond;
    const sweepsPerSecond = (connectors * 1_000) / world.settings.sweepMs;
    return {
      scenario: 'manyidle',
      notes: [
        `${connectors.toLocaleString('en-US')} connectors of one queue each; ${active.length} get up to ${APPEND_RECORDS[1]} records every ${APPEND_EVERY_MS[0] / 1_000} to ${APPEND_EVERY_MS[1] / 1_000} s; ${hosts} hosts, ${watchesMax.toLocaleString('en-US')} queues watched at once`,
        `${invocations} invocations in ${seconds} s; ${(reads.reduce((sum, count) => sum + count, 0) / reads.length).toFixed(0)} store reads/s with those of invocations`,
      ],
      samples: timeline.samples,
      figures: [
        { name: 'invocations of idle connectors', value: ofIdle, unit: '', goal: { exactly: 0 } },
        {
          name: `store reads of the scheduler; a sweep is ${sweepsPerSecond.toFixed(0)}`,
          value: schedulerReads,
          unit: '1/s',
          goal: { atMost: 1.2 * sweepsPerSecond + 5 },
        },
        {
          name: 'store reads in the busiest second',
          value: Math.max(...reads.slice(1)),
          unit: '1/s',
          goal: { atMost: 2 * sweepsPerSecond + STORE_READS_PER_INVOCATION * active.length },
        },
        {
          name: `append to delivered, the longest of those that came out of silence in the first ${found} s`,
          value: Math.max(...first) / 1_000,
          unit: 's',
          goal: { atMost: LOOK_MARGIN * lookRound + 5 },
        },
        { name: 'append to delivered from then on, p50', value: quantile(waits, 0.5), unit: 'ms', goal: 'printed' },
        { name: 'append to delivered from then on, p99', value: quantile(waits, 0.99), unit: 'ms', goal: { atMost: 1_000 } },
      ],
      violation: world.violation,
    };
  },
};

function keepAppending(world: ScaleWorld, queue: MessageQueue): void {
  world.time.after(world.random.between(...APPEND_EVERY_MS), () => {
    world.log.append(queue, world.random.int(...APPEND_RECORDS));
    keepAppending(world, queue);
  });
}
