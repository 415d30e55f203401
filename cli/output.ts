/** How things look: tables, times, counts, and states in colour where there is a terminal that has any. */
import type { Shell, Terminal } from './shell.ts';

export type Colour = 'red' | 'green' | 'yellow' | 'grey';

const CODES = { red: 31, green: 32, yellow: 33, grey: 90 } as const satisfies Record<Colour, number>;

export interface Column<Row> {
  readonly title: string;
  text(row: Row): string;
  colour?(row: Row): Colour | null;
  /** Numbers stand under each other. */
  readonly isNumber?: boolean;
}

const GAP = '  ';

/**
 * Aligned columns, with a line for their titles. On a terminal where a line has no room for them, each row is a block with a line
 * for each column instead: nothing is cut off, for names and positions are there to be copied.
 */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], { terminal }: Pick<Shell, 'terminal'>): string {
  const cells = rows.map((row) =>
    columns.map((column) => ({ text: plain(column.text(row)).replaceAll('\n', ' '), colour: column.colour?.(row) ?? null })),
  );
  const widths = columns.map(({ title }, index) =>
    Math.max(...[title, ...cells.map((row) => row[index]?.text ?? '')].map(widthOf)),
  );
  const isTooWide = widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length) > (terminal?.columns() ?? Infinity);
  if (isTooWide) return cells.map((row) => block(row, columns, terminal)).join('\n');
  const line = (texts: readonly string[], paint: (text: string, index: number) => string) =>
    `${texts
      .map((text, index) => {
        const space = ' '.repeat((widths[index] ?? 0) - widthOf(text));
        const isLast = index === texts.length - 1;
        return columns[index]?.isNumber === true ? space + paint(text, index) : paint(text, index) + (isLast ? '' : space);
      })
      .join(GAP)
      .trimEnd()}\n`;
  const titles = line(
    columns.map(({ title }) => title),
    (text) => coloured(text, 'grey', terminal),
  );
  const lines = cells.map((row) =>
    line(
      row.map(({ text }) => text),
      (text, index) => coloured(text, row[index]?.colour ?? null, terminal),
    ),
  );
  return titles + lines.join('');
}

interface Cell {
  readonly text: string;
  readonly colour: Colour | null;
}

function block<Row>(cells: readonly Cell[], columns: readonly Column<Row>[], terminal: Terminal | null): string {
  const width = Math.max(...columns.map(({ title }) => widthOf(title)));
  return columns
    .map(({ title }, index) => {
      const { text = '', colour = null } = cells[index] ?? {};
      const space = ' '.repeat(width - widthOf(title));
      return `${coloured(title, 'grey', terminal)}${space}${GAP}${coloured(text, colour, terminal)}\n`;
    })
    .join('');
}

export function coloured(text: string, colour: Colour | null, terminal: Terminal | null): string {
  if (colour === null || text === '' || terminal?.hasColours !== true) return text;
  return `\u001b[${CODES[colour]}m${text}\u001b[0m`;
}

export function stateColour(state: string): Colour | null {
  if (state === 'RUNNING') return 'green';
  if (state === 'FAILED') return 'red';
  return state === 'UNASSIGNED' ? 'grey' : 'yellow';
}

/** What comes from elsewhere moves no cursor and paints nothing: names, messages and records may hold anything. Lines stay. */
export function plain(text: string): string {
  return text.replaceAll(/\p{Cc}|\p{Bidi_Control}/gu, (character) => (character === '\n' ? character : '\uFFFD'));
}

const SECOND_MS = 1_000;
const UNITS = [
  ['d', 86_400 * SECOND_MS],
  ['h', 3_600 * SECOND_MS],
  ['m', 60 * SECOND_MS],
  ['s', SECOND_MS],
] as const;

/** `4.2 s` would be more than anybody wants to know of something old: `4s`, `3m`, `2h`, `5d`; `120ms` below a second. */
export function duration(ms: number): string {
  const unit = UNITS.find(([, unitMs]) => ms >= unitMs);
  return unit === undefined ? `${Math.round(ms)}ms` : `${Math.floor(ms / unit[1])}${unit[0]}`;
}

/** `3m ago`; `in 10s`. */
export function relative(atMs: number, nowMs: number): string {
  return atMs > nowMs ? `in ${duration(atMs - nowMs)}` : `${duration(nowMs - atMs)} ago`;
}

/** `1 task`, `2 tasks`. */
export function counted(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `12,345` */
export function number(count: number): string {
  return count.toLocaleString('en-US');
}

/** Cells of a terminal: a Chinese character has two, and a mark on another character none. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{M}|\p{Cf}/u.test(character)) continue;
    width += /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}/u.test(character)
      ? 2
      : 1;
  }
  return width;
}
