/**
 * How far into a transaction changes are given, and were given before by whoever read it first: so one of any size makes progress.
 *
 * Changes are counted by the events that hold them, of all tables, so that the count does not depend on which tables are wanted.
 */
import type { Gtid } from '../../../clients/binlog/gtid.ts';
import { POSITION_END } from '../../../clients/binlog/start-dump.ts';
import type { InsideTransaction, LogCheckpoint } from './cdc-checkpoint.ts';
import { type Transaction, transactionOf } from './transaction.ts';

/** Of records of a change that was given as a whole. */
export const ALL_GIVEN = Number.POSITIVE_INFINITY;

export class TransactionProgress {
  /** `null`: it stands between two. */
  transaction: Transaction | null = null;
  /** Rows of it were given. */
  hasChanges = false;
  readonly #tellsTransactions: boolean;
  /** Up to here, the first transaction was given before. */
  #given: InsideTransaction | null;
  /** The event that is being read, or comes next. */
  #event = 0;
  /** Of that event, the row that comes next. */
  #row = 0;
  #statement: InsideTransaction['statement'] = null;

  constructor({ era, place, inside }: LogCheckpoint, { tellsTransactions }: { readonly tellsTransactions: boolean }) {
    this.#tellsTransactions = tellsTransactions;
    this.#given = inside;
    if (inside === null || inside.statement === null) return;
    const { gtid, serverId, committedAtUs, statement } = inside;
    this.transaction = transactionOf({ era, place, gtid: gtid === null ? null : gtidOf(gtid), serverId, committedAtUs });
    this.hasChanges = true;
    this.#event = statement.event;
    this.#statement = statement;
  }

  begin(transaction: Transaction): void {
    this.transaction = transaction;
    this.hasChanges = false;
    this.#event = 0;
    this.#row = 0;
    this.#statement = null;
  }

  end(): void {
    this.transaction = null;
    this.#given = null;
  }

  /** Rows come, of tables that are described at `position`; `null` where that is not known. */
  describe(position: number | null): void {
    if (position === null || position >= POSITION_END) this.#statement = null;
    else if (position !== this.#statement?.position) this.#statement = { position, event: this.#event };
  }

  nextEvent(): void {
    this.#event += 1;
    this.#row = 0;
    if (this.#given !== null && this.#event > this.#given.event) this.#given = null;
  }

  /** Counts the next row of the event; a statement, and a commit, count as one. So many of its records were given before. */
  nextRow(): number {
    const given = this.#given;
    const row = this.#row;
    this.#row += 1;
    if (given !== null && (this.#event < given.event || row < given.row)) return ALL_GIVEN;
    this.#given = null;
    return given?.row === row ? given.part : 0;
  }

  /** The number of the event in its transaction. */
  get event(): number {
    return this.#event;
  }

  /** The number, in the event, of the row counted last. */
  get row(): number {
    return this.#row - 1;
  }

  /** Whether all of the event was given before. */
  get isEventGiven(): boolean {
    return this.#given !== null && this.#event < this.#given.event;
  }

  /** Whether what was given before is behind it. */
  get isPastGiven(): boolean {
    return this.#given === null;
  }

  /** `taken`: so many records of the row counted last; `null`: all of them, or none was counted. */
  inside(taken: number | null): InsideTransaction | null {
    if (this.transaction === null) return null;
    const row = taken === null ? this.#row : this.#row - 1;
    const part = taken ?? 0;
    if (this.#event === 0 && row === 0 && part === 0) return null;
    const { gtid, serverId, committedAtUs } = this.transaction.note;
    const statement = this.#tellsTransactions ? null : this.#statement;
    return { event: this.#event, row, part, statement, gtid: gtid?.text ?? null, serverId, committedAtUs };
  }
}

/** Of MySQL `uuid:number` or `uuid:tag:number`, of MariaDB `domain-server-number`. */
function gtidOf(text: string): Gtid {
  const colon = text.lastIndexOf(':');
  const source = colon < 0 ? text.slice(0, text.indexOf('-')) : text.slice(0, colon);
  return { source, number: Number(text.slice((colon < 0 ? text.lastIndexOf('-') : colon) + 1)), text };
}
