import { describe, expect, test } from 'vitest';
import { type Column, coloured, duration, plain, relative, table } from '../../../cli/output.ts';

interface Row {
  readonly name: string;
  readonly count: number;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'NAME', text: ({ name }) => name, colour: () => 'green' },
  { title: 'COUNT', text: ({ count }) => String(count), isNumber: true },
];
const ROWS = [
  { name: 'orders', count: 7 },
  { name: '订单', count: 1200 },
];

function aTerminal(columns: number, hasColours = false) {
  return { columns: () => columns, rows: () => 24, hasColours };
}

describe('table', () => {
  test('aligns columns by the cells that characters take, numbers to the right', () => {
    expect(table(ROWS, COLUMNS, { terminal: null })).toBe('NAME    COUNT\norders      7\n订单     1200\n');
  });

  test('shows each row as a block where a line of the terminal has no room for it', () => {
    expect(table(ROWS, COLUMNS, { terminal: aTerminal(12) })).toBe('NAME   orders\nCOUNT  7\n\nNAME   订单\nCOUNT  1200\n');
  });

  test('is as wide as it has to be where there is no terminal', () => {
    const long = [{ name: 'x'.repeat(500), count: 1 }];

    expect(table(long, COLUMNS, { terminal: null }).split('\n')).toHaveLength(3);
  });

  test('paints cells, and the space beside them not', () => {
    expect(table(ROWS.slice(0, 1), COLUMNS, { terminal: aTerminal(80, true) })).toBe(
      '\u001b[90mNAME\u001b[0m    \u001b[90mCOUNT\u001b[0m\n\u001b[32morders\u001b[0m      7\n',
    );
  });

  test('lets no cell move the cursor or begin a line', () => {
    const hostile = [{ name: 'a\u001b[2Jb\nc', count: 1 }];

    expect(table(hostile, COLUMNS, { terminal: aTerminal(80) })).toContain('a\uFFFD[2Jb c');
  });
});

describe('plain', () => {
  test('keeps lines, and replaces what steers a terminal or turns the direction of text', () => {
    expect(plain('one\ntwo\u0007\u202ethree')).toBe('one\ntwo\uFFFD\uFFFDthree');
  });
});

describe('coloured', () => {
  test.each([null, aTerminal(80)])('paints nothing without a terminal that has colours', (terminal) => {
    expect(coloured('FAILED', 'red', terminal)).toBe('FAILED');
  });
});

describe('duration', () => {
  test.each([
    [0, '0ms'],
    [999, '999ms'],
    [1_000, '1s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [7_200_000, '2h'],
    [86_400_000 * 400, '400d'],
  ])('%d ms are %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

describe('relative', () => {
  test('tells what was from what will be', () => {
    expect([relative(1_000, 61_000), relative(61_000, 1_000)]).toEqual(['1m ago', 'in 1m']);
  });
});
