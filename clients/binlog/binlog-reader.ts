/**
 * Reads the binary log of a server from a place on, as a replica does, over a connection of its own.
 *
 * `next` gives what has arrived, in order, until it answers `null`; `arrival` waits for more. Nothing is decoded before it is asked
 * for, and while nobody asks the server waits.
 *
 * `next` throws `MysqlRefusal`, `MysqlUnreachable`, `MysqlProtocolError` and `UnreadableBinlog`. After that nothing more is given:
 * behind something that cannot be read lies a gap that nobody would see.
 */
import type { CancelSignal } from '../../core/ports.ts';
import type { MysqlConnection } from '../mysql/mysql-connection.ts';
import type { BinlogEvent, BinlogPlace, TransactionBegin, TransactionEnd } from './binlog-events.ts';
import { demandHarmless } from './event-kinds.ts';
import { EventStream } from './event-stream.ts';
import { EventType } from './event-type.ts';
import { type GtidEvent, MysqlGtidEvents, readMariadbGtid, readTaggedGtid } from './gtid-events.ts';
import { readQuery } from './query-event.ts';
import { isRowsPacked, type RowOperation, RowsEvent, rowOperation } from './rows-event.ts';
import { type DumpOptions, startDump } from './start-dump.ts';
import { TableMaps } from './table-maps.ts';
import { UnreadableBinlog } from './unreadable.ts';

/** A server that has nothing to say says so every second. */
const SILENT_MS_MAX = 10_000;

/** What ends a statement that changed nothing of any table. */
const NO_TABLE = 0xff_ffff;

export class BinlogReader {
  readonly #connection: MysqlConnection;
  readonly #events: EventStream;
  readonly #gtidEvents = new MysqlGtidEvents();
  readonly #tables: TableMaps;
  #place: BinlogPlace | null;
  #isInTransaction: boolean;
  /** Whether what follows belongs together until it is committed; otherwise it is one statement. */
  #isOpen: boolean;
  #statementAt: number | null = null;
  #isStatementOpen = false;
  /** A transaction of one statement, which was given, ends next. */
  #isEndDue = false;
  #failure: Error | null = null;
  readonly #onFailure = (error: unknown): void => {
    this.#failure = error as Error;
  };

  private constructor(connection: MysqlConnection, { from, follows, isInTransaction }: DumpOptions) {
    this.#connection = connection;
    this.#tables = new TableMaps(connection.server.isMariadb);
    this.#place = 'file' in from ? from : null;
    this.#isInTransaction = isInTransaction === true;
    this.#isOpen = this.#isInTransaction;
    this.#events = new EventStream(connection, { from: this.#place ?? NOWHERE, follows });
  }

  /** The connection is the reader's from here on. */
  static async start(connection: MysqlConnection, options: DumpOptions): Promise<BinlogReader> {
    await startDump(connection, options);
    return new BinlogReader(connection, options);
  }

  /**
   * Behind the last whole transaction that was given: reading may begin there. `null`: reading began behind a set of transactions, and
   * none was given yet; what lies before the first one need not be in that set.
   */
  get place(): BinlogPlace | null {
    return this.#place;
  }

  /**
   * What was committed before that was given, or was among the transactions that are not wanted: it moves with what the server leaves
   * out, too. `null`: it has not said anything yet.
   */
  get reached(): BinlogPlace | null {
    return this.#isInTransaction ? this.#place : this.#events.reached;
  }

  /**
   * Where, in the file, the tables of the rows given last are described: within a transaction reading may begin there, too. `null`
   * where that is not known.
   */
  get statementAt(): number | null {
    return this.#statementAt;
  }

  /** Nothing more comes. Never so of a reader that follows. */
  get isAtEnd(): boolean {
    return this.#events.isAtEnd;
  }

  next(): BinlogEvent | null {
    if (this.#failure !== null) throw this.#failure;
    try {
      return this.#next();
    } catch (error) {
      this.#onFailure(error);
      throw error;
    }
  }

  /** Resolves when there may be more, the time is over, or the signal aborts. */
  async arrival(timeoutMs: number, signal?: CancelSignal): Promise<void> {
    await this.#connection.arrival(timeoutMs, signal);
    if (this.#connection.silentMs() > SILENT_MS_MAX) this.close(`nothing came for ${SILENT_MS_MAX} ms`);
  }

  close(reason?: string): void {
    this.#connection.close(reason);
  }

  #next(): BinlogEvent | null {
    if (this.#isEndDue) return this.#end('committed');
    while (this.#events.advance()) {
      const event = this.#read();
      if (event !== null) return event;
      if (!this.#isInTransaction && this.#place !== null) this.#place = this.#events.end;
    }
    return null;
  }

  #read(): BinlogEvent | null {
    const { header, bytes } = this.#events;
    const operation = rowOperation(header.type);
    if (operation !== undefined) return this.#rows(operation);
    switch (header.type) {
      case EventType.TABLE_MAP:
        return this.#describe();
      case EventType.GTID:
        return this.#begin(this.#gtidEvents.read(bytes, false));
      case EventType.ANONYMOUS_GTID:
        return this.#begin(this.#gtidEvents.read(bytes, true));
      case EventType.GTID_TAGGED:
        return this.#begin(readTaggedGtid(bytes));
      case EventType.MARIADB_GTID:
        return this.#begin(readMariadbGtid(bytes, header.serverId));
      case EventType.QUERY:
      case EventType.MARIADB_QUERY_COMPRESSED:
        return this.#query();
      case EventType.XID:
        return this.#end('committed');
      case EventType.XA_PREPARE:
        return this.#end(bytes.uint8() === 0 ? 'prepared' : 'committed');
      default:
        demandHarmless(header);
        return null;
    }
  }

  #begin({ gtid, committedAtUs, isOpen }: GtidEvent): TransactionBegin {
    const { atSeconds, serverId } = this.#events.header;
    this.#isInTransaction = true;
    this.#isOpen = isOpen;
    const { end, start } = this.#events;
    const place = { file: end.file, position: start ?? end.position };
    this.#place = place;
    return { kind: 'begin', place, gtid, serverId, committedAtUs: committedAtUs ?? atSeconds * 1_000_000 };
  }

  #end(outcome: TransactionEnd['outcome']): TransactionEnd {
    this.#demandTransaction();
    this.#isEndDue = false;
    this.#isInTransaction = false;
    this.#isStatementOpen = false;
    this.#place = this.#events.end;
    return { kind: 'end', outcome };
  }

  #query(): BinlogEvent | null {
    const { header, bytes } = this.#events;
    const { database, sql } = readQuery(bytes, header.type === EventType.MARIADB_QUERY_COMPRESSED);
    this.#demandTransaction();
    if (sql === 'COMMIT') return this.#end('committed');
    if (sql === 'ROLLBACK') return this.#end('rolledBack');
    if (sql === 'BEGIN' || sql.startsWith('XA START ')) {
      this.#isOpen = true;
      return null;
    }
    if (sql.startsWith('SAVEPOINT ') || sql.startsWith('XA END ')) return null;
    if (sql.startsWith('ROLLBACK TO '))
      throw new UnreadableBinlog('a part of a transaction was logged and then rolled back', BEHIND);
    this.#isEndDue = !this.#isOpen;
    return { kind: 'statement', database, sql };
  }

  #describe(): null {
    if (!this.#isStatementOpen) this.#statementAt = this.#events.start;
    this.#isStatementOpen = true;
    this.#tables.read(this.#events.bytes);
    return null;
  }

  #rows(operation: RowOperation): RowsEvent | null {
    const { header, bytes } = this.#events;
    this.#demandTransaction();
    const table = bytes.uint48();
    const flags = bytes.uint16();
    if (header.type >= EventType.WRITE_ROWS && header.type <= EventType.DELETE_ROWS) bytes.skip(bytes.uint16() - 2);
    this.#isStatementOpen = (flags & STATEMENT_END) === 0;
    if (table === NO_TABLE) return null;
    return new RowsEvent(bytes, {
      operation,
      layout: this.#tables.of(table),
      position: this.#events.start,
      isPacked: isRowsPacked(header.type),
      onFailure: this.#onFailure,
    });
  }

  #demandTransaction(): void {
    if (this.#isInTransaction) return;
    throw new UnreadableBinlog('a change outside of any transaction', 'start at the beginning of a transaction');
  }
}

/** Until the server says where it begins. */
const NOWHERE: BinlogPlace = { file: '', position: 4 };

/** The last rows of a statement: its tables are described anew for the next. */
const STATEMENT_END = 1;

const BEHIND = 'start behind this transaction, and read its tables anew';
