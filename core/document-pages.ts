/** Reads a partition of the store from its beginning to its end, however many pages that takes. */
import type { DocumentPage, StateStore } from './ports.ts';

export type ListedDocument = DocumentPage['documents'][number];

/** One page is one call of the store, and one held in memory: half of what a store must be able to answer with. */
const PAGE_DOCUMENTS = 500;

/**
 * In ascending order of `sort`. The next page is read when the last document of this one is done with, so what is written
 * meanwhile behind the page in hand is still seen; who stops early reads no further one.
 *
 * @throws {RetryableError} `store.unavailable`, as `list` does.
 */
export async function* documentsIn(
  store: Pick<StateStore, 'list'>,
  partition: string,
  { pageDocuments = PAGE_DOCUMENTS }: { readonly pageDocuments?: number } = {},
): AsyncGenerator<ListedDocument, void, undefined> {
  let after: string | undefined;
  // As many turns as the partition has pages: who writes documents bounds them.
  do {
    const page = await store.list(partition, { limit: pageDocuments, ...(after === undefined ? {} : { after }) });
    yield* page.documents;
    after = page.next;
  } while (after !== undefined);
}
