import { describe, expect, test } from 'vitest';
import { ArgumentsError, parseArguments } from '../../../bench/arguments.ts';

const names = ['cursor', 'spine'];

describe('parseArguments', () => {
  test('takes a name, and --json on either side of it', () => {
    expect(parseArguments(['spine'], names)).toEqual({ name: 'spine', json: false });
    expect(parseArguments(['spine', '--json'], names)).toEqual({ name: 'spine', json: true });
    expect(parseArguments(['--json', 'spine'], names)).toEqual({ name: 'spine', json: true });
  });

  test.each([
    ['no name', [], 'NAME is missing'],
    ['only an option', ['--json'], 'NAME is missing'],
    ['an unknown name', ['spin'], "there is no benchmark 'spin'"],
    ['a second name', ['cursor', 'spine'], 'one benchmark at a time, not also: spine'],
  ])('refuses %s and lists the names', (_, argv, message) => {
    expect(() => parseArguments(argv, names)).toThrow(message);
    expect(() => parseArguments(argv, names)).toThrow(/next: .*cursor, spine$/);
  });

  test.each([
    ['an unknown option', ['spine', '--jsn'], /^Unknown option '--jsn'\n {2}next: .*--json$/],
    ['a value for --json', ['spine', '--json=yes'], /^Option '--json' does not take an argument\n {2}next: /],
  ])('refuses %s in one line and the next step', (_, argv, message) => {
    expect(() => parseArguments(argv, names)).toThrow(ArgumentsError);
    expect(() => parseArguments(argv, names)).toThrow(message);
  });
});
