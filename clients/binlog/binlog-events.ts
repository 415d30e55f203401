/**
 * What a reader gives: transactions, each `begin`, then `rows` and `statement`s, then `end`. A change of the schema is a transaction of
 * one statement.
 */
import type { Gtid } from './gtid.ts';
import type { RowsEvent } from './rows-event.ts';

/** Between two events of a file. */
export interface BinlogPlace {
  readonly file: string;
  readonly position: number;
}

export interface TransactionBegin {
  readonly kind: 'begin';
  readonly place: BinlogPlace;
  /** `null`: the server gives its transactions no names. */
  readonly gtid: Gtid | null;
  /** The server that it was committed on first. */
  readonly serverId: number;
  /** With the precision that the server has: MariaDB's is a second. */
  readonly committedAtUs: number;
}

/** SQL as it was run: what changes the schema, and changes of rows that were not logged as rows. */
export interface Statement {
  readonly kind: 'statement';
  readonly database: string;
  readonly sql: string;
}

export interface TransactionEnd {
  readonly kind: 'end';
  /** `prepared`: the first half of an XA transaction. `rolledBack`: what was logged did not happen. */
  readonly outcome: 'committed' | 'prepared' | 'rolledBack';
}

export type BinlogEvent = TransactionBegin | RowsEvent | Statement | TransactionEnd;
