import type { BinlogPlace } from '../../../clients/binlog/binlog-events.ts';
import type { Cell } from '../../../clients/binlog/cell.ts';
import { FatalTaskError } from '../../../core/errors.ts';
import type { Json } from '../../../core/json.ts';
import { decodeCell, encodeCell } from './stored-cells.ts';

/** Where a reader stands in a log. */
export interface LogCheckpoint {
  /** Who the place is of; on another server only the transactions say where to go on. */
  readonly server: string;
  /** Raised with each other server, whose places say nothing beside those of the one before. */
  readonly era: number;
  /** Behind the last whole transaction. */
  readonly place: BinlogPlace;
  /** The transactions before that, as the server prints them; `null` where it gives them no names. */
  readonly gtids: string | null;
  /** What of the next transaction was given already; `null`: nothing. */
  readonly inside: InsideTransaction | null;
}

/** Where a reader stands. */
export interface CdcCheckpoint extends LogCheckpoint {
  /** How far tables are read as a whole; `null`: none is to be read any more. */
  readonly snapshot: SnapshotProgress | null;
  /** Rows that were read, of all tables. */
  readonly rows: number;
  /** Which tables are read as a whole, or will be with the snapshot: those that these lists capture. `null`: of none. */
  readonly lists: string | null;
  /** What an operator adds: tables to read as a whole once more, `database.table` each. They are next. `null`: none. */
  readonly again: readonly string[] | null;
  /** When the last heartbeat was sent; 0: none was. */
  readonly beatAtMs: number;
  /** Tables are read by shards of their own, and changes given when these are done. */
  readonly waits: RangesWaitedFor;
}

/** Those that are there or will be; those that were opened before it was committed that it is about to begin; none. */
export type RangesWaitedFor = 'all' | 'toBegin' | null;

export interface SnapshotProgress {
  /** The one that is being read, `[database, table]`; those before it in their order are read. `null`: before the first. */
  readonly table: readonly [database: string, table: string] | null;
  /** Cells of its key, up to which it is read; `null`: nothing of it is read. */
  readonly after: readonly Cell[] | null;
  /** Of a table without a key: so many rows are read, of those that the server has by now, in the order in which it scans them. */
  readonly rank: number;
  /** Which tables are read: all that are captured; those beside what earlier lists captured; these; or those without a key. */
  readonly scope: SnapshotScope;
}

export type SnapshotScope =
  | { readonly beside: string | null }
  | { readonly tables: readonly string[] }
  | { readonly keyless: true };

export const FIRST_TABLE = { table: null, after: null, rank: 0 } as const;

/** The change that comes next: changes of a transaction are counted by the events that hold them. */
export interface InsideTransaction {
  readonly event: number;
  readonly row: number;
  /** A change may be several records: so many of this row's were given. */
  readonly part: number;
  /** Where, in the file, the tables of that event are described, and which event of the transaction comes first there. */
  readonly statement: { readonly position: number; readonly event: number } | null;
  readonly gtid: string | null;
  readonly serverId: number;
  readonly committedAtUs: number;
}

interface StoredCheckpoint {
  readonly v: number;
  readonly server: string;
  readonly era: number;
  readonly file: string;
  readonly pos: number;
  readonly gtids?: string;
  readonly in?: StoredInside;
  readonly snapshot?: StoredSnapshot;
  readonly rows?: number;
  readonly lists?: string;
  readonly again?: Json;
  readonly beat?: number;
  readonly waits?: true | 'toBegin';
}

interface StoredSnapshot {
  readonly table?: readonly [database: string, table: string];
  readonly after?: readonly Json[];
  readonly rank?: number;
  readonly beside?: string;
  readonly tables?: readonly string[];
  readonly keyless?: true;
}

interface StoredInside {
  readonly at: readonly [event: number, row: number, part: number];
  readonly statement?: readonly [position: number, event: number];
  readonly gtid?: string;
  readonly server: number;
  readonly us: number;
}

export function encodeCheckpoint(at: CdcCheckpoint): Json {
  const { server, era, place, gtids, inside, snapshot, rows, lists, again, beatAtMs, waits } = at;
  return {
    v: 1,
    server,
    era,
    file: place.file,
    pos: place.position,
    ...(gtids !== null && { gtids }),
    ...(inside !== null && { in: encodeInside(inside) }),
    ...(snapshot !== null && { snapshot: encodeSnapshot(snapshot) }),
    ...(rows > 0 && { rows }),
    ...(lists !== null && { lists }),
    ...(again !== null && { again }),
    ...(beatAtMs > 0 && { beat: beatAtMs }),
    ...(waits !== null && { waits: waits === 'all' || waits }),
  };
}

function encodeSnapshot({ table, after, rank, scope }: SnapshotProgress): Json {
  return {
    ...(table !== null && { table }),
    ...(after !== null && { after: after.map(encodeCell) }),
    ...(rank > 0 && { rank }),
    ...('beside' in scope ? scope.beside !== null && { beside: scope.beside } : scope),
  };
}

function encodeInside({ event, row, part, statement, gtid, serverId, committedAtUs }: InsideTransaction): Json {
  return {
    at: [event, row, part],
    ...(statement !== null && { statement: [statement.position, statement.event] }),
    ...(gtid !== null && { gtid }),
    server: serverId,
    us: committedAtUs,
  };
}

/** `null` for none. @throws {FatalTaskError} for what this source did not write. */
export function decodeCheckpoint(json: Json): CdcCheckpoint | null {
  if (json === null) return null;
  const {
    v,
    server,
    era,
    file,
    pos,
    gtids,
    in: inside,
    snapshot,
    rows,
    lists,
    waits,
    again,
    beat,
  } = json as unknown as StoredCheckpoint;
  if (
    v !== 1 ||
    typeof server !== 'string' ||
    typeof file !== 'string' ||
    !Number.isSafeInteger(pos) ||
    !Number.isSafeInteger(era)
  ) {
    throw new FatalTaskError(
      `not a checkpoint of mysql-cdc-source: ${JSON.stringify(json)}; next: reset the offsets of the connector`,
    );
  }
  return {
    server,
    era,
    place: { file, position: pos },
    gtids: gtids ?? null,
    inside: inside === undefined ? null : decodeInside(inside),
    snapshot: snapshot === undefined ? null : decodeSnapshot(snapshot),
    rows: rows ?? 0,
    lists: lists ?? null,
    again: again === undefined ? null : tableNames(again),
    beatAtMs: beat ?? 0,
    waits: waits === true ? 'all' : (waits ?? null),
  };
}

function tableNames(again: Json): readonly string[] {
  const names = Array.isArray(again) ? again.filter((name): name is string => typeof name === 'string') : [];
  if (Array.isArray(again) && names.length === again.length) return names;
  throw new FatalTaskError(`"again" of the checkpoint is no list of tables: ${JSON.stringify(again)}; next: ${NAME_TABLES}`);
}

/** To an operator who has tables read once more. */
export const NAME_TABLES =
  'set the checkpoint with "again" as a list of captured tables, "<database>.<table>" each, or without it';

function decodeSnapshot({ table, after, rank, ...scope }: StoredSnapshot): SnapshotProgress {
  return {
    table: table ?? null,
    after: after === undefined ? null : after.map(decodeCell),
    rank: rank ?? 0,
    scope: scopeIn(scope),
  };
}

function scopeIn({ beside, tables, keyless }: Pick<StoredSnapshot, 'beside' | 'tables' | 'keyless'>): SnapshotScope {
  if (tables !== undefined) return { tables };
  return keyless === undefined ? { beside: beside ?? null } : { keyless };
}

function decodeInside({ at: [event, row, part], statement, gtid, server, us }: StoredInside): InsideTransaction {
  return {
    event,
    row,
    part,
    statement: statement === undefined ? null : { position: statement[0], event: statement[1] },
    gtid: gtid ?? null,
    serverId: server,
    committedAtUs: us,
  };
}
