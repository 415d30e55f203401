/** Where records are from, as they say it, and as they are ordered by it. */
import type { BinlogPlace } from '../../../clients/binlog/binlog-events.ts';
import type { Position } from '../../../core/record/position.ts';
import type { Struct } from '../../../core/record/schema.ts';
import type { LoggedChange, LoggedStatement } from './log-follower.ts';
import { fileNumber } from './log-places.ts';
import { VERSION } from './version.ts';

export interface SourceNames {
  readonly connector: 'mysql' | 'mariadb';
  readonly name: string;
  readonly db: string;
  /** `null`: not of one table. */
  readonly table: string | null;
}

/** What a row that was read, not logged, is told by. */
export interface ReadRow {
  readonly era: number;
  /** It is as it was there. */
  readonly place: BinlogPlace;
  /** Of all rows that were read. */
  readonly index: number;
  readonly serverId: bigint;
  readonly atMs: number;
}

export interface Origin {
  readonly tsMs: bigint;
  readonly tsUs: bigint;
  readonly tsNs: bigint;
  readonly atMs: number;
  readonly isRead: boolean;
  readonly serverId: bigint;
  readonly gtid: string | null;
  readonly place: BinlogPlace;
  readonly position: bigint;
  readonly row: number;
  /** Before the part of the change. */
  readonly prefix: Position;
  readonly nowMs: bigint;
  /** Debezium's block `transaction` of the next event. Absent: none. */
  readonly nextInTransaction?: (() => Struct) | undefined;
}

/** Debezium's block `source`. */
export function sourceOf(origin: Origin, { connector, name, db, table }: SourceNames): Struct {
  return {
    version: VERSION,
    connector,
    name,
    ts_ms: origin.tsMs,
    ts_us: origin.tsUs,
    ts_ns: origin.tsNs,
    snapshot: origin.isRead ? 'true' : 'false',
    db,
    table,
    server_id: origin.serverId,
    gtid: origin.gtid,
    file: origin.place.file,
    pos: origin.position,
    row: origin.row,
  };
}

export function originOf(
  { transaction, event, row, position }: LoggedChange | LoggedStatement,
  nowMs: number,
  nextInTransaction?: Origin['nextInTransaction'],
): Origin {
  const { note, era, fileNumber: file, position: begin, serverId, atMs, tsMs, tsUs, tsNs } = transaction;
  return {
    ...{ tsMs, tsUs, tsNs, atMs, serverId, row },
    isRead: false,
    gtid: note.gtid?.text ?? null,
    place: note.place,
    position: position === null ? begin : BigInt(position),
    prefix: [era, file, begin, BigInt(event), BigInt(row)],
    nowMs: BigInt(nowMs),
    nextInTransaction,
  };
}

/**
 * Below whatever begins at that place, and above all before it. By its number among the rows, so that they grow; and by its key, for
 * among others than last time it may have the number of another row.
 */
export function originOfRead({ era, place, index, serverId, atMs }: ReadRow, keyHash: bigint): Origin {
  const tsMs = BigInt(atMs);
  const position = BigInt(place.position);
  return {
    tsMs,
    tsUs: tsMs * 1_000n,
    tsNs: tsMs * 1_000_000n,
    atMs,
    isRead: true,
    serverId,
    gtid: null,
    place,
    position,
    row: 0,
    prefix: [BigInt(era), fileNumber(place.file), position - 1n, BigInt(index), keyHash],
    nowMs: tsMs,
  };
}
