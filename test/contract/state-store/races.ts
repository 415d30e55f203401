import { expect } from 'vitest';
import type { Case } from '../cases.ts';
import { created, key, type StoreUnderTest, versionOf } from './store-under-test.ts';

export function races(check: Case<StoreUnderTest>): void {
  const writers = Array.from({ length: 32 }, (_, index) => index);
  const incrementsEach = 8;

  check('of 32 racing writers exactly one wins each version, and no increment is lost', [], async ({ store }) => {
    await created(store, key, '0');
    const wonVersions: string[] = [];

    async function increment(): Promise<void> {
      let current = await store.get(key);
      // Each round ends with somebody's win, so nobody needs more rounds than there are wins.
      for (let round = 0; current !== null && round <= writers.length * incrementsEach; round += 1) {
        const base = current.version;
        const answer = await store.put(key, String(Number(current.value) + 1), { ifVersion: base });
        if (!('conflict' in answer)) {
          wonVersions.push(base);
          return;
        }
        current = answer.current;
      }
      throw new Error('never won');
    }
    await Promise.all(
      writers.map(async () => {
        for (let count = 0; count < incrementsEach; count += 1) await increment();
      }),
    );

    const wins = writers.length * incrementsEach;
    expect(wonVersions).toHaveLength(wins);
    expect(new Set(wonVersions).size).toBe(wins);
    expect((await store.get(key))?.value).toBe(String(wins));
  });

  check('of 32 racing creators exactly one wins, and the others are answered its document', [], async ({ store }) => {
    const answers = await Promise.all(writers.map((writer) => store.put(key, `writer ${writer}`, { ifAbsent: true })));

    const current = await store.get(key);
    const losers = answers.filter((answer) => 'conflict' in answer);
    expect(losers).toEqual(Array.from({ length: 31 }, () => ({ conflict: true, current })));
    expect(answers).toContainEqual({ version: current?.version });
  });

  check('every acknowledged write is seen by the reads that begin after it', [], async ({ store }) => {
    let version = await created(store, key, '0');
    const seen: (string | undefined)[] = [];
    for (let round = 1; round <= 20; round += 1) {
      version = versionOf(await store.put(key, String(round), { ifVersion: version }));
      const [document, page] = await Promise.all([store.get(key), store.list(key.partition, { limit: 10 })]);
      seen.push(document?.value, page.documents[0]?.value);
    }

    expect(seen).toEqual(Array.from({ length: 40 }, (_, index) => String(Math.floor(index / 2) + 1)));
  });
}
