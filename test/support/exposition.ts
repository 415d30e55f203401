/** Prometheus' text format, as a scraper reads it. Throws where a line is not of it. */
import { assert } from '../../core/assert.ts';
import type { Labels } from '../../core/metrics/metric.ts';

export interface Line {
  /** With `_bucket`, `_sum` or `_count` where it is of a histogram. */
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

export interface Exposition {
  /** By metric. */
  readonly types: ReadonlyMap<string, string>;
  readonly lines: readonly Line[];
  /** The sum of all lines of that name that bear `labels`; `undefined` without any. */
  value(name: string, labels?: Labels): number | undefined;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/s;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/gsy;

export function parseExposition(text: string): Exposition {
  const types = new Map<string, string>();
  const lines: Line[] = [];
  for (const row of text.split('\n')) {
    const [hash, kind, name = '', type = ''] = row.split(' ');
    if (hash === '#' && kind === 'TYPE') types.set(name, type);
    else if (row !== '' && hash !== '#') lines.push(lineOf(row));
  }
  const value = (name: string, labels: Labels = {}): number | undefined => {
    const wanted = Object.entries(labels);
    const found = lines.filter((line) => line.name === name && wanted.every(([label, is]) => line.labels[label] === is));
    return found.length === 0 ? undefined : found.reduce((sum, line) => sum + line.value, 0);
  };
  return { types, lines, value };
}

function lineOf(row: string): Line {
  const [, name = '', labels = '', value = ''] = LINE.exec(row) ?? [];
  const known = numberOf(value);
  assert(name !== '' && known !== undefined, `not a line of the exposition: ${row}`);
  return { name, labels: Object.fromEntries(pairs(labels)), value: known };
}

function numberOf(text: string): number | undefined {
  if (text.toLowerCase() === 'nan') return Number.NaN;
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  return Number.isNaN(Number(text)) ? undefined : Number(text);
}

function pairs(text: string): readonly (readonly [string, string])[] {
  const found = [...text.matchAll(LABEL)];
  assert(found.reduce((length, [all]) => length + all.length, 0) === text.length, `not labels: ${text}`);
  return found.map(([, label = '', value = '']) => [label, value.replace(/\\(.)/g, (_, is) => (is === 'n' ? '\n' : is))]);
}
