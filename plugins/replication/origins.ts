/**
 * Keeps copies from going round and round between clusters. Each copy says where it has been: the clusters it was copied from, the
 * oldest first, in one property. Whoever copies from A to B leaves out what has been in B, for B has it, and what has been in A
 * before, for then it came round to A again, and was copied when it was first there.
 */
import type { LogHeaders } from '../../core/record/connect-record.ts';
import { POSITION_HEADER, SOURCE_HEADER } from '../../core/record/position-headers.ts';

const ORIGINS_HEADER = 'sortie.origins';

/** The place of a record in what it was copied from, for whoever receives it twice. */
export const ID_HEADER = 'sortie.id';

/** From one cluster to another. */
export interface Passage {
  readonly from: string;
  readonly to: string;
}

/** More clusters than anybody chains up. It bounds what a name that is not always the same could make grow. */
const ORIGINS_MAX = 16;

/** What tells of an earlier copying, and nothing of this one. */
const EARLIER: readonly string[] = [SOURCE_HEADER, POSITION_HEADER, ID_HEADER, ORIGINS_HEADER];

/** The headers of a copy, without those of an earlier copying; `null`: the record is not copied. */
export function headersOfCopy(headers: LogHeaders, passage: Passage | null): LogHeaders | null {
  const origins = originsIn(headers);
  const own = headers.some(([name]) => EARLIER.includes(name)) ? headers.filter(([name]) => !EARLIER.includes(name)) : headers;
  if (passage === null) return origins.length === 0 ? own : [...own, [ORIGINS_HEADER, origins.join(',')]];
  const { from, to } = passage;
  if (origins.includes(to) || origins.includes(from) || origins.length >= ORIGINS_MAX) return null;
  return [...own, [ORIGINS_HEADER, [...origins, from].join(',')]];
}

function originsIn(headers: LogHeaders): readonly string[] {
  const origins = headers.findLast(([name]) => name === ORIGINS_HEADER)?.[1] ?? '';
  return origins === '' ? [] : origins.split(',');
}
