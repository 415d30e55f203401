/** Changes as records: Debezium's envelope or flat rows, the key beside them. */
import type { Row } from '../../../clients/binlog/cell.ts';
import type { Datum, Header } from '../../../core/record/connect-record.ts';
import { NULL_DATUM } from '../../../core/record/connect-record.ts';
import { murmur2 } from '../../../core/record/murmur2.ts';
import type { Struct } from '../../../core/record/schema.ts';
import type { PolledRecord } from '../../api/source.ts';
import type { CdcSettings } from './cdc-config.ts';
import type { LoggedChange } from './log-follower.ts';
import type { SkippedOperation } from './operations-key.ts';
import { type Origin, originOf, originOfRead, type ReadRow, type SourceNames, sourceOf } from './origin.ts';
import { RowForm } from './row-form.ts';
import { rowKey } from './row-key.ts';
import { TABLE_IN_KEY, type TableSchemas, tableSchemas } from './table-schemas.ts';
import type { TableShape } from './table-shape.ts';
import type { TableTopic } from './table-topics.ts';
import type { TransactionEvents } from './transaction-events.ts';

type Operation = 'c' | 'u' | 'd' | 'r';

interface Images {
  readonly before: Row | null;
  readonly after: Row | null;
}

const NO_HEADERS: readonly Header[] = [];

const LETTERS = { insert: 'c', update: 'u', delete: 'd' } as const;

/** Makes the records of one layout of a table. */
export class TableEvents {
  readonly #shape: TableShape;
  readonly #topic: string;
  /** With the prefix of the connector. */
  readonly #name: string;
  readonly #isShared: boolean;
  readonly #isFlat: boolean;
  readonly #hasTombstones: boolean;
  readonly #skipped: readonly SkippedOperation[];
  readonly #form: RowForm;
  readonly #schemas: TableSchemas;
  readonly #source: SourceNames;
  readonly #hasTransactions: boolean;

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
    this.#skipped = config['skipped.operations'];
    this.#form = new RowForm(shape, config);
    this.#hasTransactions = config['provide.transaction.metadata'];
    const names = { name: this.#name, connector, isShared: topic.isShared, hasTransactions: this.#hasTransactions };
    this.#schemas = tableSchemas(this.#form, names);
    this.#source = { connector, name: prefix, db: database, table };
  }

  /** One, or those of a row that is gone and of one that came, where the key has changed. `transactions`: counts them, and says so in each. */
  records(logged: LoggedChange, nowMs: number, transactions: TransactionEvents | null = null): readonly PolledRecord[] {
    const { operation, change } = logged;
    const { before, after } = change;
    if (this.#skipped.includes(LETTERS[operation])) return [];
    const block = transactions === null ? undefined : () => transactions.next(logged);
    const origin = originOf(logged, nowMs, block);
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
    const transaction = origin.nextInTransaction?.() ?? null;
    return {
      topic: this.#topic,
      key: this.#form.hasKey ? this.#key((images.after ?? images.before) as Row) : NULL_DATUM,
      value: this.#isFlat ? this.#flat(origin, op, images) : this.#envelope(origin, { op, images, transaction }),
      timestampMs: origin.atMs,
      headers,
      position: [...origin.prefix, BigInt(part)],
    };
  }

  #envelope(
    origin: Origin,
    {
      op,
      images: { before, after },
      transaction,
    }: { readonly op: Operation; readonly images: Images; readonly transaction: Struct | null },
  ): Datum {
    return {
      schema: this.#schemas.envelope,
      value: {
        before: before === null ? null : this.#form.row(before),
        after: after === null ? null : this.#form.row(after),
        source: sourceOf(origin, this.#source),
        op,
        ts_ms: origin.nowMs,
        ...(this.#hasTransactions && { transaction }),
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
