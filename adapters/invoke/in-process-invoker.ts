import { messageOf } from '../../core/errors.ts';
import type { InvocationEnd, InvocationResult, Offer } from '../../core/offer.ts';
import { newOwner } from '../../core/owner.ts';
import type { Invoker, Random } from '../../core/ports.ts';

export interface InProcessInvokerDeps {
  /** One invocation, from claim to run record. */
  run(offer: Offer, owner: string): Promise<InvocationResult>;
  readonly random: Random;
  /** Invocations at once. */
  readonly slots: number;
}

/** Runs invocations as promises of this process: a throw is an end that has been seen, and nothing is ever lost. */
export class InProcessInvoker implements Invoker {
  readonly #run: InProcessInvokerDeps['run'];
  readonly #random: Random;
  readonly #slots: number;
  #running = 0;

  constructor({ run, random, slots }: InProcessInvokerDeps) {
    this.#run = run;
    this.#random = random;
    this.#slots = slots;
  }

  freeSlots(): number {
    return this.#slots - this.#running;
  }

  async invoke(offer: Offer): Promise<InvocationEnd> {
    if (this.freeSlots() <= 0) return { kind: 'refused', message: `all ${this.#slots} slots are taken` };
    this.#running += 1;
    const owner = newOwner(offer.id, this.#random);
    try {
      return { kind: 'completed', result: await this.#run(offer, owner) };
    } catch (error) {
      return { kind: 'died', owner, isGone: false, message: messageOf(error) };
    } finally {
      this.#running -= 1;
    }
  }
}
