import { assert } from '../core/assert.ts';
import type { DocumentKey } from '../core/ports.ts';

/** 256 KB, by the contract of `StateStore`. Characters are counted, since counting bytes would cost every write a pass. */
const DOCUMENT_CHARACTERS_MAX = 262_144;

/** @throws {AssertionError} when a document is larger than any store has to keep. */
export function assertDocumentFits(value: string, { partition, sort }: DocumentKey): void {
  assert(
    value.length <= DOCUMENT_CHARACTERS_MAX,
    `a document holds up to ${DOCUMENT_CHARACTERS_MAX} characters, not ${value.length}: ${partition} ${sort}`,
  );
}
