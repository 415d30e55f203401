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
  schemaless(struct: Struct, record: ConnectRecord): Struct;
  withSchema(schema: StructSchema, struct: Struct, record: ConnectRecord): Datum;
}

/** The same for the chosen part of a record. Null passes through, and anything without fields is refused. */
export function onPart(part: RecordPart, { schemaless, withSchema }: StructTransform): (record: ConnectRecord) => ConnectRecord {
  return (record) => {
    const { schema, value } = part === 'key' ? record.keyDatum : record.valueDatum;
    if (value === null) return record;
    if (!isStruct(value)) throw transformError(`the ${part} has no fields`);
    if (schema === null) {
      const changed = schemaless(value, record);
      return changed === value ? record : record.with({ [part]: { schema, value: changed } });
    }
    if (schema.type !== 'struct') throw transformError(`the ${part} is of type ${schema.type}, which has no fields`);
    return record.with({ [part]: withSchema(schema, value, record) });
  };
}

export function transformError(message: string): RecordError {
  return new RecordError(message, { code: 'record.transform_failed' });
}
