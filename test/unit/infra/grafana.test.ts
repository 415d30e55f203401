import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Metric } from '../../../core/metrics/metric.ts';
import { metrics } from '../../../core/metrics/table.ts';
import { ROOT } from '../../../tools/paths.mjs';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: string | { readonly query: string } }[];
  };
}

const { panels, templating } = JSON.parse(readFileSync(join(ROOT, 'infra/grafana/sortie.json'), 'utf8')) as Dashboard;
const table: Readonly<Record<string, Metric>> = metrics;
const targets = panels.flatMap(({ targets: shown = [] }) => shown);
const queries = [
  ...targets.map(({ expr }) => expr),
  ...templating.list.map(({ query }) => (typeof query === 'string' ? query : query.query)),
];

/** With what Prometheus itself adds to the labels of a histogram. */
function metricOf(name: string): { readonly labels: readonly string[] } | undefined {
  const known = table[name];
  if (known !== undefined) return known.type === 'histogram' ? undefined : known;
  const histogram = table[name.replace(/_(bucket|sum|count)$/, '')];
  return histogram?.type === 'histogram' ? { labels: [...histogram.labels, 'le'] } : undefined;
}

const namesIn = (query: string): readonly string[] => query.match(/\b(?:kafka_connect|sortie)_\w+/g) ?? [];

describe('the dashboard', () => {
  test('asks for nothing but metrics that there are', () => {
    expect(queries.flatMap(namesIn).filter((name) => metricOf(name) === undefined)).toEqual([]);
    expect(targets.filter(({ expr }) => namesIn(expr).length === 0)).toEqual([]);
  });

  test('asks each metric for no label that it does not have', () => {
    const wrong = targets.filter(({ expr, legendFormat }) => {
      const labels = new Set(namesIn(expr).flatMap((name) => metricOf(name)?.labels ?? []));
      const matched = [...expr.matchAll(/[{,]\s*(\w+)(?:=~|!~|!=|=)"/g)].map(([, label = '']) => label);
      const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
      const named = [...legendFormat.matchAll(/{{(\w+)}}/g)].map(([, label = '']) => label);
      return [...matched, ...grouped, ...named].some((label) => !labels.has(label));
    });

    expect(wrong).toEqual([]);
  });

  test('takes rates of counters only, and shows no counter without one', () => {
    const typeOf = (name: string): string => table[name]?.type ?? 'histogram';
    const rated = targets.flatMap(({ expr }) => [...expr.matchAll(/(?:rate|increase)\((\w+)/g)].map(([, name = '']) => name));
    const bare = targets.flatMap(({ expr }) => namesIn(expr.replaceAll(/(?:rate|increase)\([^)]*\)/g, '')));

    expect(rated.filter((name) => typeOf(name) === 'gauge')).toEqual([]);
    expect(bare.filter((name) => typeOf(name) !== 'gauge')).toEqual([]);
  });

  test('has panels with a number each, beside and below each other', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
  });
});
