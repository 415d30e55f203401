import { assert } from './assert.ts';

/** Position of a record in its message queue; 64 bits, so never a `number`. JSON holds it as decimal digits. */
export type Offset = bigint & { readonly __brand: 'Offset' };

/** The longest a RocketMQ (and Kafka) offset can be: a signed 64-bit integer. */
const OFFSET_MAX = 2n ** 63n - 1n;

export function offset(value: bigint | number): Offset {
  const big = BigInt(value);
  assert(big >= 0n && big <= OFFSET_MAX, `offset out of range: ${big}`);
  return big as Offset;
}

/** Adds a record count; the caller knows the sum is in range. */
export function advance(from: Offset, records: bigint | number): Offset {
  return (from + BigInt(records)) as Offset;
}

export function minOffset(a: Offset, b: Offset): Offset {
  return a < b ? a : b;
}

export function maxOffset(a: Offset, b: Offset): Offset {
  return a > b ? a : b;
}

/** Records between two offsets, never below zero; a `number`, for metrics and limits only. */
export function recordsBetween(start: Offset, end: Offset): number {
  return end > start ? Number(end - start) : 0;
}
