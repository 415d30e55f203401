import { expect } from 'vitest';
import type { Case } from '../cases.ts';
import { created, key, type StoreUnderTest, versionOf } from './store-under-test.ts';

export function deletes(check: Case<StoreUnderTest>): void {
  check('deletes a document of the given version', [], async ({ store }) => {
    const version = await created(store, key, 'one');

    const answer = await store.delete(key, { ifVersion: version });

    expect(answer).toEqual({ deleted: true });
    expect(await store.get(key)).toBeNull();
  });

  check('keeps a document that has another version by now, and answers it', [], async ({ store }) => {
    const first = await created(store, key, 'one');
    const second = versionOf(await store.put(key, 'two', { ifVersion: first }));

    const answer = await store.delete(key, { ifVersion: first });

    expect(answer).toEqual({ conflict: true, current: { value: 'two', version: second } });
    expect(await store.get(key)).toEqual({ value: 'two', version: second });
  });

  check('deleting a document that is already gone succeeds', [], async ({ store }) => {
    const version = await created(store, key, 'one');
    await store.delete(key, { ifVersion: version });

    expect(await store.delete(key, { ifVersion: version })).toEqual({ deleted: true });
  });

  check('a version never returns when a document is deleted and created again', [], async ({ store }) => {
    const seen = new Set<string>();
    const rounds = 50;
    for (let round = 0; round < rounds; round += 1) {
      const first = await created(store, key, 'same');
      const second = versionOf(await store.put(key, 'same', { ifVersion: first }));
      await store.delete(key, { ifVersion: second });
      seen.add(first).add(second);
    }

    expect(seen.size).toBe(2 * rounds);
  });

  check('a writer from before a deletion cannot change the document created after it', [], async ({ store }) => {
    const stale = await created(store, key, 'one');
    await store.delete(key, { ifVersion: stale });
    const version = await created(store, key, 'one');

    const put = await store.put(key, 'zombie', { ifVersion: stale });
    const deletion = await store.delete(key, { ifVersion: stale });

    const current = { value: 'one', version };
    expect(put).toEqual({ conflict: true, current });
    expect(deletion).toEqual({ conflict: true, current });
    expect(await store.get(key)).toEqual(current);
  });
}
