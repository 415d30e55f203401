import { expect } from 'vitest';
import type { Case } from '../cases.ts';
import { created, key, pagesOf, type StoreUnderTest, sortsOf, versionOf } from './store-under-test.ts';

const DAY_MS = 86_400_000;

export function expiry(check: Case<StoreUnderTest>): void {
  async function expired({ store, clock }: StoreUnderTest): Promise<string> {
    const version = versionOf(await store.put(key, 'old', { ifAbsent: true }, { expiresAtMs: clock.nowMs() + DAY_MS }));
    clock.advance(DAY_MS);
    return version;
  }

  check('a document stays until its time has come', [], async ({ store, clock }) => {
    await store.put(key, 'old', { ifAbsent: true }, { expiresAtMs: clock.nowMs() + DAY_MS });

    clock.advance(DAY_MS - 1);

    expect((await store.get(key))?.value).toBe('old');
  });

  check('an expired document is gone for get', [], async (subject) => {
    await expired(subject);

    expect(await subject.store.get(key)).toBeNull();
  });

  check('an expired document is gone for list, which fills its pages with the others', [], async (subject) => {
    await expired(subject);
    for (const sort of ['a', 'z1', 'z2']) await created(subject.store, { partition: key.partition, sort }, sort);

    const pages = await pagesOf(subject.store, key.partition, 2);

    expect(pages.map((page) => sortsOf([page]))).toEqual([['a', 'z1'], ['z2']]);
  });

  check('an expired document is gone for a write on its version', [], async (subject) => {
    const version = await expired(subject);

    const answer = await subject.store.put(key, 'late', { ifVersion: version });

    expect(answer).toEqual({ conflict: true, current: null });
    expect(await subject.store.get(key)).toBeNull();
  });

  check('an expired document does not stand in the way of a new one', [], async (subject) => {
    const stale = await expired(subject);

    const version = await created(subject.store, key, 'new');

    expect(version).not.toBe(stale);
    subject.clock.advance(DAY_MS);
    expect(await subject.store.get(key)).toEqual({ value: 'new', version });
  });

  check('deleting an expired document succeeds, whatever the version', [], async (subject) => {
    await expired(subject);

    expect(await subject.store.delete(key, { ifVersion: 'another' })).toEqual({ deleted: true });
  });

  check('each write sets the expiry anew: without one the document stays', [], async ({ store, clock }) => {
    const first = versionOf(await store.put(key, 'old', { ifAbsent: true }, { expiresAtMs: clock.nowMs() + DAY_MS }));
    const version = versionOf(await store.put(key, 'kept', { ifVersion: first }));

    clock.advance(10 * DAY_MS);

    expect(await store.get(key)).toEqual({ value: 'kept', version });
  });
}
