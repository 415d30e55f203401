import { z } from 'zod';
import { enumKey, listKey } from '../../core/config/keys.ts';
import type { ConnectRecord, Datum, Header } from '../../core/record/connect-record.ts';
import type { Schema, Struct, Value } from '../../core/record/schema.ts';
import { fieldOf, isStruct, type StructBuilder, setField } from '../../core/record/struct.ts';
import { defineTransform } from '../api/transform.ts';
import { copied, copyPlans } from './copy-plan.ts';
import { onPart, partAliases, type RecordPart, type StructTransform } from './record-part.ts';

const Config = z
  .object({
    fields: listKey().describe('Fields whose values become headers. Fields of fields as a.b, to be copied only.'),
    headers: listKey().describe('Names of these headers, as many as fields.'),
    operation: enumKey(['copy', 'move']).default('copy').describe('copy: the fields stay. move: they are left out.'),
  })
  .superRefine(({ fields, headers }, context) => {
    if (fields.length === headers.length && fields.length > 0) return;
    context.addIssue({
      code: 'custom',
      path: ['headers'],
      message: `must have as many names as fields, which are ${fields.length}`,
    });
  });

export const headerFromKey = headerFrom('key');
export const headerFromValue = headerFrom('value');

/** Fields as headers, which the log keeps as properties: brokers and consumers see them without a look at the value. */
function headerFrom(part: RecordPart) {
  return defineTransform({
    name: `header-from-${part}`,
    aliases: partAliases('HeaderFrom', part),
    config: Config,
    create({ fields, headers, operation }) {
      const rules = fields.map(
        (field, index): HeaderRule => ({ path: field.split('.'), field, header: headers[index] ?? field }),
      );
      const leaveOut = operation === 'move' ? onPart(part, without(new Set(fields))) : (record: ConnectRecord) => record;
      return (record) => {
        const added = headersIn(part === 'key' ? record.keyDatum : record.valueDatum, rules);
        return added.length === 0 ? record : leaveOut(record.with({ headers: [...record.headers, ...added] }));
      };
    },
  });
}

interface HeaderRule {
  readonly field: string;
  readonly path: readonly string[];
  readonly header: string;
}

/** A field that the record lacks makes none. */
function headersIn(datum: Datum, rules: readonly HeaderRule[]): readonly Header[] {
  return rules.flatMap(({ field, path, header }) => {
    const found = memberOf(datum, field) ?? path.reduce<Datum | undefined>((at, name) => memberOf(at, name), datum);
    return found === undefined ? [] : [{ name: header, ...found }];
  });
}

function memberOf(datum: Datum | undefined, name: string): Datum | undefined {
  if (datum === undefined || !isStruct(datum.value)) return undefined;
  const value = fieldOf<Value>(datum.value, name);
  return value === undefined ? undefined : { schema: schemaOf(datum.schema, name), value };
}

function schemaOf(schema: Schema | null, name: string): Schema | null {
  if (schema?.type !== 'struct') return null;
  return schema.fields.find((field) => field.name === name)?.schema ?? null;
}

function without(names: ReadonlySet<string>): StructTransform {
  const planOf = copyPlans({ rename: (name) => (names.has(name) ? null : name), added: [], replaceNullWithDefault: false });
  return {
    schemaless: (struct) => withoutFields(struct, names),
    withSchema(schema, struct) {
      const plan = planOf(schema);
      return { schema: plan.schema, value: copied(plan, struct) };
    },
  };
}

function withoutFields(struct: Struct, names: ReadonlySet<string>): Struct {
  const copy: StructBuilder = {};
  for (const name in struct) if (!names.has(name)) setField(copy, name, struct[name] ?? null);
  return copy;
}
