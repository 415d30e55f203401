import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findProperty, isPropertyText, isReservedProperty, readProperties } from '../../../../clients/rocketmq/properties.ts';

const text = fc.string({ unit: 'grapheme' }).filter(isPropertyText);

function bytesOf(pairs: readonly (readonly [string, string])[]): Buffer {
  return Buffer.from(pairs.map(([name, value]) => `${name}\u0001${value}\u0002`).join(''));
}

function find(bytes: Buffer, name: string): string | null {
  const place = findProperty(bytes, { at: 0, end: bytes.length }, Buffer.from(name));
  return place === null ? null : bytes.toString('utf8', place.at, place.end);
}

describe('findProperty', () => {
  test('finds each property among others, the last of a name', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text)), text, (pairs, other) => {
        const bytes = bytesOf(pairs);

        for (const name of [...pairs.map(([each]) => each), other]) {
          expect(find(bytes, name)).toBe(new Map(pairs).get(name) ?? null);
        }
      }),
    );
  });

  test('takes no longer name for a shorter one, and a last one without its end', () => {
    const bytes = Buffer.from('KEYS2\u0001a\u0002XKEYS\u0001b\u0002KEYS\u0001c');

    expect(find(bytes, 'KEYS')).toBe('c');
    expect(find(bytes, 'KEY')).toBe(null);
  });

  test('looks no further than it may', () => {
    const bytes = Buffer.from('a\u0001b\u0002KEYS\u0001c\u0002');

    expect(findProperty(bytes, { at: 0, end: 4 }, Buffer.from('KEYS'))).toBe(null);
  });
});

describe('readProperties', () => {
  test('reads all, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text)), (pairs) => {
        const bytes = bytesOf(pairs);

        expect(readProperties(bytes, { at: 0, end: bytes.length })).toEqual(pairs);
      }),
    );
  });
});

describe('isReservedProperty', () => {
  test('knows the names of RocketMQ', () => {
    expect(['KEYS', 'TAGS', 'UNIQ_KEY', '__SHARDINGKEY', 'TIMER_DELIVER_MS', '1ST_POP_TIME'].every(isReservedProperty)).toBe(
      true,
    );
    expect(['keys', 'color', '_x', ''].some(isReservedProperty)).toBe(false);
  });
});
