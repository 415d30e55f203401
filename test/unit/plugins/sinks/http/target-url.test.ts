import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Value } from '../../../../../core/record/schema.ts';
import { parseTargetUrl } from '../../../../../plugins/sinks/http/target-url.ts';
import { aSinkRecord } from '../../../../support/connect-records.ts';

/** What means something in a URL, more often than chance would have it. */
const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('.', '/', '\\', '%', '2e', '?', '#', '@', ':', '..', '\r\n'),
    fc.string({ unit: 'binary', maxLength: 1 }),
  ),
});

describe('parseTargetUrl', () => {
  test('a record changes neither the host of a URL nor the folder of its path', () => {
    fc.assert(
      fc.property(text, text, (key, field) => {
        const url = filled('https://example.com/a/${key}/${value.field}', { key, value: { field } });
        if (url === null) return;

        const { origin, pathname, search, hash } = new URL(url);

        const [, folder, first = '', second = '', ...more] = pathname.split('/');
        expect([origin, folder, search, hash, more]).toEqual(['https://example.com', 'a', '', '', []]);
        expect([decodeURIComponent(first), decodeURIComponent(second)]).toEqual([key, field]);
      }),
    );
  });

  test.each(['.', '..', '', null, '\ud800', { a: 1 }, ['a'], new Uint8Array(1), 'x'.repeat(8_000)])(
    'refuses a record with the key %j',
    (key) => {
      expect(filled('https://example.com/${key}', { key })).toBeNull();
    },
  );

  test.each(['../admin', 'a/../../admin', 'a/..', './a', '..\\admin', 'a\\..'])(
    'refuses a record with the key %j, which a server that decodes it first would take for a step upwards',
    (key) => {
      expect(filled('https://example.com/orders/${key}', { key })).toBeNull();
    },
  );

  test.each([
    ['https://example.com/.${key}', '.'],
    ['https://example.com/${key}${key}', '.'],
    ['https://example.com/%2e${key}/x', '.'],
    ['https://example.com/${key}?a=1', '..'],
  ])('refuses a record that makes a step upwards of %s', (url, key) => {
    expect(filled(url, { key })).toBeNull();
  });

  test.each([
    ['${key}', 9_007_199_254_740_993n, '9007199254740993'],
    ['${key}', true, 'true'],
    ['${key}', 1.5, '1.5'],
    ['${key.id}', { id: 'x' }, 'x'],
    ['${key.a.b}', { a: new Map([['b', 7]]) }, '7'],
    ['a?q=${key}', '..', 'a?q=..'],
    ['...${key}', '.', '....'],
    ['${key}', 'a/b..c/.d', 'a%2Fb..c%2F.d'],
  ] as const)('writes %s of %s as %s', (path, key, written) => {
    expect(filled(`https://example.com/${path}`, { key })).toBe(`https://example.com/${written}`);
  });

  test.each([
    ['${key.missing}', { key: { id: 1 } }],
    ['${key.toString}', { key: {} }],
    ['${key.a.b}', { key: { a: 'b' } }],
    ['${header.none}', {}],
    ['${tag}', {}],
  ])('refuses a record that lacks %s', (placeholder, record) => {
    expect(filled(`https://example.com/${placeholder}`, record)).toBeNull();
  });
});

/** `null`: the record was refused. */
function filled(template: string, { key = 'k', value = null }: { readonly key?: Value; readonly value?: Value }): string | null {
  const url = parseTargetUrl(template);
  if (typeof url === 'string') throw new Error(url);
  try {
    return url.of(aSinkRecord({ key: { schema: null, value: key }, value: { schema: null, value } }));
  } catch (error) {
    expect(error).toMatchObject({ name: 'RecordError' });
    return null;
  }
}
