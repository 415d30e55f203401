/**
 * The NameServers of a cluster, which know the same: one that answers is asked on, and the next one when it does not. A list may name
 * some that are gone.
 */
import { assert } from '../../core/assert.ts';
import { RetryableError } from '../../core/errors.ts';
import type { Command } from './command.ts';
import type { Connections } from './connections.ts';

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
        const answer = await this.#connections.ask(this.#addresses[index] ?? '', command, REQUEST_TIMEOUT_MS);
        this.#current = index;
        return answer;
      } catch (error) {
        if (!(error instanceof RetryableError)) throw error;
        failures.push(error.message);
        if (this.#addresses.length === 1) throw error;
      }
    }
    throw new RetryableError(`no NameServer answers:\n${failures.join('\n')}`, { code: 'broker.unavailable' });
  }

  /** Each of them for itself: those that are gone hear of it from the brokers, if they come back. */
  async askEach(command: Command<unknown>): Promise<void> {
    const answers = await Promise.allSettled(
      this.#addresses.map((address) => this.#connections.ask(address, command, REQUEST_TIMEOUT_MS)),
    );
    const refused = answers.find((answer) => answer.status === 'rejected' && !(answer.reason instanceof RetryableError));
    if (refused?.status === 'rejected') throw refused.reason;
  }
}
