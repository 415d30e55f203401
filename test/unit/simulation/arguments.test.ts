import { describe, expect, test } from 'vitest';
import { ArgumentsError, parseArguments } from '../../simulation/arguments.ts';

describe('parseArguments of the simulation', () => {
  test('traces the one seed that is named', () => {
    expect(parseArguments(['--seed', '5', '--trace'])).toMatchObject({ from: 5, seeds: 1, trace: true });
    expect(parseArguments(['--seed', '5', '--seeds', '1', '--trace'])).toMatchObject({ from: 5, seeds: 1, trace: true });
  });

  test.each([[['--trace']], [['--seeds', '1', '--trace']], [['--seed', '5', '--seeds', '3', '--trace']]])(
    'refuses to trace without one seed: %j',
    (argv) => {
      expect(() => parseArguments(argv)).toThrow(ArgumentsError);
      expect(() => parseArguments(argv)).toThrow(/^--trace .* --seed S/);
    },
  );

  test.each(['1e3', '0x10', ' 5', '1.5', '0', ''])('refuses "%s" as a number of seeds', (seeds) => {
    expect(() => parseArguments(['--seeds', seeds])).toThrow('--seeds takes a whole number above 0');
  });

  test('knows --help', () => {
    expect(parseArguments(['--help'])).toMatchObject({ help: true });
    expect(parseArguments([])).toMatchObject({ help: false });
  });
});
