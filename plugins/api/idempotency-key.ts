/**
 * What tells a receiver that it has seen a request before: the place of its records. A record always has the same key, which is
 * also its id in a dead-letter topic.
 */
import type { ConnectRecord } from '../../core/record/connect-record.ts';
import { formatPosition } from '../../core/record/position.ts';
import type { SliceIdentity } from './sink.ts';

/** `null` for records of a source that does not order them. */
export function idempotencyKey(
  { shard, generation }: Pick<SliceIdentity, 'shard' | 'generation'>,
  records: readonly ConnectRecord[],
): string | null {
  const [first, last] = [placeOf(records[0]), placeOf(records.at(-1))];
  if (first === null || last === null) return null;
  const place = records.length === 1 ? first : `${first}-${last}${isWhole(records) ? '' : `:${records.length}`}`;
  return `${shard}/${generation}/${place}`;
}

function placeOf(record: ConnectRecord | undefined): string | null {
  if (record === undefined) return null;
  if (record.log !== null) return String(record.log.offset);
  return record.position === null ? null : formatPosition(record.position);
}

/** With a gap, as filters leave it, the count tells it from the same stretch without one. */
function isWhole(records: readonly ConnectRecord[]): boolean {
  const [first, last] = [records[0]?.log, records.at(-1)?.log];
  return first != null && last != null && last.offset - first.offset === BigInt(records.length - 1);
}
