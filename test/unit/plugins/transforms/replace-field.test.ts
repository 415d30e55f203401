import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConnectRecord } from '../../../../core/record/connect-record.ts';
import type { Schema, Struct } from '../../../../core/record/schema.ts';
import { replaceFieldKey, replaceFieldValue } from '../../../../plugins/transforms/replace-field.ts';
import { answer, vectorsOf, wanted } from '../../../support/record-vector.ts';
import { aRecord } from '../../../support/transform-records.ts';

describe('replaceField', () => {
  describe.each([
    ['key', replaceFieldKey],
    ['value', replaceFieldValue],
  ])('golden vectors of the %s', (_part, plugin) => {
    for (const vector of vectorsOf(plugin)) {
      it(vector.id, () => {
        expect(answer(plugin, vector)).toStrictEqual(wanted(vector));
      });
    }
  });

  it('answers the same record when nothing changes, so that its bytes can be passed on', () => {
    const record = aRecord({ value: { schema: null, value: { a: 1, b: 2 } } });

    expect(aTransform({ exclude: 'x,y', renames: 'z:a' })(record)).toBe(record);
    expect(aTransform({ exclude: 'a' })(record)).not.toBe(record);
  });

  it('exchanges names', () => {
    const transform = aTransform({ renames: 'a:b,b:a' });

    for (const schema of [null, structOf('a', 'b')]) {
      expect(transform(aRecord({ value: { schema, value: { a: '1', b: '2' } } })).value).toStrictEqual({ b: '1', a: '2' });
    }
  });

  it('treats hostile names as names, with a schema and without', () => {
    const names = fc.constantFrom('a', 'b', '__proto__', 'constructor', 'toString');
    fc.assert(
      fc.property(fc.uniqueArray(names), fc.uniqueArray(names), fc.uniqueArray(names), (fields, exclude, include) => {
        const transform = aTransform({
          exclude: exclude.join(),
          include: include.join(),
          renames: 'a:hasOwnProperty,constructor:c',
        });
        const value = Object.fromEntries(fields.map((name) => [name, name])) as Struct;
        const kept = fields.filter((name) => !exclude.includes(name) && (include.length === 0 || include.includes(name)));
        const renamed: Record<string, string> = { a: 'hasOwnProperty', constructor: 'c' };
        const expected = Object.fromEntries(kept.map((name) => [Object.hasOwn(renamed, name) ? renamed[name] : name, name]));

        for (const schema of [null, structOf(...fields)]) {
          deepStrictEqual(transform(aRecord({ value: { schema, value } })).value, expected);
        }
      }),
    );
  });

  it('refuses to have two fields of one name with a schema', () => {
    const transform = aTransform({ renames: 'a:b' });

    expect(() => transform(aRecord({ value: { schema: structOf('a', 'b'), value: { a: '1', b: '2' } } }))).toThrow(
      expect.objectContaining({ code: 'record.transform_failed' }),
    );
  });

  it('makes one schema object for one schema object, without what belongs to the old one', () => {
    const transform = aTransform({ exclude: 'b' });
    const schema: Schema = { ...structOf('a', 'b'), optional: true, name: 'S', default: { a: 'x', b: 'y' } };

    const [first, second] = [1, 2].map((value) => transform(aRecord({ value: { schema, value: { a: String(value), b: '' } } })));

    expect(first?.valueSchema).toBe(second?.valueSchema);
    expect(first?.valueSchema).toStrictEqual({ ...structOf('a'), name: 'S' });
  });

  it.each(['a', 'a:', 'a:b:c', ':'])('refuses the rename %j', (renames) => {
    expect(replaceFieldValue.config.safeParse({ renames }).success).toBe(false);
  });
});

function structOf(...names: readonly string[]): Schema {
  return { type: 'struct', optional: false, fields: names.map((name) => ({ name, schema: { type: 'string', optional: true } })) };
}

function aTransform(config: Readonly<Record<string, string>>): (record: ConnectRecord) => ConnectRecord {
  const transform = replaceFieldValue.create(replaceFieldValue.config.parse(config));
  return (record) => transform(record) ?? expect.fail('the record was dropped');
}
