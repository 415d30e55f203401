/**
 * One connection to MySQL or MariaDB: one command at a time. It does nothing by itself.
 *
 * Calls throw `MysqlRefusal` (the server says no), `MysqlUnreachable` (it cannot be reached, or did not answer in time) and
 * `MysqlProtocolError`. After the last two the connection is of no use any more.
 */
import type { CancelSignal, Clock } from '../../core/ports.ts';
import type { ByteReader } from './byte-reader.ts';
import type { Greeting } from './greeting.ts';
import { type Login, logIn } from './login.ts';
import { MysqlProtocolError } from './mysql-failure.ts';
import { MysqlSocket } from './mysql-socket.ts';
import { isEnd, isRefusal, refusalIn } from './result-packets.ts';

export interface MysqlSettings extends Login {
  readonly port: number;
  readonly clock: Clock;
}

/** Cells as the server prints them. */
export type TextRow = readonly (string | null)[];

/** To connect, and for each answer. A server that is well takes milliseconds. */
const ANSWER_TIMEOUT_MS = 10_000;

const COMMAND_QUERY = 3;

const NULL_CELL = 0xfb;

export class MysqlConnection {
  readonly server: Greeting;
  readonly #socket: MysqlSocket;

  private constructor(socket: MysqlSocket, server: Greeting) {
    this.#socket = socket;
    this.server = server;
  }

  static async open(settings: MysqlSettings): Promise<MysqlConnection> {
    const socket = await MysqlSocket.open(settings, { clock: settings.clock, timeoutMs: ANSWER_TIMEOUT_MS });
    try {
      return new MysqlConnection(socket, await logIn(socket, settings));
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** All rows of a statement, as the server prints them; none where it gives no result. */
  async query(sql: string, timeoutMs = ANSWER_TIMEOUT_MS): Promise<readonly TextRow[]> {
    const rows: TextRow[] = [];
    await this.select(sql, { timeoutMs, read: (packet, columns) => rows.push(textRow(packet, columns)) });
    return rows;
  }

  /** Hands each row on as the packet that it came in, before the next is looked at. `timeoutMs`: for each wait. */
  async select(
    sql: string,
    {
      read,
      timeoutMs = ANSWER_TIMEOUT_MS,
    }: { readonly read: (packet: ByteReader, columns: number) => void; readonly timeoutMs?: number },
  ): Promise<void> {
    this.#socket.command(Buffer.concat([Buffer.of(COMMAND_QUERY), Buffer.from(sql)]));
    const first = await this.#answer(timeoutMs);
    if (first.buffer[first.at] === 0) return;
    const columns = first.length();
    for (let index = 0; index < columns; index += 1) await this.#answer(timeoutMs);
    if (!isEnd(await this.#answer(timeoutMs))) throw new MysqlProtocolError('columns without an end');
    for (;;) {
      // Rows that are here are read without a turn of the event loop for each.
      const packet = this.#socket.advance() ? this.#demandNoRefusal() : await this.#answer(timeoutMs);
      if (isEnd(packet)) return;
      read(packet, columns);
    }
  }

  /** Sends a command whose answer goes on: `advance` and `arrival` have its packets. */
  command(payload: Buffer): void {
    this.#socket.command(payload);
  }

  /** As `MysqlSocket` has it. */
  advance(): boolean {
    return this.#socket.advance();
  }

  get packet(): ByteReader {
    return this.#socket.packet;
  }

  arrival(timeoutMs: number, signal?: CancelSignal): Promise<void> {
    return this.#socket.arrival(timeoutMs, signal);
  }

  /** For how long nothing came. */
  silentMs(): number {
    return this.#socket.silentMs();
  }

  close(reason?: string): void {
    this.#socket.close(reason);
  }

  async #answer(timeoutMs: number): Promise<ByteReader> {
    await this.#socket.receive(timeoutMs);
    return this.#demandNoRefusal();
  }

  #demandNoRefusal(): ByteReader {
    const { packet } = this.#socket;
    if (isRefusal(packet)) throw refusalIn(packet);
    return packet;
  }
}

/** How long the next cell is; `null` for a null. Moves to where it begins. */
export function cellLength(packet: ByteReader): number | null {
  if (packet.buffer[packet.at] !== NULL_CELL) return packet.length();
  packet.skip(1);
  return null;
}

function textRow(packet: ByteReader, columns: number): TextRow {
  return Array.from({ length: columns }, () => {
    const length = cellLength(packet);
    return length === null ? null : packet.utf8(length);
  });
}
