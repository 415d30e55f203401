import { describe, expect, test } from 'vitest';
import { compilePattern } from '../../../plugins/pattern.ts';

describe('compilePattern', () => {
  test.each([
    ['orders.*', 'orders-eu', 'my-orders'],
    ['[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '123e4567-e89b-12d3-a456-426614174000', '123e4567'],
    ['[]{100}]{2,}', ']]', 'a'],
    ['(\\Q(a{1000}\\E){1,2}', '(a{1000}', 'a'],
    ['\\d{4}-\\d{2}', '2026-11', '26-11'],
    ['a{1000}', 'a'.repeat(1_000), 'a'],
  ])('matches the whole of a text: %s', (pattern, fits, other) => {
    const compiled = compilePattern(pattern);

    expect([compiled.matches(fits), compiled.matches(other)]).toEqual([true, false]);
  });

  test.each([
    ['longer than anybody writes', 'a'.repeat(1_001), 'at most 1000 characters'],
    ['with a long part that is repeated', `(${'a'.repeat(900)}){1000}`, 'more than 10000 steps'],
    ['with many repeats', '(a{1000})'.repeat(20), 'more than 10000 steps'],
    ['with repeats of repeats', '((a{30}){30}){30}', 'more than 10000 steps'],
    ['with an open repeat', `(${'a'.repeat(100)}){999,}`, 'more than 10000 steps'],
    ['that looks back', '(a)\\1', 'invalid escape sequence'],
    ['that looks around', '(?=a)a', 'invalid or unsupported Perl syntax'],
    ['that does not end', '[a', 'missing closing ]'],
  ])('refuses one %s', (_, pattern, message) => {
    expect(() => compilePattern(pattern)).toThrow(message);
  });

  test('takes no longer the more ways there are to match', () => {
    const text = `${'a'.repeat(5_000)}!`;

    // With backtracking this would take longer than anybody lives.
    expect(compilePattern('(a+)+').matches(text)).toBe(false);
    expect(compilePattern('(a|a)*').matches(text)).toBe(false);
  });
});
