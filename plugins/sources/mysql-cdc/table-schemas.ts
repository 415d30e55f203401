/** Schemas of a table's keys, rows and events. Each is one object, however many records it is for. */
import type { Field, PrimitiveSchema, StructSchema } from '../../../core/record/schema.ts';
import type { RowForm } from './row-form.ts';

const STRING: PrimitiveSchema = { type: 'string', optional: false };
const INT32: PrimitiveSchema = { type: 'int32', optional: false };
const INT64: PrimitiveSchema = { type: 'int64', optional: false };
const OPTIONAL_STRING: PrimitiveSchema = { type: 'string', optional: true };
const OPTIONAL_INT64: PrimitiveSchema = { type: 'int64', optional: true };

const SOURCE_FIELDS: readonly Field[] = [
  { name: 'version', schema: STRING },
  { name: 'connector', schema: STRING },
  { name: 'name', schema: STRING },
  { name: 'ts_ms', schema: { ...INT64, doc: 'When the change was committed, or the row read for a snapshot, epoch ms.' } },
  { name: 'ts_us', schema: OPTIONAL_INT64 },
  { name: 'ts_ns', schema: OPTIONAL_INT64 },
  { name: 'snapshot', schema: OPTIONAL_STRING },
  { name: 'db', schema: STRING },
  { name: 'table', schema: OPTIONAL_STRING },
  { name: 'server_id', schema: INT64 },
  { name: 'gtid', schema: OPTIONAL_STRING },
  { name: 'file', schema: STRING },
  { name: 'pos', schema: INT64 },
  { name: 'row', schema: INT32 },
];

/** Of an event, where transactions are told of. */
const TRANSACTION_BLOCK: StructSchema = {
  type: 'struct',
  optional: true,
  name: 'event.block',
  version: 1,
  fields: [
    { name: 'id', schema: STRING },
    { name: 'total_order', schema: INT64 },
    { name: 'data_collection_order', schema: INT64 },
  ],
};

const COLLECTION: StructSchema = {
  type: 'struct',
  optional: false,
  name: 'event.collection',
  version: 1,
  fields: [
    { name: 'data_collection', schema: STRING },
    { name: 'event_count', schema: INT64 },
  ],
};

/** Of the beginnings and ends of transactions. */
export const transactionSchemas: { readonly key: StructSchema; readonly value: StructSchema } = {
  key: {
    type: 'struct',
    optional: false,
    name: 'io.debezium.connector.common.TransactionMetadataKey',
    version: 1,
    fields: [{ name: 'id', schema: STRING }],
  },
  value: {
    type: 'struct',
    optional: false,
    name: 'io.debezium.connector.common.TransactionMetadataValue',
    version: 1,
    fields: [
      { name: 'status', schema: STRING },
      { name: 'id', schema: STRING },
      { name: 'event_count', schema: OPTIONAL_INT64 },
      { name: 'data_collections', schema: { type: 'array', optional: true, items: COLLECTION } },
      { name: 'ts_ms', schema: INT64 },
    ],
  },
};

const FLAT_FIELDS: readonly Field[] = [
  { name: '__op', schema: STRING },
  { name: '__db', schema: STRING },
  { name: '__table', schema: STRING },
  { name: '__source_ts_ms', schema: INT64 },
  { name: '__deleted', schema: STRING },
];

/** In keys of a topic that several tables share: which table they are of. Debezium's name for it. */
export const TABLE_IN_KEY = '__dbz__physicalTableIdentifier';

export interface TableSchemas {
  readonly key: StructSchema;
  readonly envelope: StructSchema;
  readonly flat: StructSchema;
}

interface Names {
  /** Of the table, with the prefix of the connector. */
  readonly name: string;
  readonly connector: 'mysql' | 'mariadb';
}

export function tableSchemas(
  form: RowForm,
  { isShared, hasTransactions, ...names }: Names & { readonly isShared: boolean; readonly hasTransactions: boolean },
): TableSchemas {
  const { name } = names;
  const keyFields = isShared ? [...form.keyFields, { name: TABLE_IN_KEY, schema: STRING }] : form.keyFields;
  return {
    key: { type: 'struct', optional: false, name: `${name}.Key`, fields: keyFields },
    envelope: envelope(names, { row: form.fields, hasTransactions }),
    flat: flat(names, form.fields),
  };
}

/** Of a table whose columns nobody knows: a statement that takes all rows does not name them. */
export function truncationSchemas(names: Names): Pick<TableSchemas, 'envelope' | 'flat'> {
  return { envelope: envelope(names, { row: [], hasTransactions: false }), flat: flat(names, []) };
}

/** Debezium's, without what a table is like afterwards: each of its records has that. */
export function schemaChangeSchemas(connector: Names['connector']): { readonly key: StructSchema; readonly value: StructSchema } {
  const name = (what: string): string => `io.debezium.connector.${connector}.SchemaChange${what}`;
  return {
    key: { type: 'struct', optional: false, name: name('Key'), fields: [{ name: 'databaseName', schema: STRING }] },
    value: {
      type: 'struct',
      optional: false,
      name: name('Value'),
      fields: [
        { name: 'source', schema: sourceSchema(connector) },
        { name: 'ts_ms', schema: INT64 },
        { name: 'databaseName', schema: OPTIONAL_STRING },
        { name: 'schemaName', schema: OPTIONAL_STRING },
        { name: 'ddl', schema: OPTIONAL_STRING },
      ],
    },
  };
}

function envelope(
  { name, connector }: Names,
  { row: fields, hasTransactions }: { readonly row: readonly Field[]; readonly hasTransactions: boolean },
): StructSchema {
  const row: StructSchema = { type: 'struct', optional: true, name: `${name}.Value`, fields };
  return {
    type: 'struct',
    optional: false,
    name: `${name}.Envelope`,
    version: 2,
    fields: [
      { name: 'before', schema: row },
      { name: 'after', schema: row },
      { name: 'source', schema: sourceSchema(connector) },
      { name: 'op', schema: STRING },
      { name: 'ts_ms', schema: OPTIONAL_INT64 },
      ...(hasTransactions ? [{ name: 'transaction', schema: TRANSACTION_BLOCK }] : []),
    ],
  };
}

function flat({ name }: Names, fields: readonly Field[]): StructSchema {
  return { type: 'struct', optional: false, name: `${name}.Value`, fields: [...fields, ...FLAT_FIELDS] };
}

function sourceSchema(connector: Names['connector']): StructSchema {
  return { type: 'struct', optional: false, name: `io.debezium.connector.${connector}.Source`, fields: SOURCE_FIELDS };
}
