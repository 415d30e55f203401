/** Changes as records: Debezium's envelope or flat rows, the key beside them. */
import type { BinlogPlace } from '../../../clients/binlog/binlog-events.ts';
import type { Row } from '../../../clients/binlog/cell.ts';
import type { Datum, Header, Position } from '../../../core/record/connect-record.ts';
import { NULL_DATUM } from '../../../core/record/connect-record.ts';
import { murmur2 } from '../../../core/record/murmur2.ts';
import type { PolledRecord } from '../../api/source.ts';
import type { CdcSettings } from './cdc-config.ts';
import type { LoggedChange } from './log-follower.ts';
import { fileNumber } from './log-places.ts';
import { RowForm } from './row-form.ts';
import { rowKey } from './row-key.ts';
import { TABLE_IN_KEY, type TableSchemas, tableSchemas } from './table-schemas.ts';
import type { TableShape } from './table-shape.ts';
import type { TableTopic } from './table-topics.ts';
import { VERSION } from './version.ts';

type Operation = 'c' | 'u' | 'd' | 'r';

interface Images {
  readonly before: Row | null;
  readonly after: Row | null;
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

/** What records say of where they are from. */
interface Origin {
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
}

const NO_HEADERS: readonly Header[] = [];

/** Makes the records of one layout of a table. */
export class TableEvents {
  readonly #shape: TableShape;
  readonly #topic: string;
  /** With the prefix of the connector. */
  readonly #name: string;
  readonly #isShared: boolean;
  readonly #isFlat: boolean;
  readonly #hasTombstones: boolean;
  readonly #form: RowForm;
  readonly #schemas: TableSchemas;
  readonly #source: { readonly connector: string; readonly name: string; readonly db: string; readonly table: string };

  constructor(
    shape: TableShape,
    config: CdcSettings,
    { connector, topic }: { readonly connector: 'mysql' | 'mariadb'; readonly topic: TableTopic },
  ) {
    const { database, table } = shape;
    this.#shape = shape;
    const prefix = config['topic.prefix'];
    this.#topic = topic.topic;
    this.#name = `${prefix}.${database}.${table}`;
    this.#isShared = topic.isShared;
    this.#isFlat = config['output.format'] === 'flat';
    this.#hasTombstones = config['tombstones.on.delete'];
    this.#form = new RowForm(shape, config);
    this.#schemas = tableSchemas(this.#form, { name: this.#name, connector, isShared: topic.isShared });
    this.#source = { connector, name: prefix, db: database, table };
  }

  /** One, or those of a row that is gone and of one that came, where the key has changed. */
  records(logged: LoggedChange, nowMs: number): readonly PolledRecord[] {
    const { operation, change } = logged;
    const { before, after } = change;
    const origin = originOf(logged, nowMs);
    if (operation === 'insert') return [this.#event(origin, { op: 'c', part: 0, images: { before: null, after } })];
    if (operation === 'delete') return this.#deletion(origin, before as Row, NO_HEADERS);
    if (this.#form.isSameKey(before as Row, after as Row))
      return [this.#event(origin, { op: 'u', part: 0, images: { before, after } })];
    return this.#moved(origin, before as Row, after as Row);
  }

  /** A row as it was read. */
  row(after: Row, read: ReadRow): PolledRecord {
    const hash = BigInt(murmur2(Buffer.from(rowKey(this.#shape, after))));
    return this.#event(originOfRead(read, hash), { op: 'r', part: 0, images: { before: null, after } });
  }

  #moved(origin: Origin, before: Row, after: Row): readonly PolledRecord[] {
    const gone = this.#deletion(origin, before, [{ name: '__debezium.newkey', ...this.#key(after) }]);
    const headers = [{ name: '__debezium.oldkey', ...this.#key(before) }];
    return [...gone, this.#event(origin, { op: 'c', part: gone.length, images: { before: null, after }, headers })];
  }

  #deletion(origin: Origin, before: Row, headers: readonly Header[]): readonly PolledRecord[] {
    const event = this.#event(origin, { op: 'd', part: 0, images: { before, after: null }, headers });
    if (!this.#hasTombstones || !this.#form.hasKey) return [event];
    return [event, { ...event, value: NULL_DATUM, headers: NO_HEADERS, position: [...origin.prefix, 1n] }];
  }

  #event(
    origin: Origin,
    {
      op,
      part,
      images,
      headers = NO_HEADERS,
    }: { readonly op: Operation; readonly part: number; readonly images: Images; readonly headers?: readonly Header[] },
  ): PolledRecord {
    return {
      topic: this.#topic,
      key: this.#form.hasKey ? this.#key((images.after ?? images.before) as Row) : NULL_DATUM,
      value: this.#isFlat ? this.#flat(origin, op, images) : this.#envelope(origin, op, images),
      timestampMs: origin.atMs,
      headers,
      position: [...origin.prefix, BigInt(part)],
    };
  }

  #envelope(origin: Origin, op: Operation, { before, after }: Images): Datum {
    const { connector, name, db, table } = this.#source;
    const source = {
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
    return {
      schema: this.#schemas.envelope,
      value: {
        before: before === null ? null : this.#form.row(before),
        after: after === null ? null : this.#form.row(after),
        source,
        op,
        ts_ms: origin.nowMs,
      },
    };
  }

  #flat({ tsMs }: Origin, op: Operation, { before, after }: Images): Datum {
    const { db, table } = this.#source;
    const marks = { __op: op, __db: db, __table: table, __source_ts_ms: tsMs, __deleted: String(after === null) };
    return { schema: this.#schemas.flat, value: { ...this.#form.row((after ?? before) as Row), ...marks } };
  }

  #key(cells: Row): Datum {
    const key = this.#form.key(cells);
    return { schema: this.#schemas.key, value: this.#isShared ? { ...key, [TABLE_IN_KEY]: this.#name } : key };
  }
}

function originOf({ transaction, event, row, position }: LoggedChange, nowMs: number): Origin {
  const { note, era, fileNumber: file, position: begin, serverId, atMs, tsMs, tsUs, tsNs } = transaction;
  return {
    ...{ tsMs, tsUs, tsNs, atMs, serverId, row },
    isRead: false,
    gtid: note.gtid?.text ?? null,
    place: note.place,
    position: position === null ? begin : BigInt(position),
    prefix: [era, file, begin, BigInt(event), BigInt(row)],
    nowMs: BigInt(nowMs),
  };
}

/**
 * Below whatever begins at that place, and above all before it. By its number among the rows, so that they grow; and by its key, for
 * among others than last time it may have the number of another row.
 */
function originOfRead({ era, place, index, serverId, atMs }: ReadRow, keyHash: bigint): Origin {
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
