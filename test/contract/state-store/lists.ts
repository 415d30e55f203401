import { expect } from 'vitest';
import type { Case } from '../cases.ts';
import { created, key, pagesOf, type StoreUnderTest, sortsOf } from './store-under-test.ts';

/** Texts that a store might confuse: by case, by Unicode form, by what escapes, quotes, separates or matches elsewhere. */
const LOOK_ALIKES = [
  'a',
  'a/',
  'a/b',
  'A',
  'a%2Fb',
  'a\u0000',
  'a\u0000b',
  "a'b",
  'a"b',
  'a b',
  'a\nb',
  'é',
  'e\u0301',
  '\u{1f600}',
  '*',
  '%',
];

export function lists(check: Case<StoreUnderTest>): void {
  check('a partition without documents is one empty page', [], async ({ store }) => {
    await created(store, key, 'one');

    expect(await store.list('nothing here', { limit: 10 })).toEqual({ documents: [] });
  });

  check('lists documents with their keys and versions', [], async ({ store }) => {
    const version = await created(store, key, 'one');

    expect(await store.list(key.partition, { limit: 10 })).toEqual({ documents: [{ key, value: 'one', version }] });
  });

  check('pages through thousands of documents, each once, in order', [], async ({ store }) => {
    const sorts = Array.from({ length: 2_500 }, (_, index) => `shard ${index}`);
    await Promise.all(sorts.map((sort) => created(store, { partition: 'many', sort }, sort)));

    const pages = await pagesOf(store, 'many', 1_000);

    expect(pages.map(({ documents }) => documents.length)).toEqual([1_000, 1_000, 500]);
    expect(sortsOf(pages)).toEqual(sorts.sort());
  });

  check('the last page bears no next, also when it is full', [], async ({ store }) => {
    for (const sort of ['a', 'b', 'c', 'd']) await created(store, { partition: 'four', sort }, sort);

    const pages = await pagesOf(store, 'four', 2);

    expect(pages.map(({ documents }) => documents.length)).toEqual([2, 2]);
  });

  check('orders by the UTF-8 bytes of the sort key', [], async ({ store }) => {
    const ascending = ['A', 'B', 'a', 'aa', 'b', '~', 'é', '\u{fffd}', '\u{10000}', '\u{1f600}'];
    for (const sort of ascending.toReversed()) await created(store, { partition: 'order', sort }, sort);

    expect(sortsOf(await pagesOf(store, 'order', 3))).toEqual(ascending);
  });

  check('keeps partitions apart whatever characters they hold', [], async ({ store }) => {
    for (const partition of LOOK_ALIKES) await created(store, { partition, sort: 'b' }, partition);

    const found = await Promise.all(LOOK_ALIKES.map((partition) => store.list(partition, { limit: 10 })));

    expect(found.map(({ documents }) => documents.map(({ value }) => value))).toEqual(
      LOOK_ALIKES.map((partition) => [partition]),
    );
  });

  check('keeps sort keys apart whatever characters they hold', [], async ({ store }) => {
    for (const sort of LOOK_ALIKES) await created(store, { partition: 'odd', sort }, sort);

    const found = await Promise.all(LOOK_ALIKES.map((sort) => store.get({ partition: 'odd', sort })));

    expect(found.map((document) => document?.value)).toEqual(LOOK_ALIKES);
    expect(sortsOf(await pagesOf(store, 'odd', 5)).sort()).toEqual(LOOK_ALIKES.toSorted());
  });

  check('inserting and deleting between pages neither hides nor repeats the other documents', [], async ({ store }) => {
    const sorts = ['b', 'd', 'f', 'h'];
    const versions = new Map<string, string>();
    for (const sort of sorts) versions.set(sort, await created(store, { partition: 'moving', sort }, sort));

    const first = await store.list('moving', { limit: 2 });
    for (const sort of ['a', 'c', 'e', 'g']) await created(store, { partition: 'moving', sort }, sort);
    await store.delete({ partition: 'moving', sort: 'd' }, { ifVersion: versions.get('d') ?? '' });
    const rest = await pagesOf(store, 'moving', 2, first.next);

    expect(sortsOf([first])).toEqual(['b', 'd']);
    expect(sortsOf(rest)).toEqual(['e', 'f', 'g', 'h']);
  });

  check('refuses a page of no or of more than 1000 documents', [], async ({ store }) => {
    await expect(store.list('any', { limit: 0 })).rejects.toThrow('1..1000');
    await expect(store.list('any', { limit: 1_001 })).rejects.toThrow('1..1000');
  });
}
