import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SortedMap } from '../../../../adapters/memory/sorted-map.ts';

const text = fc.string({
  unit: fc.constantFrom('', '\0', 'a', 'b', 'é', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'),
});

describe('SortedMap', () => {
  test('holds what was set last, in the order of UTF-8 bytes, whatever was set and deleted', () => {
    const step = fc.record({ key: text, value: fc.option(fc.nat()) });

    fc.assert(
      fc.property(fc.array(step), text, (steps, after) => {
        const sorted = new SortedMap<number>();
        const expected = new Map<string, number>();
        for (const { key, value } of steps) {
          if (value === null) sorted.delete(key);
          else sorted.set(key, value);
          if (value === null) expected.delete(key);
          else expected.set(key, value);
        }

        const ascending = [...expected].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect([...sorted.entriesAfter(undefined)]).toEqual(ascending);
        expect([...sorted.entriesAfter(after)]).toEqual(
          ascending.filter(([key]) => Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0),
        );
      }),
    );
  });
});
