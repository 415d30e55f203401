/**
 * Follows a server's log from a checkpoint on, and says at each moment from which checkpoint the same would follow.
 *
 * A checkpoint is the last commit, and how far into the next transaction changes were given: so one of any size makes progress.
 * Changes are counted by the events that hold them, of all tables, so that the count does not depend on which tables are wanted.
 */
import type {
  BinlogEvent,
  BinlogPlace,
  Statement,
  TransactionBegin,
  TransactionEnd,
} from '../../../clients/binlog/binlog-events.ts';
import { BinlogReader } from '../../../clients/binlog/binlog-reader.ts';
import type { Gtid, GtidSet } from '../../../clients/binlog/gtid.ts';
import { MysqlGtidSet } from '../../../clients/binlog/mysql-gtid-set.ts';
import type { RowChange, RowOperation, RowsEvent } from '../../../clients/binlog/rows-event.ts';
import { POSITION_END } from '../../../clients/binlog/start-dump.ts';
import type { TableLayout } from '../../../clients/binlog/table-layout.ts';
import { UnreadableBinlog } from '../../../clients/binlog/unreadable.ts';
import type { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import type { CancelSignal } from '../../../core/ports.ts';
import type { InsideTransaction, LogCheckpoint } from './cdc-checkpoint.ts';
import { isBefore } from './log-places.ts';
import { type Resumption, resumption } from './resumption.ts';
import { demandLoggedAsRows } from './statements.ts';
import { type Transaction, transactionOf } from './transaction.ts';

export interface FollowOptions {
  readonly serverId: number;
  /** Waits for what comes; otherwise the end is the end. */
  readonly follows: boolean;
  readonly isWanted: (layout: TableLayout) => boolean;
  /** Tells of ends of transactions, and of one that was given in part tells everything again, as given. */
  readonly tellsTransactions: boolean;
}

interface InTransaction {
  readonly transaction: Transaction;
  /** The number of the event in its transaction, and of the row in the event. */
  readonly event: number;
  readonly row: number;
  /** Where the event stands in the file; `null` where that is not known. */
  readonly position: number | null;
  /** So many of the records that are made of it were given before. */
  readonly given: number;
}

export interface LoggedChange extends InTransaction {
  readonly kind: 'change';
  readonly layout: TableLayout;
  readonly operation: RowOperation;
  readonly change: RowChange;
}

/** SQL that changes no rows one by one. */
export interface LoggedStatement extends InTransaction {
  readonly kind: 'statement';
  readonly statement: Statement;
}

/** A commit. It counts as an event of one row. */
export interface LoggedEnd extends InTransaction {
  readonly kind: 'end';
}

export type Logged = LoggedChange | LoggedStatement | LoggedEnd;

/** Of records of a change that was given as a whole. */
const ALL_GIVEN = Number.POSITIVE_INFINITY;

export class LogFollower {
  /** Waits for what comes; otherwise the end is the end. */
  readonly follows: boolean;
  /** Where to stop: between two transactions. */
  limit: BinlogPlace | null = null;
  readonly #reader: BinlogReader;
  readonly #isWanted: FollowOptions['isWanted'];
  readonly #tellsTransactions: boolean;
  readonly #gtids: GtidSet | null;
  /** The same, where some of them were read from another server. */
  readonly #leftOut: MysqlGtidSet | null;
  #isLeftOut = false;
  /** Where it began, as long as no place behind that is known. */
  readonly #from: LogCheckpoint;
  /** Up to here, the first transaction was given before. */
  #given: InsideTransaction | null;
  #transaction: Transaction | null = null;
  #hasChanges = false;
  /** Of the transaction, the event that is being read, or comes next. */
  #event = 0;
  /** Of that event, the row that comes next. */
  #row = 0;
  #rows: RowsEvent | null = null;
  /** The event is a statement, which was given. */
  #isStatementGiven = false;
  /** The transaction ended, which was told. */
  #told: TransactionEnd | null = null;
  #statement: InsideTransaction['statement'] = null;

  private constructor(reader: BinlogReader, { at, gtids }: Resumption, { follows, isWanted, tellsTransactions }: FollowOptions) {
    this.follows = follows;
    this.#reader = reader;
    this.#from = at;
    this.#isWanted = isWanted;
    this.#tellsTransactions = tellsTransactions;
    this.#gtids = gtids;
    this.#leftOut = at.era > 0 && gtids instanceof MysqlGtidSet ? gtids : null;
    this.#given = at.inside;
    if (at.inside === null || at.inside.statement === null) return;
    const { gtid, serverId, committedAtUs, statement } = at.inside;
    const known = gtid === null ? null : gtidOf(gtid);
    this.#transaction = transactionOf({ era: at.era, place: at.place, gtid: known, serverId, committedAtUs });
    this.#hasChanges = true;
    this.#event = statement.event;
    this.#statement = statement;
  }

  /** The connection is the follower's from here on. */
  static async start(connection: MysqlConnection, from: LogCheckpoint, options: FollowOptions): Promise<LogFollower> {
    const { serverId, follows } = options;
    const resumed = await resumption(connection, from, options);
    const { dump, isInTransaction } = resumed;
    const reader = await BinlogReader.start(connection, { serverId, follows, from: dump, isInTransaction });
    return new LogFollower(reader, resumed, options);
  }

  /** The next statement, or change of a table that is wanted; `null`: nothing more is here, or it stands at its limit. */
  next(): Logged | null {
    if (this.#isStatementGiven) this.#nextEvent();
    if (this.#told !== null) this.#end(this.#told);
    for (;;) {
      const change = this.#nextChange();
      if (change !== null) return change;
      if (this.isAtLimit) return null;
      const event = this.#reader.next();
      if (event === null) return null;
      if (this.#isGivenElsewhere(event)) continue;
      if (event.kind === 'begin') this.#begin(event);
      else if (event.kind === 'rows') this.#open(event);
      else if (event.kind === 'end') {
        const end = this.#nextEnd(event);
        if (end !== null) return end;
      } else {
        const statement = this.#nextStatement(event);
        if (statement !== null) return statement;
      }
    }
  }

  /** Whether everything is given that was committed by `limit`, and nothing that was committed later. */
  get isAtLimit(): boolean {
    const { reached } = this.#reader;
    return this.limit !== null && this.#transaction === null && reached !== null && !isBefore(reached, this.limit);
  }

  /** Everything that was committed before that was given; `null`: the server has not said anything yet. */
  get reached(): BinlogPlace | null {
    return this.#reader.reached;
  }

  /** Nothing more comes, as it does not follow. */
  get isAtEnd(): boolean {
    return this.#reader.isAtEnd;
  }

  arrival(timeoutMs: number, signal?: CancelSignal): Promise<void> {
    return this.#reader.arrival(timeoutMs, signal);
  }

  /** `taken`: so many records that are made of the change given last; `null`: all of them, or no change was given. */
  checkpoint(taken: number | null): LogCheckpoint {
    const place = this.#reader.place;
    if (this.#given !== null || place === null) return this.#from;
    const gtids = this.#gtids === null ? null : String(this.#gtids);
    return {
      server: this.#from.server,
      era: this.#from.era,
      place: this.#transaction?.note.place ?? place,
      gtids,
      inside: this.#inside(taken),
    };
  }

  close(): void {
    this.#reader.close();
  }

  // -------------------------------------------------------------------------------------------------------------------

  /** Of another server's transaction: nobody knows behind which of those that this one has it logged it, and places say nothing of that. */
  #isGivenElsewhere(event: BinlogEvent): boolean {
    if (this.#leftOut === null) return false;
    if (event.kind === 'begin') this.#isLeftOut = event.gtid !== null && this.#leftOut.has(event.gtid);
    const isLeftOut = this.#isLeftOut;
    if (event.kind === 'end') this.#isLeftOut = false;
    return isLeftOut;
  }

  #begin({ place, gtid, serverId, committedAtUs }: TransactionBegin): void {
    this.#transaction = transactionOf({ era: this.#from.era, place, gtid, serverId, committedAtUs });
    this.#hasChanges = false;
    this.#event = 0;
    this.#row = 0;
    this.#statement = null;
  }

  #open(rows: RowsEvent): void {
    this.#noteStatement();
    const isGiven = this.#given !== null && this.#event < this.#given.event;
    if ((isGiven && !this.#tellsTransactions) || !this.#isWanted(rows.layout)) this.#nextEvent();
    else this.#rows = rows;
  }

  #noteStatement(): void {
    const position = this.#reader.statementAt;
    if (position === null || position >= POSITION_END) this.#statement = null;
    else if (position !== this.#statement?.position) this.#statement = { position, event: this.#event };
  }

  #nextEvent(): void {
    this.#rows = null;
    this.#isStatementGiven = false;
    this.#event += 1;
    this.#row = 0;
    if (this.#given !== null && this.#event > this.#given.event) this.#given = null;
  }

  #nextChange(): LoggedChange | null {
    const rows = this.#rows;
    const transaction = this.#transaction;
    if (rows === null || transaction === null) return null;
    for (let change = rows.next(); change !== null; change = rows.next()) {
      const row = this.#row;
      this.#row += 1;
      const isGiven = this.#isGiven(row);
      if (isGiven && !this.#tellsTransactions) continue;
      const given = isGiven ? ALL_GIVEN : this.#given?.row === row ? this.#given.part : 0;
      if (!isGiven) this.#given = null;
      this.#hasChanges = true;
      const { layout, operation, position } = rows;
      return { kind: 'change', transaction, layout, operation, change, event: this.#event, row, position, given };
    }
    this.#nextEvent();
    return null;
  }

  /** Whether all records of it were given before. */
  #isGiven(row: number): boolean {
    const given = this.#given;
    return given !== null && (this.#event < given.event || (this.#event === given.event && row < given.row));
  }

  /** It counts as an event of one row. `null`: it was given before. */
  #nextStatement(statement: Statement): LoggedStatement | null {
    demandLoggedAsRows(statement);
    const transaction = this.#transaction;
    const before = this.#given;
    if (transaction === null || this.#isGiven(0)) {
      this.#nextEvent();
      return null;
    }
    this.#given = null;
    this.#row = 1;
    this.#isStatementGiven = true;
    return { kind: 'statement', transaction, statement, event: this.#event, row: 0, position: null, given: before?.part ?? 0 };
  }

  /** `null`: it is not told. */
  #nextEnd(end: TransactionEnd): LoggedEnd | null {
    const transaction = this.#transaction;
    if (transaction === null || !this.#tellsTransactions || end.outcome !== 'committed' || this.#isGiven(0)) {
      this.#end(end);
      return null;
    }
    this.#given = null;
    this.#row = 1;
    this.#told = end;
    return { kind: 'end', transaction, event: this.#event, row: 0, position: null, given: 0 };
  }

  /** Nothing but a commit makes the changes that were given true. */
  #end({ outcome }: TransactionEnd): void {
    if (outcome !== 'committed' && this.#hasChanges) {
      const what =
        outcome === 'prepared'
          ? 'an XA transaction changed captured tables, and is only prepared'
          : 'a transaction was logged, and then rolled back';
      throw new UnreadableBinlog(what, XA);
    }
    const gtid = this.#transaction?.note.gtid ?? null;
    if (gtid !== null) this.#gtids?.add(gtid);
    this.#transaction = null;
    this.#given = null;
    this.#told = null;
  }

  #inside(taken: number | null): InsideTransaction | null {
    if (this.#transaction === null) return null;
    const row = taken === null ? this.#row : this.#row - 1;
    const part = taken ?? 0;
    if (this.#event === 0 && row === 0 && part === 0) return null;
    const { gtid, serverId, committedAtUs } = this.#transaction.note;
    const statement = this.#tellsTransactions ? null : this.#statement;
    return { event: this.#event, row, part, statement, gtid: gtid?.text ?? null, serverId, committedAtUs };
  }
}

const XA =
  'leave tables that such transactions change out; reset the offsets of the connector to read its tables anew and go on behind';

/** Of MySQL `uuid:number` or `uuid:tag:number`, of MariaDB `domain-server-number`. */
function gtidOf(text: string): Gtid {
  const colon = text.lastIndexOf(':');
  const source = colon < 0 ? text.slice(0, text.indexOf('-')) : text.slice(0, colon);
  return { source, number: Number(text.slice((colon < 0 ? text.lastIndexOf('-') : colon) + 1)), text };
}
