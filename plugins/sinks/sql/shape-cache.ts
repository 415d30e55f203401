import type { Schema, Value } from '../../../core/record/schema.ts';
import { isStruct } from '../../../core/record/struct.ts';
import type { Row, RowShape } from './row-shape.ts';

/** Prepared statements of a shape take some 10 KB. */
const TABLES_MAX = 256;
const SHAPES_OF_TABLE_MAX = 16;

interface Entry {
  readonly keySchema: Schema | null;
  readonly keyNames: string;
  readonly rowSchema: Schema | null;
  readonly rowNames: string;
  readonly shape: RowShape;
}

/** Shapes of records, by table; the oldest go first. A queue's records are nearly all of the shape of the one before. */
export class ShapeCache {
  readonly #tables = new Map<string, Entry[]>();
  readonly #make: (row: Row) => RowShape;

  constructor(make: (row: Row) => RowShape) {
    this.#make = make;
  }

  /** @throws {RecordError} as `rowShape`. */
  of(row: Row): RowShape {
    const { keySchema, key } = row.record;
    const keyNames = keySchema === null ? namesOf(key) : '';
    const rowNames = row.schema === null ? namesOf(row.row) : '';
    const entries = this.#entriesOf(row.table);
    for (const entry of entries) {
      const sameKey = entry.keySchema === keySchema && entry.keyNames === keyNames;
      if (sameKey && entry.rowSchema === row.schema && entry.rowNames === rowNames) return entry.shape;
    }
    const shape = this.#make(row);
    if (entries.length === SHAPES_OF_TABLE_MAX) entries.pop();
    entries.unshift({ keySchema, keyNames, rowSchema: row.schema, rowNames, shape });
    return shape;
  }

  clear(): void {
    this.#tables.clear();
  }

  #entriesOf(table: string): Entry[] {
    const known = this.#tables.get(table);
    if (known !== undefined) return known;
    const [oldest] = this.#tables.keys();
    if (this.#tables.size === TABLES_MAX && oldest !== undefined) this.#tables.delete(oldest);
    const entries: Entry[] = [];
    this.#tables.set(table, entries);
    return entries;
  }
}

/** Of what has no schema: the names of its fields say which columns it has. */
function namesOf(value: Value): string {
  return isStruct(value) ? Object.keys(value).join('\0') : typeof value;
}
