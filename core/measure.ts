/** Of many values, what their average and their bounds need. */
export interface Measure {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

/** Of the values of both; `undefined`: there were none yet. */
export function merged(known: Measure | undefined, more: Measure): Measure {
  if (known === undefined) return more;
  return {
    count: known.count + more.count,
    sum: known.sum + more.sum,
    min: Math.min(known.min, more.min),
    max: Math.max(known.max, more.max),
  };
}

export function measureOf(value: number): Measure {
  return { count: 1, sum: value, min: value, max: value };
}
