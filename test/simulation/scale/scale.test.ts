import { describe, expect, test } from 'vitest';
import { figureOf } from '../../../bench/figure.ts';
import { plotOf } from './plot.ts';
import { scaleScenarios } from './scale-scenarios.ts';

const MINUTE_MS = 60_000;

describe('scale scenarios', () => {
  test.each(scaleScenarios.map((scenario) => [scenario.name, scenario] as const))(
    '%s holds what it promises, on few hosts (I1, I4)',
    async (_, scenario) => {
      const { violation, figures } = await scenario.run('small', 1);

      expect(violation).toBeNull();
      expect(figures.map(figureOf).filter(({ ok }) => !ok)).toEqual([]);
      expect(figures.length).toBeGreaterThan(0);
    },
    MINUTE_MS,
  );

  test('a seed replays sample for sample', async () => {
    const [scenario] = scaleScenarios;

    const first = await scenario?.run('small', 2);
    const second = await scenario?.run('small', 2);

    expect(second?.samples).toEqual(first?.samples);
  });
});

describe('plotOf', () => {
  test('draws a line for each series, with a point for each sample', () => {
    const sample = {
      atMs: 0,
      backlog: 5,
      deliveredPerSecond: 0,
      running: 1,
      allowed: 2,
      invocationsPerSecond: 0,
      storeReadsPerSecond: 3,
      storeWritesPerSecond: 4,
      conflictsPerSecond: 0,
    };

    const svg = plotOf({
      scenario: 'a < b',
      notes: ['few & small'],
      samples: [sample, { ...sample, atMs: 1_000 }],
      figures: [],
      violation: null,
    });

    const lines = [...svg.matchAll(/<polyline points="(?<points>[^"]+)"/g)].map(({ groups }) => groups?.['points']?.split(' '));
    expect(lines).toHaveLength(6);
    expect(lines.map((points) => points?.length)).toEqual(lines.map(() => 2));
    expect(svg).toContain('a &lt; b');
    expect(svg).not.toContain('NaN');
  });
});
