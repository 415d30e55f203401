/**
 * How records of one shape become a row: which columns, from where, bound as what. Made once for all records that share their
 * schemas, or without schemas the names of their fields.
 */
import type { StatementSync } from 'node:sqlite';
import { FatalTaskError, RecordError } from '../../../core/errors.ts';
import type { ConnectRecord } from '../../../core/record/connect-record.ts';
import type { Schema, Struct, StructSchema, Value } from '../../../core/record/schema.ts';
import { fieldOf, isStruct } from '../../../core/record/struct.ts';
import { type ColumnKind, kindOfSchema } from './column-kind.ts';
import type { Bind, NewColumn, SqlDialect } from './dialect.ts';
import type { SqlSinkSettings } from './sql-config.ts';

export interface Column extends NewColumn {
  readonly isKey: boolean;
  readonly bind: Bind;
  /** `row` may be the one before a change, for a deletion. */
  readonly read: (record: ConnectRecord, row: Struct) => Value;
}

export interface RowShape {
  readonly table: string;
  readonly keys: readonly Column[];
  /** In the order of the parameters of `write`. */
  readonly columns: readonly Column[];
  /** Prepared when they are first needed. */
  statements: { write?: StatementSync; remove?: StatementSync };
}

export interface Row {
  readonly table: string;
  readonly record: ConnectRecord;
  readonly row: Struct;
  readonly schema: StructSchema | null;
}

interface Source {
  readonly name: string;
  readonly schema: Schema | null;
  readonly read: Column['read'];
}

/** Of a column that is there. */
export type DeclaredType = (table: string, column: string) => string | undefined;

/** @throws {RecordError} when the record has no key as `pk.mode` wants it, or names that no table can have. */
export function rowShape(config: SqlSinkSettings, dialect: SqlDialect, declaredType: DeclaredType, row: Row): RowShape {
  const keySources = keysOf(config, row);
  const keyNames = new Set(keySources.map(({ name }) => dialect.folded(name)));
  const wanted = new Set(config['fields.whitelist']);
  const rest = fieldsOf(row.row, row.schema, (_record, from) => from).filter(
    ({ name }) => !keyNames.has(dialect.folded(name)) && (wanted.size === 0 || wanted.has(name)),
  );
  const column = (source: Source, isKey: boolean): Column => ({
    name: source.name,
    isKey,
    read: source.read,
    ...typed(source, dialect, declaredType(row.table, source.name)),
  });
  const keys = keySources.map((source) => column(source, true));
  const others = rest.map((source) => column(source, false));
  demandDistinct([...keys, ...others], dialect);
  // An update names what it sets before what it looks for.
  const columns = config['insert.mode'] === 'update' ? [...others, ...keys] : [...keys, ...others];
  return { table: row.table, keys, columns, statements: {} };
}

function typed(
  { name, schema }: Source,
  dialect: SqlDialect,
  declared: string | undefined,
): { readonly kind: ColumnKind; readonly bind: Bind } {
  try {
    const kind = schema === null ? 'any' : kindOfSchema(schema);
    return { kind, bind: dialect.bind(kind, declared) };
  } catch (error) {
    throw new RecordError(`column ${JSON.stringify(name)}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function keysOf(config: SqlSinkSettings, row: Row): readonly Source[] {
  const names = config['pk.fields'];
  switch (config['pk.mode']) {
    case 'none':
      return [];
    case 'kafka':
      return placeColumns(names, row.record);
    case 'record_key':
      return recordKey(names, row.record);
    case 'record_value':
      return named(
        names,
        fieldsOf(row.row, row.schema, (_record, from) => from),
        'value',
      );
  }
}

function recordKey(names: readonly string[], { key, keySchema }: ConnectRecord): readonly Source[] {
  if (key === null) throw new RecordError('the record has no key, and pk.mode=record_key finds its row by it');
  if (isStruct(key)) {
    const schema = keySchema?.type === 'struct' ? keySchema : null;
    return named(
      names,
      fieldsOf(key, schema, ({ key: current }) => current as Struct),
      'key',
    );
  }
  const [name] = names;
  if (name === undefined || names.length > 1) {
    throw new RecordError(
      'the key is no struct, so pk.fields has to name one column for it; where it should be one, key.converter reads it as something else',
    );
  }
  return [{ name, schema: keySchema, read: ({ key: current }) => current }];
}

function named(names: readonly string[], fields: readonly Source[], part: 'key' | 'value'): readonly Source[] {
  if (names.length === 0) return fields;
  return names.map((name) => {
    const field = fields.find((one) => one.name === name);
    if (field !== undefined) return field;
    throw new RecordError(`the ${part} has no field ${JSON.stringify(name)}, which pk.fields names`, {
      details: { column: name },
    });
  });
}

function fieldsOf(
  struct: Struct,
  schema: StructSchema | null,
  from: (record: ConnectRecord, row: Struct) => Struct,
): readonly Source[] {
  const schemas = schema === null ? Object.keys(struct).map((name) => ({ name, schema: null })) : schema.fields;
  return schemas.map((field) => ({
    ...field,
    read: reader(field.name, from),
  }));
}

/** The one name that is not simply an own property. */
function reader(name: string, from: (record: ConnectRecord, row: Struct) => Struct): Column['read'] {
  if (name in Object.prototype) return (record, row) => fieldOf(from(record, row), name) ?? null;
  return (record, row) => from(record, row)[name] ?? null;
}

const STRING: Schema = { type: 'string', optional: false };
const INT64: Schema = { type: 'int64', optional: false };

/** Queue numbers begin anew on each broker, so the broker is part of the name. */
function placeColumns(names: readonly string[], { log }: ConnectRecord): readonly Source[] {
  if (log === null) {
    throw new FatalTaskError('pk.mode=kafka takes records of a topic only; next: choose another pk.mode for a direct connector');
  }
  const [topic = '__connect_topic', queue = '__connect_partition', offset = '__connect_offset'] = names;
  return [
    { name: topic, schema: STRING, read: (record) => record.log?.queue.topic ?? null },
    { name: queue, schema: STRING, read: (record) => queueName(record) },
    { name: offset, schema: INT64, read: (record) => record.log?.offset ?? null },
  ];
}

function queueName({ log }: ConnectRecord): string | null {
  return log === null ? null : `${log.queue.brokerName}:${log.queue.queueId}`;
}

function demandDistinct(columns: readonly Column[], dialect: SqlDialect): void {
  if (columns.length === 0) throw new RecordError('the record has no field to write');
  const seen = new Map<string, string>();
  for (const { name } of columns) {
    if (name.includes('\0') || !name.isWellFormed()) {
      throw new RecordError(`a column cannot be named ${JSON.stringify(name)}`, { details: { column: name } });
    }
    const folded = dialect.folded(name);
    const same = seen.get(folded);
    if (same !== undefined) {
      throw new RecordError(`fields ${JSON.stringify(same)} and ${JSON.stringify(name)} are one column to the database`);
    }
    seen.set(folded, name);
  }
}
