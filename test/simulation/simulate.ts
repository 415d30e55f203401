/** One seed, from an empty world to the last check. */
import { type Cursor, type LogCursor, watermark } from '../../core/cursor/cursor.ts';
import { queueShardId, type ShardId, sourceShardId } from '../../core/shard-id.ts';
import type { MemoryTarget } from '../support/memory-target.ts';
import { checkContent } from './checks/check-content.ts';
import { checkIdle } from './checks/check-idle.ts';
import { checkLeftovers } from './checks/check-leftovers.ts';
import { checkWaiting } from './checks/check-waiting.ts';
import { DEFAULT_SCENARIO, type ScenarioName } from './faults/scenarios.ts';
import { Disturber } from './world/disturber.ts';
import { Operator } from './world/operator.ts';
import { Producer } from './world/producer.ts';
import { SimHost } from './world/sim-host.ts';
import { SimScheduler } from './world/sim-scheduler.ts';
import { StandInScheduler } from './world/stand-in-scheduler.ts';
import { World } from './world/world.ts';

export interface SimulationResult {
  readonly seed: number;
  /** `null`: every check held. */
  readonly violation: string | null;
  /** Of every line of the trace: the same seed gives the same. */
  readonly digest: string;
  readonly trace: readonly string[];
  readonly faults: ReadonlyMap<string, number>;
  readonly transitions: ReadonlyMap<string, number>;
  readonly shards: number;
  readonly records: number;
  readonly simulatedMs: number;
}

/** Each run moves at least so many records. */
const RECORDS_MIN = 300;

/** And in each at least so much goes wrong. */
const FAULTS_MIN = 5;

/** Once nothing fails any more: as long as the longest freeze, an abandoned claim, and a deadly record halved and condemned take. */
const DRAIN_MAX_MS = 60 * 60_000;

/** Until schedulers have swept all they were not told of, and then as long as a queue may wait, and some. */
const CROWDED_MS = 180_000;

/** Between two looks of the operator at what is still broken. */
const HEAL_EVERY_MS = 6_000;

/** Now and then nobody looks at what is broken until long after every scheduler must know that it is hopeless. */
const HEALS_LATE = 0.06;
const HEALS_LATE_MS = 90_000;

/** Lines of a trace that are kept to be read. */
const LINES_MAX = 400;

export async function simulate(
  seed: number,
  { linesMax = LINES_MAX, scenario = DEFAULT_SCENARIO }: { readonly linesMax?: number; readonly scenario?: ScenarioName } = {},
): Promise<SimulationResult> {
  const world = new World(seed, { linesMax, scenario });
  const startedAtMs = world.time.nowMs;
  const { time, random } = world;
  const producer = new Producer(world);
  const operator = new Operator(world);
  await producer.createTopics();

  const hosts = Array.from(
    { length: world.isCrowded ? 1 : random.int(2, 4) },
    (_, index) => new SimHost(world, `host-${index + 1}`),
  );
  const schedulers = world.standsIn ? [] : ['scheduler-1', 'scheduler-2'].map((name) => new SimScheduler(world, hosts, name));
  const disturber = new Disturber(world, hosts, schedulers);
  const troubledUntilMs = startedAtMs + random.between(22_000, 50_000);
  const holds = (): boolean => world.violation === null;

  await world.during(operator.createAll());
  if (world.standsIn) new StandInScheduler(world, hosts).start();
  for (const scheduler of schedulers) scheduler.start();
  producer.start(troubledUntilMs);
  operator.start(troubledUntilMs);
  disturber.start(troubledUntilMs);
  await time.runWhile(holds, troubledUntilMs);
  disturber.makeUp(FAULTS_MIN);

  world.faults.active = false;
  world.wellSinceMs = time.nowMs;
  world.note('world', 'all is well from now on');
  disturber.stop();
  if (world.isCrowded) {
    world.crowdedUntilMs = time.nowMs + CROWDED_MS;
    producer.crowd(world.crowdedUntilMs);
  }
  await world.during(producer.topUp(RECORDS_MIN));
  const healsFromMs = time.nowMs + (!world.standsIn && random.chance(HEALS_LATE) ? HEALS_LATE_MS : 0);
  const untilMs = time.nowMs + DRAIN_MAX_MS;
  const isBusy = (): boolean => operator.isActing || time.nowMs < world.crowdedUntilMs;
  while (holds() && (isBusy() || producer.records < RECORDS_MIN || !(await isDrained(world))) && time.nowMs < untilMs) {
    disturber.stop();
    // Nothing can be produced into a topic that is away.
    await world.during(producer.topUp(RECORDS_MIN));
    await world.during(producer.wakePeers());
    if (time.nowMs >= healsFromMs) await world.during(operator.heal());
    await time.runWhile(holds, time.nowMs + HEAL_EVERY_MS);
    if (schedulers.length > 0) await checkWaiting(world);
  }
  if (holds() && !(await isDrained(world))) world.violate('liveness', await undrained(world));
  if (holds()) await checkContent(world);
  if (holds() && schedulers.length > 0) await checkIdle(world, { schedulers, operator, producer });
  if (holds()) await checkLeftovers(world);

  return {
    seed,
    violation: world.violation?.message ?? null,
    digest: world.trace.digest(),
    trace: world.trace.lines(),
    faults: world.faults.counts,
    transitions: world.transitions,
    shards: world.shards.size,
    records: producer.records,
    simulatedMs: time.nowMs - startedAtMs,
  };
}

async function isDrained(world: World): Promise<boolean> {
  return (await undrainedShards(world)).length === 0;
}

async function undrained(world: World): Promise<string> {
  return `not drained after ${DRAIN_MAX_MS / 60_000} minutes: ${(await undrainedShards(world)).join('; ')}`;
}

/**
 * What a generation before left is shown with the first record of this one. So is what a put brought that landed when retention had
 * taken its records already, and the shard had gone on behind them.
 */
function isUnshown(target: MemoryTarget, shard: ShardId, cursor: LogCursor): boolean {
  if (target.effect !== 'transactional' || !target.unshown.has(shard)) return false;
  const { generation, position } = target.rows.get(shard) ?? {};
  return generation === cursor.generation && position === String(watermark(cursor));
}

async function undrainedShards(world: World): Promise<string[]> {
  const undrained: string[] = [];
  for (const setup of world.setups) {
    const uid = world.uids.get(setup.name) ?? '';
    if (setup.kind === 'sink') {
      const queues = await world.broker.queues(setup.topic);
      // Deleted, and not created again yet.
      if (queues.length === 0) undrained.push(`${setup.topic} is gone`);
      for (const queue of queues) {
        const shard = queueShardId(uid, queue);
        const [bounds] = await world.broker.bounds([queue]);
        const cursor = world.cursors.get(shard);
        if (cursor?.kind !== 'log' || watermark(cursor) !== bounds?.max || cursor.status.state === 'failed')
          undrained.push(`${shard} ${describe(cursor)} of ${bounds?.max}`);
        // A scheduler that only stands in sends nobody on purpose.
        else if (!world.standsIn && isUnshown(setup.target, shard, cursor))
          undrained.push(`${shard} has records in ${setup.name} that nobody is sent to show`);
      }
    } else {
      for (const [part, rows] of setup.rows) {
        const shard = sourceShardId(uid, ['rows', part]);
        const cursor = world.cursors.get(shard);
        const seq =
          cursor?.kind === 'checkpoint' ? ((cursor.checkpoint as { p?: { seq: number } | null } | null)?.p?.seq ?? 0) : -1;
        if (seq !== rows.length || cursor?.status.state === 'failed')
          undrained.push(`${shard} ${describe(cursor)} at ${seq} of ${rows.length}`);
      }
    }
  }
  return undrained;
}

function describe(cursor: Cursor | undefined): string {
  if (cursor === undefined) return 'without cursor';
  const status = cursor.status.state === 'failed' ? cursor.status.code : cursor.status.state;
  return cursor.kind === 'log' ? `${status} at ${watermark(cursor)}` : status;
}
