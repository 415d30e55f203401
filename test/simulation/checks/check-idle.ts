/**
 * At the end, where real schedulers work and everything is delivered: that idle costs nothing, and that what an operator left
 * half done is finished.
 */

import { readConnector } from '../../../core/connector.ts';
import { queueOfShard } from '../../../core/shard-id.ts';
import type { Operator } from '../world/operator.ts';
import type { Producer } from '../world/producer.ts';
import { SeededRandom } from '../world/seeded-random.ts';
import type { SimScheduler } from '../world/sim-scheduler.ts';
import type { World } from '../world/world.ts';

/** A claim and its grace, `offer.ttlMs`, and the last tail: then nobody may believe any more that something runs. */
const SETTLED_AFTER_MS = 40_000;

/** Offers that the network held back come up to a minute late. */
const LATE_OFFERS_MS = 62_000;

const IDLE_MS = 30_000;
const LOOK_EVERY_MS = 1_000;

/** Of the leader: changes, names, one connector's cursors; of both: the lock. Sources are polled now and then, and discovered. */
const READS_PER_SECOND_MAX = 6;

/** The operator's process gets 5 s to finish, then a scheduler does; the rest is for two rounds of it. */
const HEALED_WITHIN_MS = 15_000;

/** In so many runs: it costs as many simulated seconds as all before it. */
const LOOKS = 0.25;

/** In so many of those: it costs some simulated seconds more. */
const LEAVES_HALF_DONE = 0.5;

interface Parts {
  readonly schedulers: readonly SimScheduler[];
  readonly operator: Operator;
  readonly producer: Producer;
}

export async function checkIdle(world: World, parts: Parts): Promise<void> {
  const { time } = world;
  if (!new SeededRandom(`idle ${world.seed}`).chance(LOOKS)) return;
  const wellSinceMs = world.wellSinceMs ?? time.nowMs;
  world.isDrained = true;
  await pass(world, Math.max(SETTLED_AFTER_MS, wellSinceMs + LATE_OFFERS_MS - time.nowMs));
  await checkNothingRuns(world, parts);
  if (world.violation === null && new SeededRandom(`half done ${world.seed}`).chance(LEAVES_HALF_DONE))
    await checkHalfDone(world, parts);
}

async function checkNothingRuns(world: World, { schedulers }: Parts): Promise<void> {
  const startedBefore = startedOfQueues(world);
  const readsBefore = readsOf(schedulers);
  let runningMin = Number.POSITIVE_INFINITY;
  for (let passedMs = 0; passedMs < IDLE_MS; passedMs += LOOK_EVERY_MS) {
    await pass(world, LOOK_EVERY_MS);
    runningMin = Math.min(
      runningMin,
      schedulers.reduce((sum, { running }) => sum + running, 0),
    );
  }
  // Sources are polled now and then, so that something may run at a given moment, and not at every one.
  if (runningMin > 0) world.violate('slots', `schedulers believe that ${runningMin} invocations run, long after the last one`);
  const started = startedOfQueues(world) - startedBefore;
  if (started > 0) world.violate('idle', `${started} invocations of sinks that have nothing to do`);
  const reads = readsOf(schedulers) - readsBefore;
  const max = (READS_PER_SECOND_MAX * IDLE_MS) / 1_000;
  if (reads > max) world.violate('idle', `schedulers read the store ${reads} times in ${IDLE_MS} ms, ${max} are enough`);
  if (!schedulers.some(({ leads }) => leads)) world.violate('idle', 'no scheduler leads');
}

/** A pause that stays half done: every gate is closed in the end, and until then and after nothing starts that was told of it. */
async function checkHalfDone(world: World, { operator, producer }: Parts): Promise<void> {
  const [setup] = world.setups;
  if (setup === undefined) return;
  await world.during(operator.leaveHalfPaused(setup));
  await world.during(producer.topUp(producer.records + 20));
  await pass(world, HEALED_WITHIN_MS);
  const connector = await readConnector(world, setup.name);
  const behind = world.cursorsOf(connector?.uid ?? '').filter(([, { gate }]) => gate.revision < (connector?.revision ?? 0));
  if (behind.length > 0) world.violate('I9', `the gate of ${behind[0]?.[0]} stays open behind a pause that was left half done`);
}

function startedOfQueues({ offers, cursors }: World): number {
  let started = 0;
  for (const [shard, count] of offers.started)
    if (queueOfShard(shard) !== undefined && cursors.get(shard)?.status.state === 'active') started += count;
  return started;
}

function readsOf(schedulers: readonly SimScheduler[]): number {
  return schedulers.reduce((sum, { process }) => sum + (process?.storeReads ?? 0), 0);
}

async function pass(world: World, durationMs: number): Promise<void> {
  const untilMs = world.time.nowMs + durationMs;
  await world.time.runWhile(() => world.violation === null, untilMs);
  world.time.nowMs = Math.max(world.time.nowMs, untilMs);
}
