import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { advance, offset } from '../../../../core/offset.ts';
import type { Allotment } from '../../../../core/planner/allot.ts';
import { newRamp, type Ramp, type RampTerms, ramped, rampMax } from '../../../../core/planner/ramp.ts';
import type { PlannedConnector } from '../../../../core/planner/view.ts';
import type { ShardId } from '../../../../core/shard-id.ts';
import { aFreeRange, aLogCursor, NOW_MS } from '../../../support/builders.ts';
import { plan } from '../../../support/plan.ts';
import { aConnector, aQueueShard, TERMS } from '../../../support/planning.ts';

const STEP_MS = 500;
const STEPS = 400;

/** Slices given while nobody waited go on for so long, and those while others wait for so long. */
const QUANTUM_MS = 30_000;
const QUANTUM_WHILE_OTHERS_WAIT_MS = 2_000;
/** A tail without records ends by itself. */
const TAIL_IDLE_MS = 5_000;
const AGING_MS = 5_000;
/** Between two attempts at a head that fails. */
const BACK_OFF_MS = 3_000;
/** Of hosts that turned an offer away. */
const REFUSED_PAUSE_MS = 1_000;

/** Measured, or nobody would be let go on for long. */
const PACE = { usPerRecord: 2_000, bytesPerRecord: 100 };

interface Player {
  readonly shard: ShardId;
  readonly uid: string;
  readonly queueId: number;
  /** Whether it always has more than can be done. */
  readonly isHot: boolean;
  /** Whether its first record fails each time. */
  readonly fails: boolean;
  /** When that is tried again. */
  retryAtMs: number;
  /** One that is not hot gets a record once in so many steps. */
  readonly every: number;
  backlog: number;
  readonly offers: Map<string, { readonly endsAtMs: number; readonly mode: Allotment['mode'] }>;
  taken: number;
  waitingSinceMs: number | null;
  /** Since when it has had backlog and nobody. */
  unservedSinceMs: number | null;
  waitedMaxMs: number;
}

interface Game {
  readonly connectors: readonly PlannedConnector[];
  readonly players: readonly Player[];
  readonly slots: number;
  readonly invocationsMax: number;
  readonly ramp: RampTerms;
  /** Whether hosts turn away what is sent at once, over and over; never twice in a row. */
  readonly refusals: readonly boolean[];
}

/** What becomes of the limits while it is played. */
interface Platform {
  ramp: Ramp;
  refusedUntilMs: number;
  batches: number;
}

/** Plans, lets run what was allotted, plans again: as a scheduler does, whose invocations use all the time they are given. */
function play(game: Game): void {
  const { players, refusals } = game;
  const platform: Platform = { ramp: newRamp(game.ramp, NOW_MS), refusedUntilMs: 0, batches: 0 };
  const byShard = new Map(players.map((player) => [player.shard, player]));
  for (let step = 0; step < STEPS; step += 1) {
    const nowMs = NOW_MS + step * STEP_MS;
    for (const player of players) begin(player, { step, nowMs });
    const { allotments, reasons } = planOf(game, platform, nowMs);
    for (const player of players) {
      if (WAITING.has(reasons.get(player.shard)?.demand)) player.waitingSinceMs ??= nowMs;
      else player.waitingSinceMs = null;
    }
    if (allotments.length > 0) platform.batches += 1;
    if (allotments.length > 0 && refusals[platform.batches % refusals.length] === true) {
      platform.refusedUntilMs = nowMs + REFUSED_PAUSE_MS;
    } else {
      for (const allotment of allotments) take(byShard.get(allotment.shard) as Player, allotment, nowMs);
    }
    for (const player of players) look(player, nowMs);
  }
}

const WAITING: ReadonlySet<string | undefined> = new Set(['backlog', 'follow', 'new', 'head-fails']);

function take(player: Player, allotment: Allotment, nowMs: number): void {
  player.waitingSinceMs = null;
  const endsAtMs = nowMs + durationMs(player, allotment);
  player.taken += 1;
  player.offers.set(`${player.shard}#${player.taken}`, { endsAtMs, mode: allotment.mode });
}

/** What has ended is over, and has done its work; new records come. */
function begin(player: Player, { step, nowMs }: { readonly step: number; readonly nowMs: number }): void {
  for (const [id, { endsAtMs }] of player.offers) {
    if (endsAtMs > nowMs) continue;
    player.offers.delete(id);
    if (player.fails) player.retryAtMs = nowMs + BACK_OFF_MS;
    else if (!player.isHot) player.backlog = 0;
  }
  if (player.isHot) player.backlog = 1_000_000;
  else if ((step + player.queueId) % player.every === 0) player.backlog += 1;
}

function look(player: Player, nowMs: number): void {
  if (player.backlog === 0 || player.retryAtMs > nowMs || player.offers.size > 0) player.unservedSinceMs = null;
  else player.unservedSinceMs ??= nowMs;
  player.waitedMaxMs = Math.max(player.waitedMaxMs, nowMs - (player.unservedSinceMs ?? nowMs));
}

function durationMs({ isHot, fails }: Player, { mode, quantumMs }: Allotment): number {
  if (fails) return STEP_MS;
  if (isHot) return quantumMs;
  return mode === 'tail' ? Math.min(TAIL_IDLE_MS, quantumMs) : STEP_MS;
}

function planOf({ connectors, players, slots, invocationsMax, ramp: terms }: Game, platform: Platform, nowMs: number) {
  const running = players.flatMap(({ offers }) => [...offers.values()]);
  const shards = players.map(({ shard: _, uid, queueId, backlog, offers, waitingSinceMs, fails, retryAtMs }) =>
    aQueueShard({
      uid,
      queueId,
      cursor: aLogCursor({ pace: PACE, ...(fails ? { next: 1, open: [aFreeRange({ end: 1, attempts: 1, retryAtMs })] } : {}) }),
      bounds: { min: offset(0), max: advance(offset(0), backlog) },
      offers: new Set(offers.keys()),
      waitingSinceMs,
    }),
  );
  platform.ramp = ramped(platform.ramp, { running: running.length, terms, nowMs });
  const freeSlots = nowMs < platform.refusedUntilMs ? 0 : slots - running.length;
  return plan(connectors, shards, {
    terms: TERMS,
    limits: { invocationsMax, rampMax: rampMax(platform.ramp), freeSlots },
    tails: new Map(connectors.map(({ uid }) => [uid, tailsOf(players.filter((player) => player.uid === uid))])),
    nowMs,
  });
}

function tailsOf(players: readonly Player[]): number {
  const offers = players.flatMap((player) => [...player.offers.values()]);
  return offers.filter(({ mode }) => mode === 'tail').length;
}

/**
 * Whoever has backlog is served within: the time in which the ramp lets all start that may run; the quantum of those who came when
 * nobody waited; then a short quantum for each round of shards, of the connector's own and of all; and the time in which a wait
 * outweighs the invocations that a connector has. With refusals, each turn may take two.
 */
function boundMs({ connectors, players, slots, invocationsMax, ramp, refusals }: Game): number {
  const mostOf = ({ tasksMax, bears }: PlannedConnector): number => Math.min(tasksMax, bears ?? tasksMax);
  const rounds = connectors.map((connector) => players.filter(({ uid }) => uid === connector.uid).length / mostOf(connector));
  const most = Math.min(slots, invocationsMax);
  const isRefused = refusals.includes(true);
  const turns = (Math.ceil(Math.max(...rounds)) + Math.ceil(players.length / most)) * (isRefused ? 2 : 1);
  const turnMs = QUANTUM_WHILE_OTHERS_WAIT_MS + STEP_MS + (isRefused ? REFUSED_PAUSE_MS : 0);
  const rampMs = (most / ramp.perSecond) * 1_000;
  return rampMs + QUANTUM_MS + turns * turnMs + Math.min(most, Math.max(...connectors.map(mostOf))) * AGING_MS;
}

const shards = fc.record({
  isHot: fc.boolean(),
  fails: fc.oneof({ arbitrary: fc.constant(false), weight: 4 }, fc.constant(true)),
  every: fc.integer({ min: 1, max: 40 }),
});

const games: fc.Arbitrary<Game> = fc
  .record({
    connectors: fc.array(
      fc.record({
        tasksMax: fc.integer({ min: 1, max: 8 }),
        bears: fc.option(fc.integer({ min: 1, max: 6 })),
        slicesPerShardMax: fc.constantFrom(1, 4),
        shards: fc.array(shards, { minLength: 1, maxLength: 6 }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    slots: fc.integer({ min: 1, max: 12 }),
    invocationsMax: fc.oneof(fc.constant(1_000), fc.integer({ min: 1, max: 12 })),
    ramp: fc.record({ burst: fc.integer({ min: 1, max: 20 }), perSecond: fc.integer({ min: 1, max: 10 }) }),
    refusals: fc.array(fc.boolean(), { maxLength: 12 }),
  })
  .map(({ connectors, refusals, ...limits }) => ({
    ...limits,
    refusals: refusals.flatMap((isRefused) => [isRefused, false]),
    connectors: connectors.map(({ shards: _, ...fields }, index) => aConnector({ uid: `uid-${index}`, ...fields })),
    players: connectors.flatMap(({ shards }, index) =>
      shards.map(({ isHot, fails, every }, queueId): Player => {
        const { shard, uid } = aQueueShard({ uid: `uid-${index}`, queueId });
        return { shard, uid, queueId, isHot, fails, every, ...untouched() };
      }),
    ),
  }));

function untouched(): Omit<Player, 'shard' | 'uid' | 'queueId' | 'isHot' | 'fails' | 'every'> {
  return {
    offers: new Map(),
    retryAtMs: 0,
    taken: 0,
    waitingSinceMs: null,
    unservedSinceMs: null,
    waitedMaxMs: 0,
    backlog: 0,
  };
}

/** Some seconds on a machine that has other things to do. */
const GAMES_MS_MAX = 60_000;

describe('plan, again and again', () => {
  test(
    'serves every shard that has backlog within a bound, beside others that always have',
    () => {
      fc.assert(
        fc.property(games, (game) => {
          play(game);

          const waits = game.players.map(({ shard, waitedMaxMs }) => [shard, waitedMaxMs] as const);
          const bound = boundMs(game);
          expect(waits.filter(([, waitedMaxMs]) => waitedMaxMs > bound)).toEqual([]);
        }),
        { numRuns: 100 },
      );
    },
    GAMES_MS_MAX,
  );

  test('keeps no shard with a record now and then waiting for others of its connector that wait for the next one', () => {
    const connector = aConnector({ tasksMax: 8 });
    const players = Array.from({ length: 20 }, (_, queueId): Player => {
      const { shard, uid } = aQueueShard({ queueId });
      return { shard, uid, queueId, isHot: false, fails: false, every: 12, ...untouched() };
    });
    const ramp = { burst: 100, perSecond: 100 };

    play({ connectors: [connector], players, slots: 32, invocationsMax: 1_000, ramp, refusals: [] });

    const waitedMaxMs = Math.max(...players.map((player) => player.waitedMaxMs));
    expect(waitedMaxMs).toBeLessThanOrEqual(2 * STEP_MS);
  });
});
