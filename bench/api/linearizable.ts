/** Whether what several clients saw of one thing can have come about one operation after the other. */

export interface Operation<State> {
  readonly calledAtMs: number;
  readonly answeredAtMs: number;
  /** The state behind it; `undefined` where it cannot have been answered so in this state. */
  apply(state: State): State | undefined;
}

/**
 * Looks for an order that is true to each answer and to time: of two operations one of which was answered before the other was
 * called, that one comes first. Tries every order that may be, but none twice from the same place (Wing and Gong, 1993; Lowe, 2017).
 */
export function isLinearizable<State extends string | number | null>(
  initial: State,
  operations: readonly Operation<State>[],
): boolean {
  const ordered = operations.toSorted((a, b) => a.calledAtMs - b.calledAtMs);
  const isPlaced = new Array<boolean>(ordered.length).fill(false);
  const tried = new Set<string>();

  const placeRest = (from: number, state: State): boolean => {
    let first = from;
    while (isPlaced[first] === true) first += 1;
    if (first === ordered.length) return true;
    const placedBeyond: number[] = [];
    const candidates: number[] = [];
    // None that was called after another one had been answered can come before that one.
    let answeredAtMs = Number.POSITIVE_INFINITY;
    for (let index = first; index < ordered.length; index += 1) {
      const { calledAtMs, answeredAtMs: endedAtMs } = ordered[index] as Operation<State>;
      if (calledAtMs > answeredAtMs) break;
      if (isPlaced[index] === true) placedBeyond.push(index);
      else {
        candidates.push(index);
        answeredAtMs = Math.min(answeredAtMs, endedAtMs);
      }
    }
    const place = `${first} ${placedBeyond.join(',')} ${JSON.stringify(state)}`;
    if (tried.has(place)) return false;
    tried.add(place);
    return candidates.some((index) => {
      const next = (ordered[index] as Operation<State>).apply(state);
      if (next === undefined) return false;
      isPlaced[index] = true;
      if (placeRest(first, next)) return true;
      isPlaced[index] = false;
      return false;
    });
  };
  return placeRest(0, initial);
}
