import { assert } from '../core/assert.ts';

/** The most one page of documents holds, by the contract of `StateStore`. */
const PAGE_DOCUMENTS_MAX = 1_000;

/** @throws {AssertionError} when a store is asked for an empty or an unbounded page. */
export function assertPageLimit(limit: number): void {
  assert(
    Number.isInteger(limit) && limit >= 1 && limit <= PAGE_DOCUMENTS_MAX,
    `a page holds 1..${PAGE_DOCUMENTS_MAX} documents, not ${limit}`,
  );
}
