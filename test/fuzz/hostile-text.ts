/** Texts that have broken servers before, and any others. */
import fc from 'fast-check';

const HOSTILE: readonly string[] = [
  '',
  ' ',
  '.',
  '..',
  '../../etc/passwd',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'null',
  'undefined',
  'NaN',
  '-0',
  '1e309',
  '9223372036854775808',
  '99999999999999999999999999',
  '${env:PATH}',
  '${file:/etc/passwd:root}',
  '${${env:A}}',
  "'; DROP TABLE documents; --",
  '<script>alert(1)</script>',
  '{{7*7}}',
  '%00',
  '%',
  '\u0000',
  '\r\nSet-Cookie: a=b',
  '\u202e\u0007\u001b[2J',
  '\ud800',
  '\uffff',
  '\ufeffa',
  '𝔸🚚',
  '[hidden]',
  '(a+)+$',
  '(?=a)a*',
  '((((((((((',
  '[^]',
  'a,b,,c,',
  '*',
  'true',
  ...['a', ',', '{', '${', 'a.', '(', '%'].map((piece) => piece.repeat(3_000)),
];

export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 40 }) },
);

/** Anything that a place in JSON may hold instead of what is meant. */
export const hostileJson: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, 2 ** 53, 1e308, [], {}, [[]], [null], { a: { b: [] } }),
  fc.jsonValue({ maxDepth: 3 }),
);
