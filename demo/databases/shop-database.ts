/** What a shop keeps its rows in. Whoever has it does one thing at a time. */

export type Cell = string | number | bigint;

/** By its columns. Integers as they come: numbers, bigints, or digits. */
export type Row = Readonly<Record<string, unknown>>;

export interface ShopDatabase {
  /** Where it is, for people. */
  readonly place: string;
  /** A transaction, until `run('COMMIT')` or `run('ROLLBACK')`. */
  begin(): Promise<void>;
  /** So many rows it has changed. */
  run(sql: string, ...values: readonly Cell[]): Promise<number>;
  insert(table: string, rows: readonly (readonly Cell[])[]): Promise<void>;
  rows(table: string): Promise<readonly Row[]>;
  close(): Promise<void>;
}
