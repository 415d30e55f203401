/** What a benchmark measured, beside its goal and, where there is one, a reference measured in the same run. */

/** `goal` as text, such as `>= 40,000`. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly reference?: number;
  /** `value / reference`. */
  readonly ratio?: number;
  readonly goal: string;
  readonly ok: boolean;
}

export type Goal = { readonly atLeast: number } | { readonly atMost: number };

/** What a benchmark tells while it runs. */
export interface Report {
  /** Settings, the code of a reference, and whatever else a reader needs to judge the figures. */
  note(text: string): void;
  figure(figure: Pick<Figure, 'name' | 'value' | 'unit' | 'reference'> & { readonly goal: Goal }): void;
}

export interface Bench {
  run(report: Report): Promise<void>;
}

export function figureOf({ goal, ...measured }: Parameters<Report['figure']>[0]): Figure {
  const { value, reference } = measured;
  return {
    ...measured,
    ...(reference === undefined ? {} : { ratio: value / reference }),
    goal: 'atLeast' in goal ? `>= ${grouped(goal.atLeast)}` : `<= ${grouped(goal.atMost)}`,
    ok: 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost,
  };
}

export function tableOf(figures: readonly Figure[]): string {
  const rows = [
    ['name', 'value', 'unit', 'reference', 'ratio', 'goal', 'ok'],
    ...figures.map(({ name, value, unit, reference, ratio, goal, ok }) => [
      name,
      grouped(value),
      unit,
      reference === undefined ? '' : grouped(reference),
      ratio === undefined ? '' : ratio.toFixed(2),
      goal,
      ok ? 'ok' : 'NOT OK',
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The value below which `share` (0..1) of them lie. Sorts `values`. */
export function quantile(values: Float64Array, share: number): number {
  values.sort();
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
}

/** Whole numbers from 100 on, three digits below. */
function grouped(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) >= 100 ? 0 : 3 });
}
