import { expect } from 'vitest';
import { RetryableError } from '../../../core/errors.ts';
import type { DocumentKey, StateStore } from '../../../core/ports.ts';
import type { Case } from '../cases.ts';
import { created, key, type StoreUnderTest, versionOf } from './store-under-test.ts';

const other: DocumentKey = { partition: 'cursors', sort: 'orders/1' };

export function puts(check: Case<StoreUnderTest>): void {
  check('a document that was never written is null', [], async ({ store }) => {
    expect(await store.get(key)).toBeNull();
  });

  check('a written document is read back with the version that the write answered', [], async ({ store }) => {
    const version = await created(store, key, 'one');

    expect(await store.get(key)).toEqual({ value: 'one', version });
  });

  check('a write on the current version replaces the value and gives a new version', [], async ({ store }) => {
    const first = await created(store, key, 'one');

    const second = versionOf(await store.put(key, 'two', { ifVersion: first }));

    expect(second).not.toBe(first);
    expect(await store.get(key)).toEqual({ value: 'two', version: second });
  });

  check('writing an equal value gives a new version too', [], async ({ store }) => {
    const first = await created(store, key, 'one');

    const second = versionOf(await store.put(key, 'one', { ifVersion: first }));

    expect(second).not.toBe(first);
  });

  check('a write on an older version changes nothing and answers the current document', [], async ({ store }) => {
    const first = await created(store, key, 'one');
    const second = versionOf(await store.put(key, 'two', { ifVersion: first }));

    const answer = await store.put(key, 'late', { ifVersion: first });

    expect(answer).toEqual({ conflict: true, current: { value: 'two', version: second } });
    expect(await store.get(key)).toEqual({ value: 'two', version: second });
  });

  check('a write on a version of a document that is gone answers null and creates nothing', [], async ({ store }) => {
    const version = await created(store, key, 'one');
    await store.delete(key, { ifVersion: version });

    const answer = await store.put(key, 'late', { ifVersion: version });

    expect(answer).toEqual({ conflict: true, current: null });
    expect(await store.get(key)).toBeNull();
  });

  check('creating a document that exists changes nothing and answers it', [], async ({ store }) => {
    const version = await created(store, key, 'one');

    const answer = await store.put(key, 'again', { ifAbsent: true });

    expect(answer).toEqual({ conflict: true, current: { value: 'one', version } });
    expect(await store.get(key)).toEqual({ value: 'one', version });
  });

  check('a version holds for its own key only', [], async ({ store }) => {
    const version = await created(store, key, 'one');
    const otherVersion = await created(store, other, 'other');

    const answer = await store.put(other, 'stray', { ifVersion: version });

    expect(version).not.toBe(otherVersion);
    expect(answer).toEqual({ conflict: true, current: { value: 'other', version: otherVersion } });
  });

  check('a write whose reply was lost is recognised when it is sent again', [], async ({ store }) => {
    const version = await created(store, key, 'one');
    const lossy = losingFirstReply(store);
    await expect(lossy.put(key, 'two', { ifVersion: version })).rejects.toThrow(RetryableError);

    const answer = await lossy.put(key, 'two', { ifVersion: version });

    const current = await store.get(key);
    expect(current?.value).toBe('two');
    expect(answer).toEqual({ conflict: true, current });
  });

  check('a creation whose reply was lost is recognised when it is sent again', [], async ({ store }) => {
    const lossy = losingFirstReply(store);
    await expect(lossy.put(key, 'mine', { ifAbsent: true })).rejects.toThrow(RetryableError);

    const answer = await lossy.put(key, 'mine', { ifAbsent: true });

    const current = await store.get(key);
    expect(current?.value).toBe('mine');
    expect(answer).toEqual({ conflict: true, current });
  });
}

/** Applies the first write and loses its reply, as a network does. */
function losingFirstReply(store: StateStore): Pick<StateStore, 'put'> {
  let lost = false;
  return {
    async put(...write) {
      const answer = await store.put(...write);
      if (lost) return answer;
      lost = true;
      throw new RetryableError('reply lost', { code: 'store.unavailable' });
    },
  };
}
