/**
 * What can go wrong, and how often it did. The numbers are those of the fault list in docs/simulation.md.
 *
 * Each seed draws its own rates, many of them zero: schedules in which one fault is frequent and others are absent reach states
 * that an even mix does not.
 */
import type { SeededRandom } from '../world/seeded-random.ts';

export const faultNames = [
  '1 offer doubled',
  '2 offer delayed',
  '3 offer lost',
  '4 offers reordered',
  '5 zombie beside its successor',
  '6 killed at an await',
  '7 killed after a write to log or target, before its reply',
  '8 killed after a commit, before its reply',
  '9 frozen for minutes',
  '10 hard timeout in mid-slice',
  '11 out of memory on a record',
  '12 start throttled',
  '13 start failed',
  '14 operator killed between two gates',
  '15 store reply lost',
  '16 conflicting write',
  '17 offer from a stale view',
  '18 store throttled',
  '19 store slow',
  '20 store unavailable',
  '22 send reply lost',
  '22 send lands late',
  '22 send hangs',
  '23 send cut short',
  '24 record doubled by its producer',
  '25 queues out of step',
  '26 queue added',
  '26 queue removed',
  '26 queue away',
  '26 broker of a source away',
  '27 record too large',
  '27 flow control',
  '28 topic missing',
  '29 clock jumped',
  '30 cut off one way',
  '31 retention overtook the reader',
  '32 poison record',
  'topic truncated',
  'topic created anew and refilled',
  'topic of a source created anew',
  'topic of a source refilled by others',
  'record of another producer',
  'watch ended',
  'watch refused',
  'checkpoint moved without records',
  'connector deleted and created again',
  'connector paused',
  'connector stopped',
  'offsets reset',
  'configuration changed',
  'connector triggered',
  'outcome lost',
  'scheduler killed',
  'scheduler frozen',
  'scheduler stopped',
  'two versions at once',
  'target unavailable',
  'target refused a record',
  'put lands late',
  'put hangs',
  'put takes a part',
  'plugin throws the unknown',
] as const;

export type FaultName = (typeof faultNames)[number];

export class Faults {
  readonly #random: SeededRandom;
  readonly #rates = new Map<FaultName, number>();
  readonly #drawable: ReadonlySet<FaultName>;
  readonly counts = new Map<FaultName, number>();
  /** Off: nothing goes wrong any more. */
  active = true;

  /** Only what is `drawable` ever happens. */
  constructor(random: SeededRandom, drawable: ReadonlySet<FaultName>) {
    this.#random = random;
    // Half of the faults stay away from a seed; the others come at between a tenth and all of their usual rate.
    for (const name of faultNames) {
      const rate = random.chance(0.5) ? 0 : random.between(0.1, 1);
      this.#rates.set(name, drawable.has(name) ? rate : 0);
    }
    this.#drawable = drawable;
  }

  /** For what setups and producers decide by chances of their own. */
  mayHappen(name: FaultName): boolean {
    return this.#drawable.has(name);
  }

  /** Whether the fault happens here; `usual` is its probability where it is most frequent. */
  strikes(name: FaultName, usual: number): boolean {
    const struck = this.draws(name, usual);
    if (struck) this.note(name);
    return struck;
  }

  /** As `strikes`, for a fault that is prepared here, and noted where it happens. */
  draws(name: FaultName, usual: number): boolean {
    // One draw for each question, whatever the answer, keeps runs of different rates comparable.
    return this.active && this.#random.next() < (this.#rates.get(name) ?? 0) * usual;
  }

  note(name: FaultName): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}
