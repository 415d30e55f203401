import { describe, expect, it } from 'vitest';
import { RecordError } from '../../../../core/errors.ts';
import type { ConnectRecord } from '../../../../core/record/connect-record.ts';
import { logicalNames, type Schema, type Value } from '../../../../core/record/schema.ts';
import { insertFieldKey, insertFieldValue } from '../../../../plugins/transforms/insert-field.ts';
import { answer, vectorsOf, wanted } from '../../../support/record-vector.ts';
import { aRecord, aSinkRecord } from '../../../support/transform-records.ts';

const ALL = {
  'topic.field': 'topic',
  'partition.field': 'partition',
  'offset.field': 'offset',
  'timestamp.field': 'timestamp',
  'static.field': 'static',
  'static.value': 's',
};
const struct: Schema = {
  type: 'struct',
  optional: false,
  fields: [{ name: 'a', schema: { type: 'string', optional: true, default: 'd' } }],
};

describe('insertField', () => {
  describe.each([
    ['key', insertFieldKey],
    ['value', insertFieldValue],
  ])('golden vectors of the %s', (_part, plugin) => {
    for (const vector of vectorsOf(plugin)) {
      it(vector.id, () => {
        expect(answer(plugin, vector)).toStrictEqual(wanted(vector));
      });
    }
  });

  it('inserts integers without a schema as numbers while they are safe, beyond without losing a digit (I8)', () => {
    const transform = aTransform(ALL);

    const [near, far] = [42n, 2n ** 63n - 1n].map((at) => transform(aSinkRecord({ at, value: { schema: null, value: {} } })));

    expect(near?.value).toStrictEqual({ topic: 'orders', partition: 3, offset: 42, timestamp: 1_483_425_001_864, static: 's' });
    expect(far?.value).toMatchObject({ offset: 2n ** 63n - 1n });
  });

  it('leaves out what a record of a source does not have', () => {
    const transform = aTransform({ 'partition.field': 'p', 'timestamp.field': 't' });

    const schemaless = transform(aRecord({ timestampMs: null, value: { schema: null, value: { a: 1 } } }));
    const typed = transform(aRecord({ timestampMs: null, value: { schema: struct, value: { a: 'x' } } }));

    expect(schemaless.value).toStrictEqual({ a: 1 });
    expect(typed.value).toStrictEqual({ a: 'x', p: null, t: null });
  });

  it('refuses a record without the value of a required field', () => {
    const transform = aTransform({ 'timestamp.field': 't!' });

    expect(() => transform(aRecord({ timestampMs: null, value: { schema: struct, value: { a: 'x' } } }))).toThrow(RecordError);
  });

  it('refuses to have two fields of one name with a schema, and overwrites without', () => {
    const transform = aTransform({ 'topic.field': 'a' });

    expect(() => transform(aRecord({ value: { schema: struct, value: { a: 'x' } } }))).toThrow(
      expect.objectContaining({ code: 'record.transform_failed' }),
    );
    expect(transform(aRecord({ value: { schema: null, value: { a: 'x' } } })).value).toStrictEqual({ a: 'orders' });
  });

  it.each<[Schema | null, Value]>([
    [null, 'text'],
    [null, [1]],
    [{ type: 'string', optional: false }, 'text'],
    [
      { type: 'map', optional: false, keys: { type: 'string', optional: false }, values: { type: 'string', optional: false } },
      new Map(),
    ],
  ])('refuses a value without fields: %o, %o', (schema, value) => {
    expect(() => aTransform(ALL)(aSinkRecord({ value: { schema, value } }))).toThrow(RecordError);
  });

  it('makes one schema object for one schema object', () => {
    const transform = aTransform({ 'timestamp.field': 't!' });

    const [first, second] = [1, 2].map((timestampMs) =>
      transform(aRecord({ timestampMs, value: { schema: struct, value: { a: null } } })),
    );

    expect(first?.valueSchema).toBe(second?.valueSchema);
    expect(first?.valueSchema).toMatchObject({
      fields: [
        { name: 'a' },
        { name: 't', schema: { type: 'int64', optional: false, name: logicalNames.timestamp, version: 1 } },
      ],
    });
    expect(second?.value).toStrictEqual({ a: 'd', t: 2n });
  });

  it('keeps nulls where asked to', () => {
    const transform = aTransform({ 'topic.field': 't', 'replace.null.with.default': 'false' });

    expect(transform(aRecord({ value: { schema: struct, value: { a: null } } })).value).toStrictEqual({ a: null, t: 'orders' });
  });

  it.each(['__proto__', 'constructor'])('inserts a field called %s as a field', (name) => {
    const transform = aTransform({ 'topic.field': name });

    for (const schema of [null, struct]) {
      const { value } = transform(aRecord({ value: { schema, value: { a: 'x' } } }));
      expect(Object.entries(value as object)).toStrictEqual([
        ['a', 'x'],
        [name, 'orders'],
      ]);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    }
  });

  it.each([{}, { 'static.field': 'a' }, { 'topic.field': '' }, { 'topic.field': 'a', 'replace.null.with.default': 'yes' }])(
    'refuses the configuration %o',
    (config) => {
      expect(insertFieldValue.config.safeParse(config).success).toBe(false);
    },
  );
});

function aTransform(config: Readonly<Record<string, string>>): (record: ConnectRecord) => ConnectRecord {
  const transform = insertFieldValue.create(insertFieldValue.config.parse(config));
  return (record) => transform(record) ?? expect.fail('the record was dropped');
}
