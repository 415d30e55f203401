import { describe, expect, it } from 'vitest';
import { fieldOf, isStruct, type StructBuilder, setField } from '../../../../core/record/struct.ts';

describe('setField', () => {
  it.each(['__proto__', 'constructor', 'toString', 'a'])('makes an own field of %s', (name) => {
    const struct: StructBuilder = {};

    setField(struct, name, { polluted: true });

    expect(Object.keys(struct)).toStrictEqual([name]);
    expect(Object.getPrototypeOf(struct)).toBe(Object.prototype);
    expect(fieldOf(struct, name)).toStrictEqual({ polluted: true });
    expect('polluted' in {}).toBe(false);
  });
});

describe('fieldOf', () => {
  it.each(['__proto__', 'constructor', 'toString'])('finds no %s that a struct does not have itself', (name) => {
    expect(fieldOf({}, name)).toBeUndefined();
  });
});

describe('isStruct', () => {
  it('is true for plain objects alone', () => {
    expect([{}, { a: 1 }].every(isStruct)).toBe(true);
    expect([null, 1, 1n, 'a', true, [], new Map(), new Uint8Array()].some(isStruct)).toBe(false);
  });
});
