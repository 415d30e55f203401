/** The name of a transaction that all servers of a replication know it by. */
export interface Gtid {
  /** MySQL: the server's uuid, and the tag where there is one, `uuid:tag`. MariaDB: the domain. */
  readonly source: string;
  readonly number: number;
  readonly text: string;
}

/** The transactions that were read. */
export interface GtidSet {
  /** Transactions of one source come in the order of their numbers, as a rule. */
  add(gtid: Gtid): void;
  /** As the server prints it. */
  toString(): string;
}
