import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLinearizable, type Operation } from '../../../../bench/api/linearizable.ts';

type Register = Operation<number>;

function write(value: number, calledAtMs: number, answeredAtMs: number): Register {
  return { calledAtMs, answeredAtMs, apply: () => value };
}

function read(value: number, calledAtMs: number, answeredAtMs: number): Register {
  return { calledAtMs, answeredAtMs, apply: (state) => (state === value ? state : undefined) };
}

describe('isLinearizable', () => {
  test('accepts a read that sees either side of a write it overlaps', () => {
    expect(isLinearizable(0, [write(1, 0, 10), read(0, 2, 4)])).toBe(true);
    expect(isLinearizable(0, [write(1, 0, 10), read(1, 2, 4)])).toBe(true);
  });

  test('refuses a read of what was overwritten before it was called', () => {
    expect(isLinearizable(0, [write(1, 0, 10), read(0, 11, 12)])).toBe(false);
  });

  test('refuses a value that goes back', () => {
    expect(isLinearizable(0, [write(1, 0, 10), read(1, 1, 2), read(0, 3, 4)])).toBe(false);
  });

  test('refuses a value that nobody wrote', () => {
    expect(isLinearizable(0, [read(7, 0, 1)])).toBe(false);
  });

  test('accepts whatever was done one after the other, however long the answers took, and refuses one wrong read in it', () => {
    const steps = fc.array(fc.record({ isWrite: fc.boolean(), early: fc.nat(30), late: fc.nat(30) }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, fc.nat(), (done, chosen) => {
        let value = 0;
        const history = done.map(({ isWrite, early, late }, index) => {
          const atMs = 10 * index;
          if (!isWrite) return read(value, atMs - early, atMs + late);
          value = index + 1;
          return write(value, atMs - early, atMs + late);
        });
        const wrong = read(-1, 10 * (chosen % history.length), 10 * history.length);

        expect(isLinearizable(0, history)).toBe(true);
        expect(isLinearizable(0, [...history, wrong])).toBe(false);
      }),
      { numRuns: 100 },
    );
  });
});
