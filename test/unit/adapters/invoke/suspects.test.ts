import { describe, expect, test } from 'vitest';
import { Suspects } from '../../../../adapters/invoke/suspects.ts';
import { type InvocationEnd, NO_COUNTS, type Offer, type RunRecord } from '../../../../core/offer.ts';
import { queueShardId, type ShardId } from '../../../../core/shard-id.ts';

const shardOf = (queueId: number): ShardId => queueShardId('uid', { topic: 'orders', brokerName: 'b', queueId });

function anOffer(shard: ShardId, id = 'offer'): Offer {
  const slice = { records: 1, bytes: 1, durationMs: 1 };
  return { id, connector: 'orders', uid: 'uid', shard, mode: 'tail', slice, quantumMs: 1, ended: [], peersCommit: false };
}

type Ending = Pick<RunRecord, 'outcome' | 'refusal'>;

function completed({ id, connector, shard }: Offer, ending: Ending): InvocationEnd {
  const times = { startedAtMs: 1, endedAtMs: 2 };
  const run = { offerId: id, owner: id, connector, shard, ...times, ...ending, counts: NO_COUNTS };
  return { kind: 'completed', result: { run, cursor: null, notBeforeMs: null } };
}

/** Shards that ended with one host, and invocations that end when that is said. */
function suspectsOf(...shards: readonly ShardId[]) {
  const suspects = new Suspects();
  suspects.add(shards);
  const running: { readonly offer: Offer; readonly end: (ending?: Ending) => Promise<void> }[] = [];
  const invoke = (offer: Offer): Promise<InvocationEnd> =>
    suspects.invoke(offer, (alone) => {
      const ended = Promise.withResolvers<InvocationEnd>();
      const end = async (ending: Ending = { outcome: 'yielded' }): Promise<void> => {
        ended.resolve(completed(alone, ending));
        await new Promise(setImmediate);
      };
      running.push({ offer: alone, end });
      return ended.promise;
    });
  return { suspects, running, invoke };
}

describe('Suspects', () => {
  test('runs one after the other, a single slice each', async () => {
    const { suspects, running, invoke } = suspectsOf(shardOf(0), shardOf(1));

    const ends = [invoke(anOffer(shardOf(0))), invoke(anOffer(shardOf(1)))];
    await new Promise(setImmediate);
    const before = running.length;
    await running[0]?.end();
    await running[1]?.end();

    expect(before).toBe(1);
    expect(running.map(({ offer: { shard, mode, quantumMs } }) => [shard, mode, quantumMs])).toEqual([
      [shardOf(0), 'slice', 0],
      [shardOf(1), 'slice', 0],
    ]);
    expect((await Promise.all(ends)).map(({ kind }) => kind)).toEqual(['completed', 'completed']);
    expect([0, 1].map((queueId) => suspects.has(shardOf(queueId)))).toEqual([false, false]);
  });

  test.each([
    ['lets off one that has nothing to claim, as a tail that is left at the end of its log', 'nothing-to-claim', false],
    ['goes on suspecting one that somebody holds', 'held', true],
  ] as const)('%s', async (_, refusal, isSuspect) => {
    const { suspects, running, invoke } = suspectsOf(shardOf(0));
    const end = invoke(anOffer(shardOf(0)));
    await new Promise(setImmediate);

    await running[0]?.end({ outcome: null, refusal });
    await end;

    expect(suspects.has(shardOf(0))).toBe(isSuspect);
  });

  test('refuses an offer of a shard of which one waits or runs, and says that others are taken', async () => {
    const { running, invoke } = suspectsOf(shardOf(0), shardOf(1));
    void invoke(anOffer(shardOf(0)));
    void invoke(anOffer(shardOf(1)));
    await new Promise(setImmediate);

    const ends = await Promise.all([invoke(anOffer(shardOf(0), 'again')), invoke(anOffer(shardOf(1), 'again'))]);
    await running[0]?.end();
    await running[1]?.end();

    expect(ends).toMatchObject([
      { kind: 'refused', isForShard: true },
      { kind: 'refused', isForShard: true },
    ]);
    expect(running.map(({ offer }) => offer.id)).toEqual(['offer', 'offer']);
  });

  test('refuses more than can wait, and says that others are taken', async () => {
    const shards = Array.from({ length: 65 }, (_, queueId) => shardOf(queueId));
    const { invoke } = suspectsOf(...shards);
    for (const shard of shards.slice(0, 64)) void invoke(anOffer(shard));

    const end = await invoke(anOffer(shardOf(64)));

    expect(end).toMatchObject({ kind: 'refused', isForShard: true });
  });
});
