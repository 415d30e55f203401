/**
 * How fast a platform lets the number of invocations grow: AWS Lambda starts at most 1,000 new environments in 10 s for one
 * function (https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html). Environments that ran lately are warm and cost no start.
 */
export interface RampTerms {
  /** Starts that are allowed at once. */
  readonly burst: number;
  /** Starts that are allowed again each second. */
  readonly perSecond: number;
}

export interface Ramp {
  /** Most invocations that ran at once lately: so many environments are warm. */
  readonly warm: number;
  /** Starts left. */
  readonly starts: number;
  readonly atMs: number;
  /** When `warm` ran for the last time. */
  readonly warmAtMs: number;
}

/** An environment that nobody uses goes after some minutes; five are the least that is reported of Lambda. */
const WARM_MS = 5 * 60_000;

export function newRamp({ burst }: RampTerms, nowMs: number): Ramp {
  return { warm: 0, starts: burst, atMs: nowMs, warmAtMs: nowMs };
}

/** The ramp at `nowMs`, with so many invocations running. */
export function ramped(
  ramp: Ramp,
  { running, terms, nowMs }: { readonly running: number; readonly terms: RampTerms; readonly nowMs: number },
): Ramp {
  const elapsedMs = Math.max(0, nowMs - ramp.atMs);
  const refilled = Math.min(terms.burst, ramp.starts + (terms.perSecond * elapsedMs) / 1_000);
  if (running >= ramp.warm) {
    return { warm: running, starts: Math.max(0, refilled - (running - ramp.warm)), atMs: nowMs, warmAtMs: nowMs };
  }
  const isCold = nowMs - ramp.warmAtMs > WARM_MS;
  return { warm: isCold ? running : ramp.warm, starts: refilled, atMs: nowMs, warmAtMs: isCold ? nowMs : ramp.warmAtMs };
}

/** Invocations that may run at once, now. */
export function rampMax({ warm, starts }: Ramp): number {
  return Math.floor(warm + starts);
}

/** How long until another invocation may start. */
export function nextStartInMs({ warm, starts }: Ramp, { perSecond }: RampTerms): number {
  const missing = Math.floor(warm + starts) + 1 - (warm + starts);
  return (missing / perSecond) * 1_000;
}
