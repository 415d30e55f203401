/**
 * The version of a record for a `versioned` target: it grows along the queue, and every generation begins above all versions of
 * the ones before, so that what a reset delivers again counts as new.
 */
import { assert } from '../../core/assert.ts';
import type { ConnectRecord } from '../../core/record/connect-record.ts';
import type { SliceIdentity } from './sink.ts';

/**
 * Bits below the generation: 17 thousand billion offsets fit one generation, and half a million generations fit the signed
 * 64 bits that targets keep versions in.
 */
const OFFSET_BITS = 44n;

/** Send it as digits, `String(version)`: most are beyond what a `number` holds. Of a record that was read from a log. */
export function recordVersion({ log }: ConnectRecord, { generation }: Pick<SliceIdentity, 'generation'>): bigint {
  assert(log !== null, 'a version is made of an offset');
  assert(log.offset >> OFFSET_BITS === 0n, `offset ${log.offset} would reach into the next generation`);
  return (BigInt(generation) << OFFSET_BITS) + log.offset;
}
