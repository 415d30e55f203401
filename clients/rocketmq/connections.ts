/** The open connections, one for each address, opened when somebody asks. */
import type { Command } from './command.ts';
import { Connection, type ConnectionSettings, NoAnswer } from './connection.ts';
import { failureOf, unavailable } from './failure.ts';

/** Long enough for a broker that works through its queue; Java's for pulls is 30 s, for sends 3 s. */
const REQUEST_TIMEOUT_MS = 10_000;

/** A server closes a connection that was idle for two minutes, and a sandbox that was frozen may not have heard of it. */
const IDLE_MAX_MS = 60_000;

export interface AskTime {
  /** For the answer. */
  readonly timeoutMs?: number;
  /** Monotonic: nothing is sent any more from then on, and nothing waited for. */
  readonly untilMs?: number;
}

export class Connections {
  readonly #settings: ConnectionSettings;
  readonly #byAddress = new Map<string, Promise<Connection>>();
  /** Of these, the ones that came to be open. */
  readonly #opened = new Map<string, Connection>();

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
  }

  /** One that is in use, for whoever wants to wait for nothing. */
  atHand(address: string): Connection | undefined {
    const connection = this.#opened.get(address);
    return connection !== undefined && isFresh(connection) ? connection : undefined;
  }

  /** Who asks while one is being opened shares what becomes of it. @throws {RetryableError} `broker.unavailable`: nothing was sent. */
  async to(address: string): Promise<Connection> {
    const known = this.#byAddress.get(address);
    if (known !== undefined) {
      const connection = await known;
      if (isFresh(connection)) return connection;
      if (this.#byAddress.get(address) === known) {
        this.#byAddress.delete(address);
        this.#opened.delete(address);
        connection.fail('it was idle for long');
      }
      return this.to(address);
    }
    const opening = this.#open(address);
    this.#byAddress.set(address, opening);
    return opening;
  }

  /**
   * @throws {RetryableError} `broker.unavailable` and `broker.throttled`.
   * @throws {FatalTaskError} whatever else an answer's code means that the command does not know.
   */
  async ask<Answer>(address: string, command: Command<Answer>, time: AskTime = {}): Promise<Answer> {
    const { timeoutMs = REQUEST_TIMEOUT_MS, untilMs = Number.POSITIVE_INFINITY } = time;
    const connection = this.atHand(address) ?? (await this.to(address));
    // No await may come between this look and the request.
    const leftMs = untilMs - this.#settings.clock.monotonicMs();
    if (leftMs <= 0) throw unavailable(address, command.what, new Error('its time was over before it was sent'));
    const response = await this.#sent(connection, command, Math.min(timeoutMs, leftMs));
    try {
      return command.answer(response);
    } catch (error) {
      throw failureOf(error, { address, what: command.what });
    }
  }

  /** Everything in flight ends. */
  async close(): Promise<void> {
    const opening = [...this.#byAddress.values()];
    this.#byAddress.clear();
    this.#opened.clear();
    for (const connection of opening) (await connection.catch(() => null))?.fail('this client was closed');
  }

  async #open(address: string): Promise<Connection> {
    try {
      const connection = await Connection.open(address, this.#settings);
      this.#opened.set(address, connection);
      return connection;
    } catch (error) {
      this.#byAddress.delete(address);
      throw unavailable(address, 'connect', error);
    }
  }

  async #sent(connection: Connection, command: Command<unknown>, timeoutMs: number): ReturnType<Connection['request']> {
    try {
      return await connection.request(command, timeoutMs);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      // The other side may have closed it, or be long gone, without a word; where it only lets this one wait, it would again.
      if (!command.isRepeatable || connection.isOpen) throw unavailable(connection.address, command.what, error);
    }
    const again = await this.to(connection.address);
    try {
      return await again.request(command, timeoutMs);
    } catch (error) {
      throw unavailable(connection.address, command.what, error);
    }
  }
}

function isFresh(connection: Connection): boolean {
  return connection.isOpen && connection.idleMs() < IDLE_MAX_MS;
}
