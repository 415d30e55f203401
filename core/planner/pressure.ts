/**
 * Back-pressure: how many invocations a connector's target bears. Halved when the target turned calls away (429) or let them
 * time out, one more for each interval without that, until it no longer limits anything.
 */
export interface Pressure {
  readonly invocations: number;
  readonly halvedAtMs: number;
  /** When it was halved or raised for the last time. */
  readonly changedAtMs: number;
}

/** Invocations that run side by side see the same trouble: it is one, and halves once. */
const TROUBLE_MS = 2_000;
const CLEAN_INTERVAL_MS = 5_000;
/** A moment that lies further ahead was noted by a clock that has been put back since, and says nothing. */
const AHEAD_MAX_MS = 5_000;

/** After an invocation that met trouble, with so many running. */
export function strained(
  pressure: Pressure | null,
  { running, nowMs }: { readonly running: number; readonly nowMs: number },
): Pressure {
  const sinceMs = pressure === null ? Number.POSITIVE_INFINITY : nowMs - pressure.halvedAtMs;
  if (pressure !== null && sinceMs < TROUBLE_MS && sinceMs >= -AHEAD_MAX_MS) return pressure;
  const invocations = Math.max(1, Math.floor(Math.min(pressure?.invocations ?? running, Math.max(running, 1)) / 2));
  return { invocations, halvedAtMs: nowMs, changedAtMs: nowMs };
}

/** After some time without trouble. `null`: nothing is limited any more. */
export function eased(
  pressure: Pressure,
  { tasksMax, nowMs }: { readonly tasksMax: number; readonly nowMs: number },
): Pressure | null {
  if (nowMs - pressure.changedAtMs < -AHEAD_MAX_MS) return { ...pressure, changedAtMs: nowMs };
  const intervals = Math.floor((nowMs - pressure.changedAtMs) / CLEAN_INTERVAL_MS);
  if (intervals <= 0) return pressure;
  const invocations = pressure.invocations + intervals;
  return invocations >= tasksMax
    ? null
    : { ...pressure, invocations, changedAtMs: pressure.changedAtMs + intervals * CLEAN_INTERVAL_MS };
}
