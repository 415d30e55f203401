/** A store that counts what is asked of it. */
import type { StateStore } from '../core/ports.ts';

export interface StoreCounts {
  readonly gets: number;
  readonly puts: number;
  readonly deletes: number;
  readonly lists: number;
  /** That gets and lists answered. */
  readonly documentsRead: number;
}

export interface CountingStore {
  readonly store: StateStore;
  /** Since it was made. */
  counts(): StoreCounts;
}

export function countingStore(store: StateStore): CountingStore {
  const counts = { gets: 0, puts: 0, deletes: 0, lists: 0, documentsRead: 0 };
  return {
    counts: () => ({ ...counts }),
    store: {
      async get(key) {
        counts.gets += 1;
        const document = await store.get(key);
        if (document !== null) counts.documentsRead += 1;
        return document;
      },
      put(key, value, condition, options) {
        counts.puts += 1;
        return store.put(key, value, condition, options);
      },
      delete(key, condition) {
        counts.deletes += 1;
        return store.delete(key, condition);
      },
      async list(partition, page) {
        counts.lists += 1;
        const answer = await store.list(partition, page);
        counts.documentsRead += answer.documents.length;
        return answer;
      },
    },
  };
}
