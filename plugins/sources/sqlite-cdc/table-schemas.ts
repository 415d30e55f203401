/** Schemas of a table's keys, rows and events. Each is one object, however many records it is for. */
import type { Field, PrimitiveSchema, PrimitiveType, StructSchema } from '../../../core/record/schema.ts';
import type { CapturedColumn, CapturedTable } from './captured-table.ts';
import type { TypeLetter } from './row-image.ts';

/** Of values that are not of their column's type, in all their combinations; beyond, schemas are made anew. */
const VARIANTS_MAX = 64;

const STRING: PrimitiveSchema = { type: 'string', optional: false };
const INT64: PrimitiveSchema = { type: 'int64', optional: false };
const OPTIONAL_STRING: PrimitiveSchema = { type: 'string', optional: true };
const OPTIONAL_INT64: PrimitiveSchema = { type: 'int64', optional: true };

const SOURCE: StructSchema = {
  type: 'struct',
  optional: false,
  name: 'io.debezium.connector.sqlite.Source',
  fields: [
    { name: 'version', schema: STRING },
    { name: 'connector', schema: STRING },
    { name: 'name', schema: STRING },
    { name: 'ts_ms', schema: { ...INT64, doc: 'When the row was changed, or read for a snapshot, epoch ms.' } },
    { name: 'snapshot', schema: OPTIONAL_STRING },
    { name: 'db', schema: STRING },
    { name: 'table', schema: STRING },
    { name: 'seq', schema: { ...OPTIONAL_INT64, doc: 'Number of the change, in the order of commits.' } },
  ],
};

const FLAT_FIELDS: readonly Field[] = [
  { name: '__op', schema: STRING },
  { name: '__table', schema: STRING },
  { name: '__source_ts_ms', schema: INT64 },
  { name: '__deleted', schema: STRING },
];

const types: Readonly<Record<Exclude<TypeLetter, '.' | 'n'>, PrimitiveType>> = {
  i: 'int64',
  f: 'float64',
  s: 'string',
  b: 'bytes',
};

export class TableSchemas {
  readonly #prefix: string;
  readonly #columns: readonly CapturedColumn[];
  readonly #keyColumns: readonly CapturedColumn[];
  readonly #known = new Map<string, StructSchema>();

  constructor(topicPrefix: string, { name, columns, key, rowid }: CapturedTable) {
    this.#prefix = `${topicPrefix}.${name}`;
    this.#columns = columns;
    this.#keyColumns =
      key.length === 0
        ? [{ name: rowid ?? 'rowid', type: 'int64', optional: false }]
        : key.map((index) => columns[index] as CapturedColumn);
  }

  /** The letters as of `imageOf`, but of the key's columns. */
  key(letters: string): StructSchema {
    return this.#remember('key', letters, '', () => ({
      type: 'struct',
      optional: false,
      name: `${this.#prefix}.Key`,
      fields: fields(this.#keyColumns, letters),
    }));
  }

  envelope(before: string, after: string): StructSchema {
    return this.#remember('envelope', before, after, () => ({
      type: 'struct',
      optional: false,
      name: `${this.#prefix}.Envelope`,
      version: 2,
      fields: [
        { name: 'before', schema: this.#row(before) },
        { name: 'after', schema: this.#row(after) },
        { name: 'source', schema: SOURCE },
        { name: 'op', schema: STRING },
        { name: 'ts_ms', schema: OPTIONAL_INT64 },
      ],
    }));
  }

  flat(letters: string): StructSchema {
    return this.#remember('flat', letters, '', () => ({
      type: 'struct',
      optional: false,
      name: `${this.#prefix}.Value`,
      fields: [...fields(this.#columns, letters), ...FLAT_FIELDS],
    }));
  }

  #row(letters: string): StructSchema {
    return { type: 'struct', optional: true, name: `${this.#prefix}.Value`, fields: fields(this.#columns, letters) };
  }

  #remember(kind: string, first: string, second: string, make: () => StructSchema): StructSchema {
    const name = first === '' && second === '' ? kind : `${kind} ${first} ${second}`;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const made = make();
    if (this.#known.size >= VARIANTS_MAX) this.#known.clear();
    this.#known.set(name, made);
    return made;
  }
}

function fields(columns: readonly CapturedColumn[], letters: string): readonly Field[] {
  return columns.map(({ name, type, optional }, index) => {
    const letter = (letters[index] ?? '.') as TypeLetter;
    return {
      name,
      schema:
        letter === '.' || letter === 'n' ? { type, optional: optional || letter === 'n' } : { type: types[letter], optional },
    };
  });
}
