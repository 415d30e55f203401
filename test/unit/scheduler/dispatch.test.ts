import { describe, expect, test } from 'vitest';
import type { InvocationEnd } from '../../../core/offer.ts';
import type { Allotment } from '../../../core/planner/allot.ts';
import { Dispatch, type Flight } from '../../../scheduler/dispatch.ts';
import type { KnownConnector } from '../../../scheduler/known-connector.ts';
import { ShardState } from '../../../scheduler/shard-state.ts';
import { aShard } from '../../support/builders.ts';
import { aHost } from '../../support/hosts.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { aConnector } from '../../support/planning.ts';
import { InvokerByHand } from '../../support/schedulers.ts';

const DIED: InvocationEnd = { kind: 'died', owner: null, isGone: true, message: 'its process ended' };
const LOST: InvocationEnd = { kind: 'lost', message: 'connection lost' };
const REFUSED: InvocationEnd = { kind: 'refused', message: 'no slot' };

const connector: KnownConnector = {
  connector: { name: 'orders', uid: 'uid', revision: 1, targetState: 'running', config: {}, createdAtMs: 1 },
  version: '1',
  planned: aConnector(),
  topics: ['orders'],
  group: null,
  pluginVersion: null,
  problem: null,
  sinceMs: 0,
};

const allotment: Allotment = {
  shard: aShard,
  uid: 'uid',
  mode: 'tail',
  slice: { records: 1, bytes: 1, durationMs: 1 },
  quantumMs: 1,
};

function aDispatch() {
  const clock = new ManualClock();
  const invoker = new InvokerByHand();
  const ends: [string, string][] = [];
  const dispatch = new Dispatch({
    ...aHost(),
    clock,
    invoker,
    offerTtlMs: 10_000,
    offers: 'mine-',
    ended: ({ offer }: Flight, { kind }) => ends.push([offer.id, kind]),
  });
  const state = new ShardState(aShard);
  const send = (): void => dispatch.send(allotment, { connector, state, peersCommit: false });
  return { clock, invoker, dispatch, state, send, ends };
}

describe('Dispatch', () => {
  test('gives every offer an id of its own', () => {
    const { invoker, send } = aDispatch();

    send();
    send();

    expect(new Set(invoker.offers.map(({ id }) => id)).size).toBe(2);
  });

  test.each([DIED, REFUSED])('counts an offer until it is heard that it was $kind', async (end) => {
    const { dispatch, invoker, state, send, ends } = aDispatch();
    send();

    const before = [state.offers.size, dispatch.tails];
    await invoker.end(0, end);

    expect(before).toEqual([1, new Map([['uid', 1]])]);
    expect([state.offers.size, dispatch.tails]).toEqual([0, new Map()]);
    expect(ends).toEqual([[invoker.offers[0]?.id, end.kind]]);
  });

  test('goes on counting an offer whose connection was lost, until somebody looks for its holder', async () => {
    const { clock, dispatch, invoker, state, send, ends } = aDispatch();
    send();

    await invoker.end(0, LOST);
    const early = dispatch.overdue();
    clock.advance(10_000);
    const late = dispatch.overdue();

    expect([state.offers.size, early.length, late.length]).toEqual([1, 0, 1]);
    expect(ends).toEqual([]);
  });

  test('looks again as long after a holder was seen', () => {
    const { clock, dispatch, send } = aDispatch();
    send();
    clock.advance(10_000);

    dispatch.isAlive(dispatch.overdue()[0] as Flight);
    clock.advance(9_999);
    const early = dispatch.overdue().length;
    clock.advance(1);

    expect([early, dispatch.overdue().length]).toEqual([0, 1]);
  });

  test('frees the slot of an offer that is dropped, and does not free it twice when its end comes late', async () => {
    const { clock, dispatch, invoker, state, send } = aDispatch();
    send();
    clock.advance(10_000);

    dispatch.drop(dispatch.overdue()[0] as Flight);
    send();
    await invoker.end(0, DIED);

    expect([...state.offers]).toEqual([invoker.offers[1]?.id]);
  });

  test.each([
    ['died', DIED, 1],
    ['was turned away', REFUSED, 0],
  ])('of an offer that was dropped and %s later, the end is told where it says something', async (_, end, told) => {
    const { clock, dispatch, invoker, send, ends } = aDispatch();
    send();
    clock.advance(10_000);
    dispatch.drop(dispatch.overdue()[0] as Flight);

    await invoker.end(0, end);

    expect(ends).toHaveLength(told);
  });

  test('leaves hosts alone that turn offers away, each time twice as long, until one is taken', async () => {
    const { clock, dispatch, invoker, send } = aDispatch();
    const pauses: (number | null)[] = [];
    for (let index = 0; index < 8; index += 1) {
      send();
      await invoker.end(index, REFUSED);
      pauses.push(dispatch.refusedUntilMs === null ? null : dispatch.refusedUntilMs - clock.monotonicMs());
      expect(dispatch.freeSlots()).toBe(0);
      clock.advance(2_000);
      expect(dispatch.freeSlots()).toBe(100);
    }
    send();
    await invoker.end(8, DIED);
    send();
    await invoker.end(9, REFUSED);

    expect(pauses).toEqual([50, 100, 200, 400, 800, 1_600, 2_000, 2_000]);
    expect(dispatch.refusedUntilMs).toBe(clock.monotonicMs() + 50);
  });

  test('takes offers that were sent together and turned away together for one refusal', async () => {
    const { clock, dispatch, invoker, send } = aDispatch();
    for (let index = 0; index < 100; index += 1) send();

    for (let index = 0; index < 50; index += 1) await invoker.end(index, REFUSED);
    clock.advance(10);
    for (let index = 50; index < 100; index += 1) await invoker.end(index, REFUSED);

    expect(dispatch.refusedUntilMs).toBe(clock.monotonicMs() + 40);
  });

  test('asks hosts again as soon as one of them has ended an invocation', async () => {
    const { dispatch, invoker, send } = aDispatch();
    send();
    send();
    await invoker.end(0, REFUSED);

    await invoker.end(1, DIED);

    expect([dispatch.refusedUntilMs, dispatch.freeSlots()]).toEqual([null, 100]);
  });

  test('leaves hosts alone that turn an offer away right after another end', async () => {
    const { dispatch, invoker, send } = aDispatch();
    send();
    send();
    await invoker.end(0, REFUSED);
    await invoker.end(1, DIED);

    send();
    await invoker.end(2, REFUSED);

    expect(dispatch.freeSlots()).toBe(0);
  });

  test('leaves no host alone that turns an offer away for its shard only', async () => {
    const { dispatch, invoker, send } = aDispatch();
    send();

    await invoker.end(0, { kind: 'refused', message: 'one waits already', isForShard: true });

    expect([dispatch.refusedUntilMs, dispatch.freeSlots()]).toEqual([null, 100]);
  });
});
