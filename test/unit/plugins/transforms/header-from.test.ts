import { describe, expect, it } from 'vitest';
import type { Schema, StructSchema } from '../../../../core/record/schema.ts';
import { headerFromKey, headerFromValue } from '../../../../plugins/transforms/header-from.ts';
import { aRecord } from '../../../support/transform-records.ts';

const INT64: Schema = { type: 'int64', optional: false };
const ROW: StructSchema = { type: 'struct', optional: true, fields: [{ name: 'amount', schema: INT64 }] };
const ENVELOPE: StructSchema = {
  type: 'struct',
  optional: false,
  name: 'Envelope',
  fields: [
    { name: 'op', schema: { type: 'string', optional: false } },
    { name: 'after', schema: ROW },
  ],
};

describe('headerFrom', () => {
  it('copies fields, and fields of fields, behind the headers that are there', () => {
    const transform = aTransform({ fields: 'op,after.amount', headers: 'op,amount' });
    const before = { name: 'old', schema: null, value: 1 };
    const record = aRecord({ headers: [before], value: { schema: ENVELOPE, value: { op: 'c', after: { amount: 5n } } } });

    const changed = transform(record);

    expect(changed.headers).toEqual([
      before,
      { name: 'op', schema: ENVELOPE.fields[0]?.schema, value: 'c' },
      { name: 'amount', schema: INT64, value: 5n },
    ]);
    expect(changed.valueDatum).toBe(record.valueDatum);
  });

  it('moves fields, with a schema and without', () => {
    const transform = aTransform({ fields: 'op', headers: 'kind', operation: 'move' });

    for (const schema of [ENVELOPE, null]) {
      const changed = transform(aRecord({ value: { schema, value: { op: 'd', after: null } } }));

      expect(changed.headers.map(({ name, value }) => [name, value])).toEqual([['kind', 'd']]);
      expect(changed.value).toEqual({ after: null });
      expect(changed.valueDatum.schema).toEqual(schema === null ? null : { ...ENVELOPE, fields: [ENVELOPE.fields[1]] });
    }
  });

  it('makes no header of what a record lacks, and leaves one that has nothing of it as it is', () => {
    const transform = aTransform({ fields: 'after.amount,__proto__,toString', headers: 'amount,a,b' });

    for (const value of [null, 'text', { after: null }, { after: {} }]) {
      const record = aRecord({ value: { schema: null, value } });

      expect(transform(record)).toBe(record);
    }
  });

  it('prefers a field whose own name has dots', () => {
    const transform = aTransform({ fields: 'a.b', headers: 'h' });

    const { headers } = transform(aRecord({ value: { schema: null, value: { 'a.b': 1, a: { b: 2 } } } }));

    expect(headers).toEqual([{ name: 'h', schema: null, value: 1 }]);
  });

  it('reads keys, too', () => {
    const transform = headerFromKey.create(headerFromKey.config.parse({ fields: 'id', headers: 'id' }));

    const changed = transform(aRecord({ key: { schema: null, value: { id: 7 } } }));

    expect(changed?.headers).toEqual([{ name: 'id', schema: null, value: 7 }]);
  });

  it('wants as many names as fields', () => {
    for (const keys of [
      { fields: 'a,b', headers: 'h' },
      { fields: '', headers: '' },
    ]) {
      expect(headerFromValue.config.safeParse(keys).success).toBe(false);
    }
  });
});

function aTransform(keys: Readonly<Record<string, string>>) {
  const transform = headerFromValue.create(headerFromValue.config.parse(keys));
  return (record: ReturnType<typeof aRecord>) => transform(record) ?? record;
}
