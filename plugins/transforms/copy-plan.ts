/** Copies of structs with other fields: what to copy is settled once per schema object, then done per record. */
import type { Field, Struct, StructSchema, Value } from '../../core/record/schema.ts';
import { fieldOf, type StructBuilder, setField } from '../../core/record/struct.ts';
import { transformError } from './record-part.ts';

export interface CopyRules {
  /** The name a field gets; `null` leaves it out. */
  readonly rename: (name: string) => string | null;
  /** Fields behind the copied ones, for the caller to fill. */
  readonly added: readonly Field[];
  readonly replaceNullWithDefault: boolean;
}

export interface CopyPlan {
  /** Of the copies. */
  readonly schema: StructSchema;
  readonly copies: readonly FieldCopy[];
}

interface FieldCopy {
  readonly from: string;
  readonly to: string;
  /** Instead of null. */
  readonly fallback: Value;
}

/** The plan of a schema, kept as long as the schema object lives. */
export function copyPlans(rules: CopyRules): (schema: StructSchema) => CopyPlan {
  const plans = new WeakMap<StructSchema, CopyPlan>();
  return (schema) => {
    const known = plans.get(schema);
    if (known !== undefined) return known;
    const plan = copyPlan(schema, rules);
    plans.set(schema, plan);
    return plan;
  };
}

/** @throws {RecordError} when two fields would have one name. */
function copyPlan(schema: StructSchema, { rename, added, replaceNullWithDefault }: CopyRules): CopyPlan {
  const fields: Field[] = [];
  const copies: FieldCopy[] = [];
  for (const { name, schema: type } of schema.fields) {
    const to = rename(name);
    if (to === null) continue;
    fields.push({ name: to, schema: type });
    copies.push({ from: name, to, fallback: (replaceNullWithDefault ? type.default : null) ?? null });
  }
  return { schema: withFields(schema, [...fields, ...added]), copies };
}

/** As in Kafka Connect the copy keeps name, version, doc and parameters, and is required: there is a value. */
function withFields({ optional: _, default: __, ...schema }: StructSchema, fields: readonly Field[]): StructSchema {
  const names = new Set<string>();
  for (const { name } of fields) {
    if (names.has(name)) throw transformError(`two fields would be called ${name}`);
    names.add(name);
  }
  return { ...schema, optional: false, fields };
}

export function copied({ copies }: CopyPlan, struct: Struct): StructBuilder {
  const copy: StructBuilder = {};
  for (const { from, to, fallback } of copies) setField(copy, to, fieldOf(struct, from) ?? fallback);
  return copy;
}
