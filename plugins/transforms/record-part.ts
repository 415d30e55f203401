/** Transforms that come in two variants, one for the key and one for the value of a record. */
import { RecordError } from '../../core/errors.ts';
import type { ConnectRecord, Datum } from '../../core/record/connect-record.ts';
import type { Struct, StructSchema } from '../../core/record/schema.ts';
import { isStruct } from '../../core/record/struct.ts';

export type RecordPart = 'key' | 'value';

/** `org.apache.kafka.connect.transforms.InsertField$Key` and its like. */
export function partAliases(transform: string, part: RecordPart): readonly string[] {
  const name = `${transform}$${part === 'key' ? 'Key' : 'Value'}`;
  return [`org.apache.kafka.connect.transforms.${name}`, name];
}

/** What a transform does to a struct: one way for each form that has fields. */
export interface StructTransform {
  /** Answers the same struct when nothing changes, so that its bytes can be passed on. */
  schemaless(struct: Struct, record: ConnectRecord): Struct;
  withSchema(schema: StructSchema, struct: Struct, record: ConnectRecord): Datum;
}

/** The same for the chosen part of a record. Null passes through, and anything without fields is refused. */
export function onPart(part: RecordPart, transform: StructTransform): (record: ConnectRecord) => ConnectRecord {
  return part === 'key'
    ? (record) => {
        const key = changed(record.keyDatum, record, transform);
        return key === record.keyDatum ? record : record.with({ key });
      }
    : (record) => {
        const value = changed(record.valueDatum, record, transform);
        return value === record.valueDatum ? record : record.with({ value });
      };
}

function changed(datum: Datum, record: ConnectRecord, { schemaless, withSchema }: StructTransform): Datum {
  const { schema, value } = datum;
  if (value === null) return datum;
  if (schema !== null && schema.type !== 'struct') throw transformError(`type ${schema.type} has no fields`);
  if (!isStruct(value)) throw transformError('the value has no fields');
  if (schema !== null) return withSchema(schema, value, record);
  const struct = schemaless(value, record);
  return struct === value ? datum : { schema, value: struct };
}

export function transformError(message: string): RecordError {
  return new RecordError(message, { code: 'record.transform_failed' });
}
