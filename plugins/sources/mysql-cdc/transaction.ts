/** What the changes of a transaction share, as events say it. */
import type { BinlogPlace } from '../../../clients/binlog/binlog-events.ts';
import type { Gtid } from '../../../clients/binlog/gtid.ts';
import { fileNumber } from './log-places.ts';

export interface TransactionNote {
  readonly era: number;
  readonly place: BinlogPlace;
  readonly gtid: Gtid | null;
  readonly serverId: number;
  readonly committedAtUs: number;
}

export interface Transaction {
  readonly note: TransactionNote;
  readonly era: bigint;
  /** Files of a log are numbered. */
  readonly fileNumber: bigint;
  readonly position: bigint;
  readonly serverId: bigint;
  readonly atMs: number;
  readonly tsMs: bigint;
  readonly tsUs: bigint;
  readonly tsNs: bigint;
}

export function transactionOf(note: TransactionNote): Transaction {
  const { era, place, serverId, committedAtUs } = note;
  const tsUs = BigInt(committedAtUs);
  const atMs = Math.floor(committedAtUs / 1_000);
  return {
    note,
    era: BigInt(era),
    fileNumber: fileNumber(place.file),
    position: BigInt(place.position),
    serverId: BigInt(serverId),
    atMs,
    tsMs: BigInt(atMs),
    tsUs,
    tsNs: tsUs * 1_000n,
  };
}
