import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PropertiesSyntaxError, parseProperties } from '../../../core/properties.ts';

/** Of the documentation of `java.util.Properties.load`, and the corners of it. */
const ACCORDING_TO_JAVA: readonly (readonly [what: string, text: string, properties: Readonly<Record<string, string>>])[] = [
  ['=, : and blanks between key and value', 'a=1\nb:2\nc 3\nd = 4\ne\t:\f5', { a: '1', b: '2', c: '3', d: '4', e: '5' }],
  ['only the first separator', 'url=jdbc:mysql://h?a=b\nx==y\ny =:z', { url: 'jdbc:mysql://h?a=b', x: '=y', y: ':z' }],
  ['escaped separators in a key', 'a\\=b\\:c\\ d=1', { 'a=b:c d': '1' }],
  ['comments and empty lines', '# a=1\n  ! b=2\n\n \t\nc=3 # not one', { c: '3 # not one' }],
  ['a comment that does not go on', '# a \\\nb=1', { b: '1' }],
  ['lines that go on', 'fruits = apple, \\\n         pear, \\\r\n   plum', { fruits: 'apple, pear, plum' }],
  ['a key that goes on', 'a\\\n  b=1', { ab: '1' }],
  ['a backslash before the end that is escaped', 'a=1\\\\\nb=2', { a: '1\\', b: '2' }],
  ['a backslash at the very end', 'a=1\\', { a: '1' }],
  ['all line ends', 'a=1\rb=2\r\nc=3\nd=4', { a: '1', b: '2', c: '3', d: '4' }],
  ['escapes', 'a=\\t\\n\\r\\f\\\\\\"\\q', { a: '\t\n\r\f\\"q' }],
  ['unicode escapes', 'gr\\u00f6\\u00DFe=\\uD83D\\uDE80 größe', { größe: '🚀 größe' }],
  ['blanks behind a value', 'a= 1 \t', { a: '1 \t' }],
  ['keys without a value', 'a\nb=\nc:', { a: '', b: '', c: '' }],
  ['a key twice', 'a=1\na=2', { a: '2' }],
  ['an empty key', '=1', { '': '1' }],
  ['a byte order mark', '\uFEFFa=1', { a: '1' }],
  ['keys that objects have already', '__proto__=1\nconstructor=2', { ['__proto__']: '1', constructor: '2' }],
];

describe('parseProperties', () => {
  test.each(ACCORDING_TO_JAVA)('reads %s as Java does', (_, text, properties) => {
    expect(entriesOf(text)).toEqual(Object.entries(properties));
  });

  test('reads back whatever was written, however it was written', () => {
    const text = fc.string({ unit: 'binary' });
    const style = fc.record({
      separator: separators,
      hardly: fc.nat(3),
      foldEvery: fc.integer({ min: 1, max: 20 }),
      end: lineEnds,
    });

    fc.assert(
      fc.property(fc.array(fc.tuple(text, text, style), { maxLength: 5 }), (written) => {
        const lines = written.map(([key, value, how]) => lineOf(key, value, how));

        const read = parseProperties(lines.join(''));

        expect(new Map([...read].map(([key, { value }]) => [key, value]))).toEqual(
          new Map(written.map(([key, value]) => [key, value])),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('says in which line a property begins', () => {
    const properties = parseProperties('# first\na=1\\\n2\n\nb=3');

    expect([...properties].map(([key, { line }]) => [key, line])).toEqual([
      ['a', 2],
      ['b', 5],
    ]);
  });

  test.each([
    ['a=1\nb=\\u12', 2],
    ['a=\\\\u12\n# \\u12\n\nb\\u00fg=secret', 4],
    ['a=C:\\users', 1],
  ])('refuses half a unicode escape, naming its line and nothing of the text: %j', (text, line) => {
    let error: unknown;
    try {
      parseProperties(text);
    } catch (thrown) {
      error = thrown;
    }

    expect(error).toBeInstanceOf(PropertiesSyntaxError);
    expect(error).toMatchObject({ line, message: '\\u needs four hexadecimal digits behind it' });
  });

  test('takes or refuses any text, and nothing else', () => {
    const text = fc.string({ unit: fc.constantFrom('\\', 'u', '0', 'a', '=', ':', ' ', '\n', '\r', '#', '\t') });

    fc.assert(
      fc.property(text, (any) => {
        try {
          parseProperties(any);
        } catch (error) {
          expect(error).toMatchObject({ name: 'PropertiesSyntaxError', line: expect.toSatisfy((line: number) => line > 0) });
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

const separators = fc.constantFrom('=', ':', ' ', ' = ', '\t:\f', ' \\\n  = \\\r\n\t');
const lineEnds = fc.constantFrom('\n', '\r', '\r\n', '\n\n# comment \\\n');

interface Style {
  readonly separator: string;
  /** 0: what has to be escaped is. More: so is much else. */
  readonly hardly: number;
  readonly foldEvery: number;
  readonly end: string;
}

function lineOf(key: string, value: string, { separator, hardly, foldEvery, end }: Style): string {
  // Nothing and a blank is an empty line.
  const between = key === '' ? '=' : separator;
  // Not at the end, where a separator that is a blank would count as the next line's indentation.
  const fold = (pieces: readonly string[]): string =>
    pieces.map((piece, index) => (index > 0 && index % foldEvery === 0 ? `\\\n  ${piece}` : piece)).join('');
  return `${fold(escaped(key, hardly))}${between}${fold(escaped(value, hardly))}${end}`;
}

/** One piece for each UTF-16 unit, for a line may be folded between any two. */
function escaped(text: string, hardly: number): readonly string[] {
  return Array.from({ length: text.length }, (_, index) => {
    const unit = text.charCodeAt(index);
    if (hardly > 0 && unit % (hardly + 1) === 0) return `\\u${unit.toString(16).padStart(4, '0')}`;
    const letter = new Map([
      ['\n', 'n'],
      ['\r', 'r'],
      ['\t', 't'],
      ['\f', 'f'],
    ]).get(text.charAt(index));
    if (letter !== undefined) return `\\${letter}`;
    return /[\s=:#!\\\uFEFF]/.test(text.charAt(index)) ? `\\${text.charAt(index)}` : text.charAt(index);
  });
}

function entriesOf(text: string): readonly (readonly [string, string])[] {
  return [...parseProperties(text)].map(([key, { value }]) => [key, value]);
}
