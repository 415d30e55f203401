/**
 * The NameServers of a cluster, which know the same: one that answers is asked on, and the next one when it does not. A list may name
 * some that are gone.
 */
import { assert } from '../../core/assert.ts';
import { RetryableError } from '../../core/errors.ts';
import type { Command } from './command.ts';
import { getCluster } from './commands/get-cluster.ts';
import type { Connections } from './connections.ts';
import { withoutNext } from './failure.ts';

const UNREACHABLE_NEXT = 'check their addresses, and that one of them runs and can be reached from here';

/** They answer from memory. */
const REQUEST_TIMEOUT_MS = 3_000;

export class NameServers {
  readonly #addresses: readonly string[];
  readonly #connections: Connections;
  /** Index of the one that answered last. */
  #current = 0;

  constructor(addresses: readonly string[], connections: Connections) {
    assert(addresses.length > 0, 'a cluster has at least one NameServer');
    this.#addresses = addresses;
    this.#connections = connections;
  }

  /** @throws {RetryableError} `broker.unavailable`, which names them all, when none answers. */
  async ask<Answer>(command: Command<Answer>): Promise<Answer> {
    const failures: string[] = [];
    for (let tried = 0; tried < this.#addresses.length; tried += 1) {
      const index = (this.#current + tried) % this.#addresses.length;
      try {
        const answer = await this.#connections.ask(this.#addresses[index] ?? '', command, { timeoutMs: REQUEST_TIMEOUT_MS });
        this.#current = index;
        return answer;
      } catch (error) {
        if (!(error instanceof RetryableError)) throw error;
        failures.push(withoutNext(error));
      }
    }
    throw new RetryableError(`no name server answers: ${failures.join('; ')}; next: ${UNREACHABLE_NEXT}`, {
      code: 'broker.unavailable',
    });
  }

  /** Resolves when one of them can be reached, whatever it says: a proxy in their place cannot be asked for brokers. */
  async reach(): Promise<void> {
    try {
      await this.ask(getCluster());
    } catch (error) {
      if (error instanceof RetryableError) throw error;
    }
  }

  knowsNoBroker(): RetryableError {
    const message = `no broker has told ${this.#addresses.join(' or ')} of itself; next: check that the brokers run, and name these name servers (\`namesrvAddr\`)`;
    return new RetryableError(message, { code: 'broker.unavailable' });
  }

  /** Each of them for itself: those that are gone hear of it from the brokers, if they come back. */
  async askEach(command: Command<unknown>): Promise<void> {
    const answers = await Promise.allSettled(
      this.#addresses.map((address) => this.#connections.ask(address, command, { timeoutMs: REQUEST_TIMEOUT_MS })),
    );
    const refused = answers.find((answer) => answer.status === 'rejected' && !(answer.reason instanceof RetryableError));
    if (refused?.status === 'rejected') throw refused.reason;
  }
}
