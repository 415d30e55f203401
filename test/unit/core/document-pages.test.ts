import { describe, expect, test } from 'vitest';
import { MemoryStateStore } from '../../../adapters/memory/memory-state-store.ts';
import { documentsIn, type ListedDocument } from '../../../core/document-pages.ts';
import type { StateStore } from '../../../core/ports.ts';
import { ManualClock } from '../../support/manual-clock.ts';

describe('documentsIn', () => {
  test.each([0, 1, 499, 500, 501, 1_203])('yields each of %i documents once, in their order', async (count) => {
    const { store, sorts } = await aStoreWith(count);

    const read: string[] = [];
    for await (const { key } of documentsIn(store, 'these')) read.push(key.sort);

    expect(read).toEqual(sorts);
  });

  test('yields what stands in a document, and none of another partition', async () => {
    const { store } = await aStoreWith(1);
    await store.put({ partition: 'others', sort: '0' }, 'other', { ifAbsent: true });

    const read: ListedDocument[] = [];
    for await (const document of documentsIn(store, 'these')) read.push(document);

    expect(read).toEqual([{ key: { partition: 'these', sort: '0000' }, value: 'value of 0000', version: expect.any(String) }]);
  });

  test('reads a page when it is needed, and none for whoever stops before', async () => {
    const { store, lists } = await aStoreWith(5);

    const read: string[] = [];
    for await (const { key } of documentsIn(store, 'these', { pageDocuments: 2 })) {
      read.push(key.sort);
      if (read.length === 3) break;
    }

    expect(read).toEqual(['0000', '0001', '0002']);
    expect(lists).toEqual([2, 2]);
  });

  test('goes on behind documents that are deleted meanwhile, and sees what comes behind them', async () => {
    const { store, sorts } = await aStoreWith(5);

    const read: string[] = [];
    for await (const { key, version } of documentsIn(store, 'these', { pageDocuments: 2 })) {
      read.push(key.sort);
      await store.delete(key, { ifVersion: version });
      if (read.length === 1) await store.put({ partition: 'these', sort: '9999' }, 'late', { ifAbsent: true });
    }

    expect(read).toEqual([...sorts, '9999']);
  });
});

/** `lists`: the limits of the pages that were asked for. */
async function aStoreWith(count: number) {
  const memory = new MemoryStateStore({ clock: new ManualClock() });
  const sorts = Array.from({ length: count }, (_, index) => String(index).padStart(4, '0'));
  for (const sort of sorts) await memory.put({ partition: 'these', sort }, `value of ${sort}`, { ifAbsent: true });
  const lists: number[] = [];
  const store: StateStore = {
    get: (key) => memory.get(key),
    put: (key, value, condition, options) => memory.put(key, value, condition, options),
    delete: (key, condition) => memory.delete(key, condition),
    list: (partition, page) => {
      lists.push(page.limit);
      return memory.list(partition, page);
    },
  };
  return { store, sorts, lists };
}
