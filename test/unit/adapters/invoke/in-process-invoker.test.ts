import { describe, expect, test } from 'vitest';
import { InProcessInvoker } from '../../../../adapters/invoke/in-process-invoker.ts';
import { systemRandom } from '../../../../adapters/system.ts';
import { type InvocationResult, NO_COUNTS, type Offer } from '../../../../core/offer.ts';
import { shardId } from '../../../../core/shard-id.ts';

const shard = shardId('uid', ['queue', 'orders', 'b', '0']);

describe('InProcessInvoker', () => {
  test('brings back what the invocation answers', async () => {
    const seen: Offer[] = [];
    const result = aResult();
    const invoker = new InProcessInvoker({
      random: systemRandom,
      slots: 1,
      run: async (offer) => {
        seen.push(offer);
        return result;
      },
    });

    const end = await invoker.invoke(anOffer('1'));

    expect(end).toEqual({ kind: 'completed', result });
    expect(seen).toEqual([anOffer('1')]);
  });

  test('says that an invocation died when it throws', async () => {
    const invoker = new InProcessInvoker({ random: systemRandom, slots: 1, run: () => Promise.reject(new Error('out of luck')) });

    const end = await invoker.invoke(anOffer('1'));

    expect(end).toEqual({ kind: 'died', owner: expect.stringMatching(/^1\//), isGone: false, message: 'out of luck' });
  });

  test('says that an invocation died when it throws before its first await', async () => {
    const invoker = new InProcessInvoker({
      random: systemRandom,
      slots: 1,
      run: () => {
        throw new Error('at once');
      },
    });

    expect(await invoker.invoke(anOffer('1'))).toEqual({
      kind: 'died',
      owner: expect.stringMatching(/^1\//),
      isGone: false,
      message: 'at once',
    });
    expect(invoker.freeSlots()).toBe(1);
  });

  test('refuses what goes beyond its slots, and runs nothing of it', async () => {
    const first = aRun();
    let runs = 0;
    const invoker = new InProcessInvoker({
      random: systemRandom,
      slots: 1,
      run: () => {
        runs += 1;
        return first.promise;
      },
    });

    const running = invoker.invoke(anOffer('1'));
    const refused = await invoker.invoke(anOffer('2'));

    expect(refused).toEqual({ kind: 'refused', message: 'all 1 slots are taken' });
    expect(runs).toBe(1);
    first.resolve(aResult());
    await running;
  });

  test('counts the slots that are free, also after a death', async () => {
    const runs = [aRun(), aRun()];
    const waiting = [...runs];
    const invoker = new InProcessInvoker({
      random: systemRandom,
      slots: 3,
      run: () => waiting.shift()?.promise ?? Promise.resolve(aResult()),
    });

    const ends = [invoker.invoke(anOffer('1')), invoker.invoke(anOffer('2'))];
    const during = invoker.freeSlots();
    runs[0]?.resolve(aResult());
    runs[1]?.reject(new Error('killed'));
    await Promise.all(ends);

    expect([during, invoker.freeSlots()]).toEqual([1, 3]);
  });
});

/** An invocation that ends when the test says so. */
function aRun(): { promise: Promise<InvocationResult>; resolve(result: InvocationResult): void; reject(error: Error): void } {
  let settle: { resolve(result: InvocationResult): void; reject(error: Error): void } | undefined;
  const promise = new Promise<InvocationResult>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, resolve: (result) => settle?.resolve(result), reject: (error) => settle?.reject(error) };
}

function anOffer(id: string): Offer {
  return {
    id,
    connector: 'orders',
    uid: 'uid',
    shard,
    mode: 'slice',
    slice: { records: 1, bytes: 1, durationMs: 1 },
    quantumMs: 0,
    ended: [],
    peersCommit: false,
  };
}

function aResult(): InvocationResult {
  const counts = { ...NO_COUNTS, slices: 1, storeWrites: 1 };
  const run = {
    offerId: '1',
    owner: 'me',
    connector: 'orders',
    shard,
    startedAtMs: 1,
    endedAtMs: 2,
    outcome: 'drained',
    counts,
  } as const;
  return { run, cursor: null, notBeforeMs: null };
}
