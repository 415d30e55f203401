import { expect } from 'vitest';
import { heldWords, recordsOf, type SinkCase } from './sink-under-test.ts';

/** Each key ends at its newest version, whoever writes when. */
export function versionedCases(check: SinkCase): void {
  check('ends in the same state when a batch is delivered again', ['held'], async (sink) => {
    const batch = recordsOf(sink, 'a1 b1 a2');
    const writer = await sink.start();
    const first = await writer.put(batch);

    const second = await (await sink.start({ epoch: 2 })).put(batch);
    await writer.flush();

    expect([first.failures, second.failures]).toEqual([[], []]);
    expect(second.stale).toBeGreaterThan(0);
    expect(await heldWords(sink)).toBe('a2 b1');
  });

  check('ignores and counts what is older than what it holds', ['held'], async (sink) => {
    const writer = await sink.start();
    const older = recordsOf(sink, 'a1 b1', 0);
    const newer = recordsOf(sink, 'a2', 10);
    await writer.put(newer);

    const { failures, stale } = await writer.put(older);
    await writer.flush();

    expect([failures, stale]).toEqual([[], 1]);
    expect(await heldWords(sink)).toBe('a2 b1');
  });

  check('writes anew in a new generation, and takes nothing more from the old one', ['held'], async (sink) => {
    const old = await sink.start({ generation: 1 });
    await old.put(recordsOf(sink, 'a1', 10));

    const reset = await sink.start({ generation: 2 });
    await reset.put(recordsOf(sink, 'a2', 0));
    const { stale } = await old.put(recordsOf(sink, 'a3', 11));
    await old.flush();

    expect(stale).toBe(1);
    expect(await heldWords(sink)).toBe('a2');
  });

  check('tells versions apart that are beyond 2^53', ['held'], async (sink) => {
    const writer = await sink.start({ generation: 4_096 });
    const offset = 2 ** 43;
    await writer.put([sink.makeRecord({ key: 'a', text: '2', offset: offset + 1 })]);

    const { stale } = await writer.put([sink.makeRecord({ key: 'a', text: '1', offset })]);
    await writer.flush();

    expect(stale).toBe(1);
    expect(await heldWords(sink)).toBe('a2');
  });
}

/** Doubled at worst, and recognisable as doubled. */
export function appendCases(check: SinkCase): void {
  check('gives a record the same id when it is delivered again, and another record another', ['held'], async (sink) => {
    const batch = recordsOf(sink, 'a1 b1 a2');
    const writer = await sink.start();
    await writer.put(batch);

    await (await sink.start({ epoch: 2 })).put(batch);
    await writer.flush();

    const held = await sink.held();
    const byId = new Map(held.map(({ id, key, text }) => [id, key + text]));
    expect([...byId.values()].sort()).toEqual(['a1', 'a2', 'b1']);
    for (const { id, key, text } of held) {
      expect(id).toBeTypeOf('string');
      expect(byId.get(id)).toBe(key + text);
    }
  });
}

/** Each key ends at what was put last. */
export function overwriteCases(check: SinkCase): void {
  check('ends in the same state when a batch is delivered again', ['held'], async (sink) => {
    const batch = recordsOf(sink, 'a1 b1 a2');
    const writer = await sink.start();
    await writer.put(batch);

    const { failures } = await (await sink.start({ epoch: 2 })).put(batch);
    await writer.flush();

    expect(failures).toEqual([]);
    expect(await heldWords(sink)).toBe('a2 b1');
  });
}
