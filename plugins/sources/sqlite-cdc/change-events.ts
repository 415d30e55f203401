/** Rows and changes as records: Debezium's envelope or flat rows, the key beside them. */
import { basename, extname } from 'node:path';
import type { Datum, Header } from '../../../core/record/connect-record.ts';
import { NULL_DATUM } from '../../../core/record/connect-record.ts';
import type { Position } from '../../../core/record/position.ts';
import type { Struct, Value } from '../../../core/record/schema.ts';
import { type StructBuilder, setField } from '../../../core/record/struct.ts';
import type { PolledRecord } from '../../api/source.ts';
import { isSameKey } from '../change-capture/same-key.ts';
import type { CapturedTable } from './captured-table.ts';
import type { CdcSettings } from './cdc-config.ts';
import { type Image, typesAt } from './row-image.ts';
import { TableSchemas } from './table-schemas.ts';
import { topicOf } from './table-topics.ts';
import { VERSION } from './version.ts';

/** Parts of a change's position behind its number; rows of a snapshot come behind all changes they contain. */
const SNAPSHOT_PART = 4n;

export interface RowImage extends Image {
  readonly rowId: bigint | null;
}

export interface Change {
  readonly seq: bigint;
  readonly atMs: bigint;
}

interface EventFacts {
  readonly op: 'c' | 'u' | 'd' | 'r';
  readonly atMs: bigint;
  readonly seq: bigint | null;
  readonly before: RowImage | null;
  readonly after: RowImage | null;
}

/** Makes the records of one table. */
export class TableEvents {
  readonly table: CapturedTable;
  readonly topic: string;
  readonly #flat: boolean;
  readonly #tombstones: boolean;
  readonly #prefix: string;
  readonly #db: string;
  readonly #schemas: TableSchemas;

  constructor(table: CapturedTable, config: CdcSettings) {
    this.table = table;
    this.#prefix = config['topic.prefix'];
    this.#flat = config['output.format'] === 'flat';
    this.#tombstones = config['tombstones.on.delete'];
    const path = config['connection.url'];
    this.#db = basename(path, extname(path));
    this.#schemas = new TableSchemas(this.#prefix, table);
    this.topic = topicOf(config, table.name);
  }

  /** A row as it was read; `place` grows along the table, and at one change it is always the same for the same row. */
  row(after: RowImage, { seq, atMs, place }: Change & { readonly place: bigint }): PolledRecord {
    const position = [seq, SNAPSHOT_PART, BigInt(this.table.capture), place];
    return this.#event({ op: 'r', atMs, seq: null, before: null, after }, { key: this.#key(after), nowMs: atMs, position });
  }

  created(after: RowImage, { seq, atMs }: Change, nowMs: bigint): readonly PolledRecord[] {
    return [this.#event({ op: 'c', atMs, seq, before: null, after }, { key: this.#key(after), nowMs, position: [seq, 0n] })];
  }

  deleted(before: RowImage, { seq, atMs }: Change, nowMs: bigint): readonly PolledRecord[] {
    const key = this.#key(before);
    return this.#deletion({ op: 'd', atMs, seq, before, after: null }, { key, nowMs, headers: [] });
  }

  /** One record; where the key has changed, the deletion of the old one, and the new one where `withAfter`. */
  updated(
    before: RowImage,
    after: RowImage,
    change: Change & { readonly withAfter: boolean },
    nowMs: bigint,
  ): readonly PolledRecord[] {
    const { seq, atMs, withAfter } = change;
    const [oldKey, newKey] = [this.#key(before), this.#key(after)];
    if (isSameKey(oldKey.value as Struct, newKey.value as Struct)) {
      if (!withAfter) return NONE;
      return [this.#event({ op: 'u', atMs, seq, before, after }, { key: newKey, nowMs, position: [seq, 0n] })];
    }
    const gone = this.#deletion(
      { op: 'd', atMs, seq, before, after: null },
      { key: oldKey, nowMs, headers: [{ name: '__debezium.newkey', ...newKey }] },
    );
    if (!withAfter) return gone;
    const headers = [{ name: '__debezium.oldkey', ...oldKey }];
    const there = this.#event({ op: 'c', atMs, seq, before: null, after }, { key: newKey, nowMs, position: [seq, 2n], headers });
    return [...gone, there];
  }

  #deletion(
    facts: EventFacts & { readonly seq: bigint },
    { key, nowMs, headers }: { readonly key: Datum; readonly nowMs: bigint; readonly headers: readonly Header[] },
  ): readonly PolledRecord[] {
    const { seq, atMs } = facts;
    const event = this.#event(facts, { key, nowMs, position: [seq, 0n], headers });
    if (!this.#tombstones) return [event];
    return [event, { topic: this.topic, key, value: NULL_DATUM, timestampMs: Number(atMs), position: [seq, 1n] }];
  }

  #event(
    facts: EventFacts,
    place: { readonly key: Datum; readonly nowMs: bigint; readonly position: Position; readonly headers?: readonly Header[] },
  ): PolledRecord {
    const { key, position, headers = NO_HEADERS } = place;
    const value = this.#flat ? this.#flatValue(facts) : this.#envelope(facts, place.nowMs);
    return { topic: this.topic, key, value, timestampMs: Number(facts.atMs), headers, position };
  }

  #envelope({ op, atMs, seq, before, after }: EventFacts, nowMs: bigint): Datum {
    const source = {
      version: VERSION,
      connector: 'sqlite',
      name: this.#prefix,
      ts_ms: atMs,
      snapshot: seq === null ? 'true' : 'false',
      db: this.#db,
      table: this.table.name,
      seq,
    };
    return {
      schema: this.#schemas.envelope(before?.types ?? '', after?.types ?? ''),
      value: { before: before?.row ?? null, after: after?.row ?? null, source, op, ts_ms: nowMs },
    };
  }

  #flatValue({ op, atMs, before, after }: EventFacts): Datum {
    const { row, types } = (after ?? before) as RowImage;
    const marks = { __op: op, __table: this.table.name, __source_ts_ms: atMs, __deleted: String(after === null) };
    return { schema: this.#schemas.flat(types), value: { ...row, ...marks } };
  }

  #key({ row, types, rowId }: RowImage): Datum {
    const { key, columns, rowid } = this.table;
    const value: StructBuilder = {};
    if (key.length === 0) setField(value, rowid ?? 'rowid', rowId);
    for (const index of key) {
      const name = columns[index]?.name ?? '';
      setField(value, name, row[name] as Value);
    }
    return { schema: this.#schemas.key(typesAt(types, key)), value };
  }
}

const NONE: readonly PolledRecord[] = [];
const NO_HEADERS: readonly Header[] = [];
