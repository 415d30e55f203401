import { expect } from 'vitest';
import { FatalTaskError } from '../../../core/errors.ts';
import { type Json, jsonEquals } from '../../../core/json.ts';
import { comparePositions } from '../../../core/record/position.ts';
import { identityOf, LIMITS, NEVER, pollToEnd, recordsIn, type SourceCase } from './source-under-test.ts';

/** What the store keeps of a checkpoint at most. */
const CHECKPOINT_BYTES_MAX = 16 * 1_024;

/** Longer than any test runs. */
const TOO_LONG_MS = 3_600_000;

export function pollingCases(check: SourceCase): void {
  check('gives every record of a shard, from the beginning to the end', [], async ({ shards, open }) => {
    for (const shard of await shards()) {
      const records = recordsIn(await pollToEnd(await open(shard, null)));

      expect(records.length).toBeGreaterThanOrEqual(5);
    }
  });

  check('goes on behind each of its checkpoints with the same records, at the same positions', [], async ({ shards, open }) => {
    for (const shard of await shards()) {
      const results = await pollToEnd(await open(shard, null));
      for (const [index, { checkpoint }] of results.entries()) {
        const rest = await pollToEnd(await open(shard, stored(checkpoint)));

        expect(recordsIn(rest).map(identityOf)).toEqual(recordsIn(results.slice(index + 1)).map(identityOf));
      }
    }
  });

  check('gives again what was polled and not committed', [], async ({ shards, open }) => {
    for (const shard of await shards()) {
      const reader = await open(shard, null);
      const { checkpoint } = await reader.poll(LIMITS, NEVER);
      const lost = await reader.poll(LIMITS, NEVER);
      await reader.close();

      const again = await (await open(shard, stored(checkpoint))).poll(LIMITS, NEVER);

      expect(again.records.map(identityOf)).toEqual(lost.records.map(identityOf));
      expect(again.checkpoint).toEqual(lost.checkpoint);
    }
  });

  check('gives at most as many records as asked for', [], async ({ shards, open }) => {
    for (const shard of await shards()) {
      for (const records of [1, 2, 7]) {
        const results = await pollToEnd(await open(shard, null), { ...LIMITS, records });

        expect(Math.max(...results.map((result) => result.records.length))).toBeLessThanOrEqual(records);
      }
    }
  });

  check('gives one record at a time where the limit of bytes leaves no room, and all of them', [], async ({ shards, open }) => {
    for (const shard of await shards()) {
      const all = await pollToEnd(await open(shard, null));

      const oneByOne = await pollToEnd(await open(shard, null), { ...LIMITS, bytes: 1 });

      expect(Math.max(...oneByOne.map(({ records }) => records.length))).toBe(1);
      expect(recordsIn(oneByOne).map(identityOf)).toEqual(recordsIn(all).map(identityOf));
    }
  });

  check('gives checkpoints of JSON that the store takes', [], async ({ shards, open }) => {
    for (const shard of await shards()) {
      for (const { checkpoint } of await pollToEnd(await open(shard, null))) {
        expect(jsonEquals(stored(checkpoint), checkpoint)).toBe(true);
        expect(Buffer.byteLength(JSON.stringify(checkpoint))).toBeLessThanOrEqual(CHECKPOINT_BYTES_MAX);
      }
    }
  });

  check('finishes a finite shard, once and for all, and no other', [], async ({ discover, open }) => {
    for (const { names, finite } of await discover()) {
      const reader = await open(names, null);

      const last = (await pollToEnd(reader)).at(-1);
      const after = await reader.poll(LIMITS, NEVER);
      const reopened = await (await open(names, stored(last?.checkpoint ?? null))).poll(LIMITS, NEVER);

      for (const result of [last, after, reopened]) expect(result?.finished === true).toBe(finite);
      expect([after.records, reopened.records]).toEqual([[], []]);
    }
  });

  check('ends a waiting poll that is aborted, and blames nobody', [], async ({ shards, open }) => {
    for (const shard of await shards()) {
      const reader = await open(shard, null);
      await pollToEnd(reader);
      const abort = new AbortController();

      const polling = reader.poll({ ...LIMITS, waitMs: TOO_LONG_MS }, abort.signal).catch((error: unknown) => error);
      abort.abort();

      expect(await polling).not.toBeInstanceOf(FatalTaskError);
      await expect(reader.close()).resolves.toBeUndefined();
    }
  });

  check('closes a reader that was never used', [], async ({ shards, open }) => {
    const [shard = []] = await shards();

    const reader = await open(shard, null);

    await expect(reader.close()).resolves.toBeUndefined();
  });
}

/** What a source that declares `exactlyOnce` promises. */
export function positionCases(check: SourceCase): void {
  check('gives each record a position larger than the one before', [], async ({ shards, open }) => {
    for (const shard of await shards()) {
      const positions = recordsIn(await pollToEnd(await open(shard, null))).map(({ position = [] }) => position);

      for (const position of positions) expect(position.length).toBeGreaterThan(0);
      for (const [index, position] of positions.slice(1).entries()) {
        expect(comparePositions(positions[index] ?? [], position)).toBeLessThan(0);
      }
    }
  });
}

/** As it comes back from the store. */
function stored(checkpoint: Json): Json {
  return JSON.parse(JSON.stringify(checkpoint)) as Json;
}
