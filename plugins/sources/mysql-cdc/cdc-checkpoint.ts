import type { BinlogPlace } from '../../../clients/binlog/binlog-events.ts';
import type { Cell } from '../../../clients/binlog/cell.ts';
import { FatalTaskError } from '../../../core/errors.ts';
import type { Json } from '../../../core/json.ts';
import { decodeCell, encodeCell } from './stored-cells.ts';

/** Where a reader stands. */
export interface CdcCheckpoint {
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
  /** How far tables are read as a whole; `null`: none is to be read any more. */
  readonly snapshot: SnapshotProgress | null;
}

export interface SnapshotProgress {
  /** The one that is being read, `[database, table]`; those before it in their order are read. `null`: before the first. */
  readonly table: readonly [database: string, table: string] | null;
  /** Cells of its key, up to which it is read; `null`: nothing of it is read. */
  readonly after: readonly Cell[] | null;
  /** Rows that were read, of all tables. */
  readonly rows: number;
}

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
}

interface StoredSnapshot {
  readonly table?: readonly [database: string, table: string];
  readonly after?: readonly Json[];
  readonly rows: number;
}

interface StoredInside {
  readonly at: readonly [event: number, row: number, part: number];
  readonly statement?: readonly [position: number, event: number];
  readonly gtid?: string;
  readonly server: number;
  readonly us: number;
}

export function encodeCheckpoint({ server, era, place, gtids, inside, snapshot }: CdcCheckpoint): Json {
  return {
    v: 1,
    server,
    era,
    file: place.file,
    pos: place.position,
    ...(gtids !== null && { gtids }),
    ...(inside !== null && { in: encodeInside(inside) }),
    ...(snapshot !== null && { snapshot: encodeSnapshot(snapshot) }),
  };
}

function encodeSnapshot({ table, after, rows }: SnapshotProgress): Json {
  return { ...(table !== null && { table }), ...(after !== null && { after: after.map(encodeCell) }), rows };
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
  const { v, server, era, file, pos, gtids, in: inside, snapshot } = json as unknown as StoredCheckpoint;
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
  };
}

function decodeSnapshot({ table, after, rows }: StoredSnapshot): SnapshotProgress {
  return { table: table ?? null, after: after === undefined ? null : after.map(decodeCell), rows };
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
