/**
 * Follows a server's log from a checkpoint on, and says at each moment from which checkpoint the same would follow: behind the last
 * commit, and how far into the next transaction.
 */
import type {
  BinlogEvent,
  BinlogPlace,
  Statement,
  TransactionBegin,
  TransactionEnd,
} from '../../../clients/binlog/binlog-events.ts';
import { BinlogReader } from '../../../clients/binlog/binlog-reader.ts';
import type { GtidSet } from '../../../clients/binlog/gtid.ts';
import { MysqlGtidSet } from '../../../clients/binlog/mysql-gtid-set.ts';
import type { RowChange, RowOperation, RowsEvent } from '../../../clients/binlog/rows-event.ts';
import type { TableLayout } from '../../../clients/binlog/table-layout.ts';
import { UnreadableBinlog } from '../../../clients/binlog/unreadable.ts';
import type { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import type { CancelSignal } from '../../../core/ports.ts';
import type { LogCheckpoint } from './cdc-checkpoint.ts';
import { isBefore } from './log-places.ts';
import { type Resumption, resumption } from './resumption.ts';
import { demandLoggedAsRows } from './statements.ts';
import { type Transaction, transactionOf } from './transaction.ts';
import { ALL_GIVEN, TransactionProgress } from './transaction-progress.ts';

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
  /** So many of the records that are made of it were given before. */
  readonly given: number;
  /** Where the event stands in the file; `null` where that is not known. */
  readonly position: number | null;
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
  readonly #progress: TransactionProgress;
  #rows: RowsEvent | null = null;
  /** The event is a statement, which was given. */
  #isStatementGiven = false;
  /** The transaction ended, which was told. */
  #told: TransactionEnd | null = null;

  private constructor(reader: BinlogReader, { at, gtids }: Resumption, { follows, isWanted, tellsTransactions }: FollowOptions) {
    this.follows = follows;
    this.#reader = reader;
    this.#from = at;
    this.#isWanted = isWanted;
    this.#tellsTransactions = tellsTransactions;
    this.#gtids = gtids;
    this.#leftOut = at.era > 0 && gtids instanceof MysqlGtidSet ? gtids : null;
    this.#progress = new TransactionProgress(at, { tellsTransactions });
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
    return this.limit !== null && this.#progress.transaction === null && reached !== null && !isBefore(reached, this.limit);
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
    if (!this.#progress.isPastGiven || place === null) return this.#from;
    const gtids = this.#gtids === null ? null : String(this.#gtids);
    return {
      server: this.#from.server,
      era: this.#from.era,
      place: this.#progress.transaction?.note.place ?? place,
      gtids,
      inside: this.#progress.inside(taken),
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
    this.#progress.begin(transactionOf({ era: this.#from.era, place, gtid, serverId, committedAtUs }));
  }

  #open(rows: RowsEvent): void {
    this.#progress.describe(this.#reader.statementAt);
    const isPassedOver = this.#progress.isEventGiven && !this.#tellsTransactions;
    if (isPassedOver || !this.#isWanted(rows.layout)) this.#nextEvent();
    else this.#rows = rows;
  }

  #nextEvent(): void {
    this.#rows = null;
    this.#isStatementGiven = false;
    this.#progress.nextEvent();
  }

  #nextChange(): LoggedChange | null {
    const rows = this.#rows;
    const { transaction } = this.#progress;
    if (rows === null || transaction === null) return null;
    for (let change = rows.next(); change !== null; change = rows.next()) {
      const given = this.#progress.nextRow();
      if (given === ALL_GIVEN && !this.#tellsTransactions) continue;
      this.#progress.hasChanges = true;
      const { layout, operation, position } = rows;
      const { event, row } = this.#progress;
      return { kind: 'change', transaction, layout, operation, change, event, row, position, given };
    }
    this.#nextEvent();
    return null;
  }

  /** `null`: it was given before. */
  #nextStatement(statement: Statement): LoggedStatement | null {
    demandLoggedAsRows(statement);
    const { transaction } = this.#progress;
    const given = this.#progress.nextRow();
    if (transaction === null || given === ALL_GIVEN) {
      this.#nextEvent();
      return null;
    }
    this.#isStatementGiven = true;
    const { event, row } = this.#progress;
    return { kind: 'statement', transaction, statement, event, row, position: null, given };
  }

  /** `null`: it is not told. */
  #nextEnd(end: TransactionEnd): LoggedEnd | null {
    const { transaction } = this.#progress;
    const isTold = this.#tellsTransactions && end.outcome === 'committed' && this.#progress.nextRow() !== ALL_GIVEN;
    if (transaction === null || !isTold) {
      this.#end(end);
      return null;
    }
    this.#told = end;
    const { event, row } = this.#progress;
    return { kind: 'end', transaction, event, row, position: null, given: 0 };
  }

  /** Nothing but a commit makes the changes that were given true. */
  #end({ outcome }: TransactionEnd): void {
    if (outcome !== 'committed' && this.#progress.hasChanges) {
      const what =
        outcome === 'prepared'
          ? 'an XA transaction changed captured tables, and is only prepared'
          : 'a transaction was logged, and then rolled back';
      throw new UnreadableBinlog(what, XA);
    }
    const gtid = this.#progress.transaction?.note.gtid ?? null;
    if (gtid !== null) this.#gtids?.add(gtid);
    this.#progress.end();
    this.#told = null;
  }
}

const XA =
  'leave tables that such transactions change out; reset the offsets of the connector to read its tables anew and go on behind';
