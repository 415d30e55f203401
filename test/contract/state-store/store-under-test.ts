import type { DocumentKey, DocumentPage, StateStore } from '../../../core/ports.ts';
import type { ManualClock } from '../../support/manual-clock.ts';

export interface OpenStore {
  readonly store: StateStore;
  close(): Promise<void>;
}

export interface StoreUnderTest extends OpenStore {
  /** What the store takes the time from. */
  readonly clock: ManualClock;
}

export const key: DocumentKey = { partition: 'cursors', sort: 'orders/0' };

export async function created(store: StateStore, at: DocumentKey, value: string): Promise<string> {
  return versionOf(await store.put(at, value, { ifAbsent: true }));
}

export function versionOf(answer: Awaited<ReturnType<StateStore['put']>>): string {
  if ('conflict' in answer) throw new Error(`conflict with ${JSON.stringify(answer.current)}`);
  return answer.version;
}

export async function pagesOf(store: StateStore, partition: string, limit: number, from?: string): Promise<DocumentPage[]> {
  const pages: DocumentPage[] = [];
  let after = from;
  do {
    const page = await store.list(partition, after === undefined ? { limit } : { limit, after });
    pages.push(page);
    after = page.next;
  } while (after !== undefined);
  return pages;
}

export function sortsOf(pages: readonly DocumentPage[]): string[] {
  return pages.flatMap(({ documents }) => documents.map(({ key: { sort } }) => sort));
}
