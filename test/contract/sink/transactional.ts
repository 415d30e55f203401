import { expect } from 'vitest';
import type { ConnectRecord } from '../../../core/record/connect-record.ts';
import { shardId } from '../../../core/shard-id.ts';
import { heldWords, recordsOf, type SinkCase } from './sink-under-test.ts';

const FENCED = { name: 'FencedError', code: 'slice.fenced' };
const NEWER = { name: 'FatalTaskError', code: 'target.generation_newer' };

/** Exactly once: position and records in one transaction, on condition of generation and epoch. */
export function transactionalCases(check: SinkCase): void {
  check('begins a shard it has never seen without a position', [], async (sink) => {
    const writer = await sink.open();

    expect(await writer.begin()).toBeNull();
  });

  check('answers the position of the last batch to the next epoch', [], async (sink) => {
    const first = await sink.start({ epoch: 1 });
    await first.put(recordsOf(sink, 'a1 b1 a2'));
    await first.flush();

    const second = await sink.open({ epoch: 2 });

    expect(await second.begin()).toBe('3');
  });

  check('answers any checkpoint as it was given', [], async (sink) => {
    const position = { file: 'binlog.000007', at: '9007199254740993', rows: [1, null, 'ü', true] };
    const writer = await sink.start();

    await writer.put([], { position });

    expect(await (await sink.open({ epoch: 2 })).begin()).toEqual(position);
  });

  check('begins again at the same epoch', [], async (sink) => {
    const writer = await sink.start({ epoch: 4 });
    await writer.put(recordsOf(sink, 'a1'));

    expect(await writer.begin()).toBe('1');
    expect(await (await sink.open({ epoch: 4 })).begin()).toBe('1');
  });

  check('moves the position for an empty batch', [], async (sink) => {
    const writer = await sink.start();
    await writer.put(recordsOf(sink, 'a1'));

    const { failures } = await writer.put([], { position: '17' });

    expect(failures).toEqual([]);
    expect(await writer.begin()).toBe('17');
  });

  check('begins nothing for an epoch that was overtaken (I2)', [], async (sink) => {
    const winner = await sink.start({ epoch: 2 });
    await winner.put(recordsOf(sink, 'a1'));

    const late = await sink.open({ epoch: 1 });

    await expect(late.begin()).rejects.toMatchObject(FENCED);
    expect(await winner.begin()).toBe('1');
  });

  check('takes nothing from a zombie, not even what it has already put (I2)', ['held'], async (sink) => {
    const zombie = await sink.start({ epoch: 1 });
    const batch = recordsOf(sink, 'a1 b1');
    await zombie.put(batch);
    const winner = await sink.start({ epoch: 2 });

    await expect(zombie.put(batch)).rejects.toMatchObject(FENCED);
    await expect(zombie.put([], { position: '99' })).rejects.toMatchObject(FENCED);

    expect(await heldWords(sink)).toBe('a1 b1');
    expect(await winner.begin()).toBe('2');
  });

  check('forgets the position when the generation rises, whatever the epoch', [], async (sink) => {
    const old = await sink.start({ generation: 1, epoch: 9 });
    await old.put(recordsOf(sink, 'a1'));

    const reset = await sink.open({ generation: 2, epoch: 1 });

    expect(await reset.begin()).toBeNull();
    await reset.put(recordsOf(sink, 'a2', 5));
    expect(await reset.begin()).toBe('6');
  });

  for (const [epochs, oldEpoch] of [
    ['at the same epoch', 1],
    ['at a higher epoch', 9],
  ] as const) {
    check(`takes nothing from an older generation ${epochs} (I2)`, ['held'], async (sink) => {
      const old = await sink.start({ generation: 1, epoch: oldEpoch });
      const reset = await sink.start({ generation: 2, epoch: 1 });

      await expect(old.put(recordsOf(sink, 'a1'))).rejects.toMatchObject(FENCED);
      await expect(old.begin()).rejects.toMatchObject(NEWER);

      expect(await sink.held()).toEqual([]);
      expect(await reset.begin()).toBeNull();
    });
  }

  check('keeps shards apart', [], async (sink) => {
    const one = await sink.start({ epoch: 5 });
    await one.put(recordsOf(sink, 'a1'));

    const other = await sink.open({ shard: shardId('uid', ['queue', 'orders', 'broker-a', '1']), epoch: 1 });

    expect(await other.begin()).toBeNull();
    await other.put(recordsOf(sink, 'b1', 41));
    expect([await one.begin(), await other.begin()]).toEqual(['1', '42']);
  });

  check('keeps connectors of the same name apart', [], async (sink) => {
    const one = await sink.start();
    await one.put(recordsOf(sink, 'a1'));

    const other = await sink.open({ shard: shardId('other-uid', ['queue', 'orders', 'broker-a', '0']) });

    expect(await other.begin()).toBeNull();
  });

  check('takes nothing of a batch with a refused record, and the rest without it', ['held', 'makeRefused'], async (sink) => {
    const writer = await sink.start();
    const [a, b] = recordsOf(sink, 'a1 b1') as [ConnectRecord, ConnectRecord];

    const { failures } = await writer.put([a, sink.makeRefused({ key: 'r', text: '1', offset: 1 }), b], { position: '3' });
    const held = await sink.held();
    const position = await writer.begin();
    await writer.put([a, b], { position: '3' });

    expect(failures.map(({ index, error }) => [index, error.name])).toEqual([[1, 'RecordError']]);
    expect([held, position]).toEqual([[], null]);
    expect([await heldWords(sink), await writer.begin()]).toEqual(['a1 b1', '3']);
  });

  check('changes nothing when it is aborted', ['held'], async (sink) => {
    const writer = await sink.start();

    await writer.put(recordsOf(sink, 'a1'), { signal: AbortSignal.abort() }).catch(() => undefined);

    expect(await sink.held()).toEqual([]);
    expect(await writer.begin()).toBeNull();
  });
}
