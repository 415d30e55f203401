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
  /** Ranges of tables are read by shards of their own, and changes given when these are done. */
  readonly waits: boolean;
}

export interface SnapshotProgress {
  /** The one that is being read, `[database, table]`; those before it in their order are read. `null`: before the first. */
  readonly table: readonly [database: string, table: string] | null;
  /** Cells of its key, up to which it is read; `null`: nothing of it is read. */
  readonly after: readonly Cell[] | null;
  /** Which tables are read: all that are captured; those beside what earlier lists captured; or these. */
  readonly scope: SnapshotScope;
}

export type SnapshotScope = { readonly beside: string | null } | { readonly tables: readonly string[] };

export const FIRST_TABLE = { table: null, after: null } as const;

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
  readonly waits?: true;
  /** What an operator adds: tables to read as a whole once more, `database.table` each. */
  readonly again?: readonly string[];
}

interface StoredSnapshot {
  readonly table?: readonly [database: string, table: string];
  readonly after?: readonly Json[];
  readonly beside?: string;
  readonly tables?: readonly string[];
}

interface StoredInside {
  readonly at: readonly [event: number, row: number, part: number];
  readonly statement?: readonly [position: number, event: number];
  readonly gtid?: string;
  readonly server: number;
  readonly us: number;
}

export function encodeCheckpoint({ server, era, place, gtids, inside, snapshot, rows, lists, waits }: CdcCheckpoint): Json {
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
    ...(waits && { waits }),
  };
}

function encodeSnapshot({ table, after, scope }: SnapshotProgress): Json {
  return {
    ...(table !== null && { table }),
    ...(after !== null && { after: after.map(encodeCell) }),
    ...('tables' in scope ? { tables: scope.tables } : scope.beside !== null && { beside: scope.beside }),
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
    snapshot:
      again !== undefined
        ? { ...FIRST_TABLE, scope: { tables: again } }
        : snapshot === undefined
          ? null
          : decodeSnapshot(snapshot),
    rows: rows ?? 0,
    lists: lists ?? null,
    waits: waits ?? false,
  };
}

function decodeSnapshot({ table, after, beside, tables }: StoredSnapshot): SnapshotProgress {
  const scope = tables === undefined ? { beside: beside ?? null } : { tables };
  return { table: table ?? null, after: after === undefined ? null : after.map(decodeCell), scope };
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
