import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { advance, offset } from '../../../../core/offset.ts';
import type { Allotment } from '../../../../core/planner/allot.ts';
import type { PlannedConnector } from '../../../../core/planner/view.ts';
import type { ShardId } from '../../../../core/shard-id.ts';
import { aLogCursor, NOW_MS } from '../../../support/builders.ts';
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

interface Player {
  readonly shard: ShardId;
  readonly uid: string;
  readonly queueId: number;
  /** Whether it always has more than can be done. */
  readonly isHot: boolean;
  /** One that is not hot gets a record once in so many steps. */
  readonly every: number;
  backlog: number;
  readonly offers: Map<string, { readonly endsAtMs: number; readonly mode: Allotment['mode'] }>;
  waitingSinceMs: number | null;
  /** Since when it has had backlog and nobody. */
  unservedSinceMs: number | null;
  waitedMaxMs: number;
}

interface Game {
  readonly connectors: readonly PlannedConnector[];
  readonly players: readonly Player[];
  readonly slots: number;
}

/** Plans, lets run what was allotted, plans again: as a scheduler does, whose invocations use all the time they are given. */
function play({ connectors, players, slots }: Game): void {
  let offers = 0;
  for (let step = 0; step < STEPS; step += 1) {
    const nowMs = NOW_MS + step * STEP_MS;
    for (const player of players) begin(player, { step, nowMs });
    const { allotments, reasons } = planOf({ connectors, players, slots }, nowMs);
    for (const player of players) {
      const reason = reasons.get(player.shard)?.demand;
      if (reason === 'backlog' || reason === 'follow' || reason === 'new') player.waitingSinceMs ??= nowMs;
      else player.waitingSinceMs = null;
    }
    const byShard = new Map(players.map((player) => [player.shard, player]));
    for (const allotment of allotments) {
      const player = byShard.get(allotment.shard) as Player;
      player.offers.set(`offer-${offers}`, { endsAtMs: nowMs + durationMs(player, allotment), mode: allotment.mode });
      player.waitingSinceMs = null;
      offers += 1;
    }
    for (const player of players) look(player, nowMs);
  }
}

/** What has ended is over, and has done its work; new records come. */
function begin(player: Player, { step, nowMs }: { readonly step: number; readonly nowMs: number }): void {
  for (const [id, { endsAtMs }] of player.offers) {
    if (endsAtMs > nowMs) continue;
    player.offers.delete(id);
    if (!player.isHot) player.backlog = 0;
  }
  if (player.isHot) player.backlog = 1_000_000;
  else if ((step + player.queueId) % player.every === 0) player.backlog += 1;
}

function look(player: Player, nowMs: number): void {
  if (player.backlog === 0 || player.offers.size > 0) player.unservedSinceMs = null;
  else player.unservedSinceMs ??= nowMs;
  player.waitedMaxMs = Math.max(player.waitedMaxMs, nowMs - (player.unservedSinceMs ?? nowMs));
}

function durationMs({ isHot }: Player, { mode, quantumMs }: Allotment): number {
  if (isHot) return quantumMs;
  return mode === 'tail' ? Math.min(TAIL_IDLE_MS, quantumMs) : STEP_MS;
}

function planOf({ connectors, players, slots }: Game, nowMs: number) {
  const running = players.flatMap(({ offers }) => [...offers.values()]);
  const shards = players.map(({ shard: _, uid, queueId, backlog, offers, waitingSinceMs }) =>
    aQueueShard({
      uid,
      queueId,
      cursor: aLogCursor(),
      bounds: { min: offset(0), max: advance(offset(0), backlog) },
      offers: new Set(offers.keys()),
      waitingSinceMs,
    }),
  );
  const limits = { invocationsMax: 1_000, rampMax: 1_000, freeSlots: slots - running.length };
  return plan(connectors, shards, {
    terms: TERMS,
    limits,
    tailsRunning: running.filter(({ mode }) => mode === 'tail').length,
    nowMs,
  });
}

/**
 * Whoever has backlog is served within: the quantum of those who came when nobody waited; then a short quantum for each round
 * of shards, of the connector's own and of all; and the time in which a wait outweighs the invocations that a connector has.
 */
function boundMs({ connectors, players, slots }: Game): number {
  const rounds = connectors.map(({ uid, tasksMax }) => players.filter((player) => player.uid === uid).length / tasksMax);
  const turns = Math.ceil(Math.max(...rounds)) + Math.ceil(players.length / slots);
  const invocationsMax = Math.min(slots, Math.max(...connectors.map(({ tasksMax }) => tasksMax)));
  return QUANTUM_MS + turns * (QUANTUM_WHILE_OTHERS_WAIT_MS + STEP_MS) + invocationsMax * AGING_MS;
}

const games: fc.Arbitrary<Game> = fc
  .record({
    connectors: fc.array(
      fc.record({
        tasksMax: fc.integer({ min: 1, max: 8 }),
        slicesPerShardMax: fc.constantFrom(1, 4),
        shards: fc.array(fc.record({ isHot: fc.boolean(), every: fc.integer({ min: 1, max: 40 }) }), {
          minLength: 1,
          maxLength: 6,
        }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    slots: fc.integer({ min: 1, max: 12 }),
  })
  .map(({ connectors, slots }) => ({
    slots,
    connectors: connectors.map(({ shards: _, ...fields }, index) => aConnector({ uid: `uid-${index}`, ...fields })),
    players: connectors.flatMap(({ shards }, index) =>
      shards.map(({ isHot, every }, queueId): Player => {
        const { shard, uid } = aQueueShard({ uid: `uid-${index}`, queueId });
        const none = { offers: new Map(), waitingSinceMs: null, unservedSinceMs: null, waitedMaxMs: 0, backlog: 0 };
        return { shard, uid, queueId, isHot, every, ...none };
      }),
    ),
  }));

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
        { numRuns: 30 },
      );
    },
    GAMES_MS_MAX,
  );
});
