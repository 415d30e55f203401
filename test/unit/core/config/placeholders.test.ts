import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  hasPlaceholder,
  placeholderOf,
  referencesIn,
  SECRET_PROVIDERS,
  withValues,
} from '../../../../core/config/placeholders.ts';

/** Of Kafka's `ConfigTransformer`. */
const KAFKAS = /\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}/g;

describe('placeholders', () => {
  test.each([
    ['${env:DB_PASSWORD}', [{ provider: 'env', path: '', key: 'DB_PASSWORD' }]],
    ['${file:/run/db.properties:user.name}', [{ provider: 'file', path: '/run/db.properties', key: 'user.name' }]],
    ['${dir:/run/secrets:password}', [{ provider: 'dir', path: '/run/secrets', key: 'password' }]],
    ['${file:/a:b:c}', [{ provider: 'file', path: '/a', key: 'b:c' }]],
    [
      'mysql://${env:USER}:${env:PASSWORD}@host/db',
      [
        { provider: 'env', path: '', key: 'USER' },
        { provider: 'env', path: '', key: 'PASSWORD' },
      ],
    ],
  ])('are found in %s', (text, references) => {
    expect(referencesIn(text)).toEqual(references);
    expect(references.every((reference) => text.includes(placeholderOf(reference)))).toBe(true);
  });

  test.each([
    '${topic}',
    '${file}',
    '${vault:a:b}',
    '${ENV:A}',
    '$env:A',
    '${env:A',
    '{env:A}',
    '${env',
    '${:A}',
    '${a ${env:A}',
  ])('are not found in %s', (text) => {
    expect(hasPlaceholder(text)).toBe(false);
    expect(withValues(text, () => 'value')).toBe(text);
  });

  test('are replaced once: what they stand for is text', () => {
    const text = withValues('<${env:A}-${env:B}-${topic}>', ({ key }) => `\${env:${key}${key}}`);

    expect(text).toBe('<${env:AA}-${env:BB}-${topic}>');
  });

  test("are those of Kafka's pattern, in any text", () => {
    const piece = fc.constantFrom(
      '$',
      '{',
      '}',
      ':',
      '${',
      'env',
      'file',
      'dir',
      'x',
      '/',
      ' ',
      '\n',
      '${env:A}',
      '${file:/p:k}',
    );
    const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));

    fc.assert(
      fc.property(text, (any) => {
        const kafkas = [...any.matchAll(KAFKAS)].filter(([, name]) => SECRET_PROVIDERS.some((provider) => provider === name));

        expect(referencesIn(any)).toEqual(kafkas.map(([, provider, , path = '', key]) => ({ provider, path, key })));
      }),
      { numRuns: 2_000 },
    );
  });

  test('are looked for once in a text that only begins them', () => {
    const startedAtMs = performance.now();

    expect(hasPlaceholder('${env:'.repeat(100_000))).toBe(false);

    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
  });
});
