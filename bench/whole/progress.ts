/** How fast something moves, seen from outside. */
import { systemClock } from '../../adapters/system.ts';
import { quantile } from '../figure.ts';
import { cpuMsOf } from './process-use.ts';
import type { Sortie } from './sortie.ts';

/**
 * A look costs what a few documents cost, or a question for each queue to a broker, in another process: a few hundredths of two cores
 * every 10 ms.
 */
const LOOK_EVERY_MS = 25;

/** Ten times as long as anything is to take. */
const ENDS_WITHIN_MS = 60_000;

export interface Moved {
  readonly perSecond: number;
  /** Of the product, all of its threads together. */
  readonly cpuUsPerRecord: number;
}

export interface Watched {
  readonly connector: string;
  readonly records: number;
  look(): Promise<number>;
}

/** From the first progress that is seen, which is behind the first commit, to the end. */
export async function watchProgress(sortie: Sortie, watched: Watched): Promise<Moved> {
  const first = await seen(sortie, watched, 1);
  return movedBetween(first, await seen(sortie, watched, watched.records));
}

/** From the call that begins it, the start of all that it needs included, to the end. */
export async function watchAll(sortie: Sortie, watched: Watched, begin: () => Promise<void>): Promise<Moved> {
  const first: Seen = { count: 0, atMs: performance.now(), cpuMs: cpuMsOf(sortie.pid) };
  await begin();
  return movedBetween(first, await seen(sortie, watched, watched.records));
}

interface Seen {
  readonly count: number;
  readonly atMs: number;
  readonly cpuMs: number;
}

async function seen(sortie: Sortie, { connector, records, look }: Watched, least: number): Promise<Seen> {
  const untilMs = performance.now() + ENDS_WITHIN_MS;
  for (;;) {
    const count = await look();
    if (count >= least) return { count, atMs: performance.now(), cpuMs: cpuMsOf(sortie.pid) };
    if (performance.now() > untilMs) throw new Error(`${count} of ${records} were moved: ${await sortie.status(connector)}`);
    await systemClock.sleep(LOOK_EVERY_MS);
  }
}

function movedBetween(first: Seen, last: Seen): Moved {
  const moved = last.count - first.count;
  return {
    perSecond: (moved / (last.atMs - first.atMs)) * 1_000,
    cpuUsPerRecord: ((last.cpuMs - first.cpuMs) * 1_000) / moved,
  };
}

/** The median of each way in so many rounds. They take turns, so that all meet the same noise of the machine. */
export async function medians<Name extends string>(
  { warmUpRounds, rounds }: { readonly warmUpRounds: number; readonly rounds: number },
  measure: (round: number) => Promise<Readonly<Record<Name, number>>>,
): Promise<Readonly<Record<Name, number>>> {
  const all: Readonly<Record<Name, number>>[] = [];
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    const measured = await measure(round);
    if (round >= 0) all.push(measured);
  }
  const names = Object.keys(all[0] ?? {}) as Name[];
  const median = (name: Name): number =>
    quantile(
      Float64Array.from(all, (measured) => measured[name]),
      0.5,
    );
  return Object.fromEntries(names.map((name) => [name, median(name)])) as Record<Name, number>;
}

/** Records a second. */
export async function rate(records: number, move: () => Promise<void>): Promise<number> {
  const startedAtMs = performance.now();
  await move();
  return (records / (performance.now() - startedAtMs)) * 1_000;
}
