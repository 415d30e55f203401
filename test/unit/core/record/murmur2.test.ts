import { describe, expect, test } from 'vitest';
import { murmur2 } from '../../../../core/record/murmur2.ts';
import { bytesOf } from '../../../support/log-records.ts';

/** What Kafka's own hash answers; its partitioner drops the sign bit. */
const KAFKA: readonly (readonly [text: string, hash: number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
];

describe('murmur2', () => {
  test.each(KAFKA)('of %s is what Kafka says', (text, hash) => {
    expect(murmur2(bytesOf(text))).toBe(hash & 0x7fffffff);
  });
});
