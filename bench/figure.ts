/** What a benchmark measured, beside its goal and, where there is one, a reference measured in the same run. */

/** `goal` as text, such as `>= 40,000`; `printed` for what is only told, which is always `ok`. */
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

export type Goal = { readonly atLeast: number } | { readonly atMost: number } | { readonly exactly: number } | 'printed';

/** As measured, not judged yet. */
export type Measured = Pick<Figure, 'name' | 'value' | 'unit' | 'reference'> & { readonly goal: Goal };

/** What a benchmark tells while it runs. */
export interface Report {
  /** Settings, the code of a reference, and whatever else a reader needs to judge the figures. */
  note(text: string): void;
  figure(figure: Measured): void;
}

export interface Bench {
  run(report: Report): Promise<void>;
}

export function figureOf({ goal, ...measured }: Measured): Figure {
  const { value, reference } = measured;
  return {
    ...measured,
    ...(reference === undefined ? {} : { ratio: value / reference }),
    ...judged(value, goal),
  };
}

function judged(value: number, goal: Goal): Pick<Figure, 'goal' | 'ok'> {
  if (goal === 'printed') return { goal, ok: true };
  if ('atLeast' in goal) return { goal: `>= ${grouped(goal.atLeast)}`, ok: value >= goal.atLeast };
  if ('atMost' in goal) return { goal: `<= ${grouped(goal.atMost)}`, ok: value <= goal.atMost };
  return { goal: `= ${grouped(goal.exactly)}`, ok: value === goal.exactly };
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
