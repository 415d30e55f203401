import { describe, expect, test } from 'vitest';
import type { Json } from '../../../../core/json.ts';
import type { PollLimits, PollResult, SourceReader } from '../../../../plugins/api/source.ts';
import { datagenSource } from '../../../../plugins/sources/datagen-source.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { aPluginContext } from '../../../support/plugin-context.ts';

const LIMITS: PollLimits = { records: 10, bytes: 1_000_000, waitMs: 0 };
const NEVER = new AbortController().signal;

interface Opened {
  readonly keys?: Readonly<Record<string, string>>;
  readonly shard?: string;
  readonly checkpoint?: Json;
  readonly clock?: ManualClock;
}

function open({ keys = {}, shard = '0', checkpoint = null, clock = new ManualClock() }: Opened = {}): Promise<SourceReader> {
  const config = datagenSource.config.parse({ topic: 'orders', ...keys });
  return datagenSource.open(config, [shard], checkpoint, aPluginContext({ clock }));
}

async function pollOnce(opened: Opened, limits: Partial<PollLimits> = {}): Promise<PollResult> {
  return (await open(opened)).poll({ ...LIMITS, ...limits }, NEVER);
}

/** The value's fields, seen through the eyes of somebody who trusts the schema. */
function valuesOf({ records }: PollResult): readonly { id: bigint; key: string; payload: string; at: bigint }[] {
  return records.map(({ value }) => value.value as { id: bigint; key: string; payload: string; at: bigint });
}

describe('datagenSource', () => {
  test('makes records of the declared shape, at the position of their number', async () => {
    const { records, checkpoint } = await pollOnce({ keys: { 'record.bytes': '7' } }, { records: 2 });

    expect(records.map(({ topic, position }) => [topic, position])).toEqual([
      ['orders', [0n]],
      ['orders', [1n]],
    ]);
    expect(records[1]?.value.schema).toMatchObject({
      type: 'struct',
      fields: [{ name: 'id' }, { name: 'key' }, { name: 'payload' }, { name: 'at' }],
    });
    expect(records[1]?.value.value).toEqual({
      id: 1n,
      key: records[1]?.key.value,
      payload: expect.stringMatching(/^[a-z0-9]{7}$/),
      at: BigInt(records[1]?.timestampMs ?? 0),
    });
    expect(checkpoint).toEqual({ sequence: 2 });
  });

  test('gives other records for another seed, and for another shard', async () => {
    const base = valuesOf(await pollOnce({}));
    const reseeded = valuesOf(await pollOnce({ keys: { seed: '1' } }));
    const sibling = valuesOf(await pollOnce({ shard: '1', keys: { shards: '2' } }));

    expect(reseeded.map(({ payload }) => payload)).not.toEqual(base.map(({ payload }) => payload));
    expect(sibling.map(({ payload }) => payload)).not.toEqual(base.map(({ payload }) => payload));
  });

  test('gives ids that are unique among its shards', async () => {
    const ids = await Promise.all(['0', '1', '2'].map((shard) => pollOnce({ shard, keys: { shards: '3' } })));

    expect(new Set(ids.flatMap(valuesOf).map(({ id }) => id)).size).toBe(30);
  });

  test('uses as many keys as asked for', async () => {
    const values = valuesOf(await pollOnce({ keys: { 'key.count': '3' } }, { records: 200 }));

    expect(new Set(values.map(({ key }) => key))).toEqual(new Set(['key-0', 'key-1', 'key-2']));
  });

  test('spreads keys and payloads evenly enough', async () => {
    const keys = { 'key.count': '10', 'record.bytes': '8' };

    const values = valuesOf(await pollOnce({ keys }, { records: 10_000 }));

    const uses = Array.from({ length: 10 }, (_, key) => values.filter((value) => value.key === `key-${key}`).length);
    expect(Math.min(...uses)).toBeGreaterThan(800);
    expect(new Set(values.map(({ payload }) => payload)).size).toBe(256);
  });

  test('finishes behind the last of `record.count` records', async () => {
    const reader = await open({ keys: { 'record.count': '3' } });

    const first = await reader.poll({ ...LIMITS, records: 2 }, NEVER);
    const last = await reader.poll({ ...LIMITS, records: 2 }, NEVER);

    expect([first.records.length, first.finished]).toEqual([2, undefined]);
    expect([last.records.length, last.finished]).toEqual([1, true]);
  });

  test('finishes at once when the count was lowered below its checkpoint', async () => {
    const result = await pollOnce({ keys: { 'record.count': '3' }, checkpoint: { sequence: 5 } });

    expect(result).toEqual({ records: [], checkpoint: { sequence: 5 }, finished: true });
  });

  test('lists a finite shard only when it has a count', async () => {
    const discover = (keys: Readonly<Record<string, string>>) =>
      datagenSource.discover(datagenSource.config.parse({ topic: 'orders', ...keys }), aPluginContext());

    expect(await discover({ shards: '2' })).toEqual([
      { names: ['0'], finite: false },
      { names: ['1'], finite: false },
    ]);
    expect(await discover({ 'record.count': '1' })).toEqual([{ names: ['0'], finite: true }]);
  });

  test('takes a checkpoint that is not its own for a fault nobody can retry away', async () => {
    for (const checkpoint of [7, 'x', [], {}, { sequence: -1 }, { sequence: 1.5 }, { sequence: '1' }]) {
      await expect(open({ checkpoint })).rejects.toMatchObject({ name: 'FatalTaskError' });
    }
  });
});

describe('datagenSource with a rate', () => {
  test('gives the first record at once and says when the next is due', async () => {
    const reader = await open({ keys: { rate: '10' } });

    const first = await reader.poll(LIMITS, NEVER);
    const second = await reader.poll(LIMITS, NEVER);

    expect(first.records).toHaveLength(1);
    expect(second).toEqual({ records: [], checkpoint: { sequence: 1 }, idleForMs: 100 });
  });

  test('gives what has come due since', async () => {
    const clock = new ManualClock();
    const reader = await open({ keys: { rate: '10' }, clock });
    await reader.poll(LIMITS, NEVER);

    clock.advance(350);

    expect((await reader.poll(LIMITS, NEVER)).records).toHaveLength(3);
  });

  test('waits for the first record as long as it is allowed to', async () => {
    const clock = new ManualClock();
    const reader = await open({ keys: { rate: '10' }, clock });
    await reader.poll(LIMITS, NEVER);

    const patient = reader.poll({ ...LIMITS, waitMs: 1_000 }, NEVER);
    clock.advance(100);
    const impatient = patient.then(() => reader.poll({ ...LIMITS, waitMs: 40 }, NEVER));

    expect((await patient).records).toHaveLength(1);
    await patient;
    clock.advance(40);
    expect(await impatient).toMatchObject({ records: [], idleForMs: 60 });
  });

  test('always has a record due when it said so, whatever the rate', async () => {
    for (const rate of ['3', '7', '30', '999', '1001', '1234567']) {
      const clock = new ManualClock();
      const reader = await open({ keys: { rate }, clock });
      for (let polls = 0; polls < 100; polls += 1) {
        await reader.poll({ ...LIMITS, records: 10_000 }, NEVER);
        const { idleForMs = 0 } = await reader.poll({ ...LIMITS, records: 1 }, NEVER);

        clock.advance(idleForMs);

        expect((await reader.poll({ ...LIMITS, records: 1 }, NEVER)).records).toHaveLength(1);
      }
    }
  });
});
