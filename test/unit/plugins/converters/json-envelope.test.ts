import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../../core/record/shape-error.ts';
import { envelopeReader } from '../../../../plugins/converters/json-envelope.ts';

const SCHEMA = '{"type":"struct","fields":[{"type":"int64","field":"id"}]}';

describe('envelopeReader', () => {
  it('gives one schema object to all documents of one schema, however they are laid out', () => {
    const read = aReader();

    const schemas = [
      `{"schema":${SCHEMA},"payload":{"id":1}}`,
      `{"schema":${SCHEMA},"payload":{"id":2}}`,
      `{"schema": ${SCHEMA}, "payload": {"id":3}}\n`,
      `{"schema": ${SCHEMA}, "payload" : {"id":3}}\n`,
      `{"payload":{"id":4},"schema":${SCHEMA}}`,
    ].map((text) => read(text).schema);

    expect(new Set(schemas).size).toBe(1);
  });

  it('reads each payload, long numbers and all', () => {
    const read = aReader();

    const values = ['1', '12345678901234567', '2'].map((id) => read(`{"schema":${SCHEMA},"payload":{"id":${id}}}`).value);

    expect(values).toStrictEqual([{ id: 1n }, { id: 12345678901234567n }, { id: 2n }]);
  });

  it('tells apart documents of several schemas', () => {
    const read = aReader();
    const texts = [
      '{"schema":{"type":"int8"},"payload":1}',
      '{"schema":{"type":"int16"},"payload":1}',
      '{"schema":null,"payload":1}',
    ];

    const types = [...texts, ...texts].map((text) => read(text).schema?.type);

    expect(types).toStrictEqual(['int8', 'int16', undefined, 'int8', 'int16', undefined]);
  });

  it.each([
    '{"type":"struct","fields":[{"type":"string","field":"payload"}]}',
    '{"type":"struct","fields":[{"type":"string","field":"payload","parameters":{"payload":"x"}}]}',
    '{"type":"struct","fields":[{"type":"string","field":"payload","doc":"the \\"payload\\": text"}]}',
  ])('is not misled by what a schema calls payload: %s', (schema) => {
    const read = aReader();
    const text = `{"schema":${schema},"payload":{"payload":"a"}}`;

    expect([read(text).value, read(text).value]).toStrictEqual([{ payload: 'a' }, { payload: 'a' }]);
  });

  it.each([
    '1',
    '"s"',
    '[]',
    '{"payload":1}',
    '{"schema":{"type":"int8"}}',
    '{"schema":{"type":"int8"},"payload":1,"more":2}',
    '{"schema":{"type":"int8"},"more":2,"payload":1}',
    '{"schema":{"type":"int8"},"payload":1}}',
    '{"schema":{"type":"int8"},"payload":1',
    '{"schema":{"type":"int8"},"payload":1},{"a":1}',
    '{"schema":{"type":"int8"},"payload":1} x',
  ])('refuses %s, also when the schema is known', (text) => {
    const read = aReader();
    read('{"schema":{"type":"int8"},"payload":1}');

    expect(() => read(text)).toThrow(ShapeError);
  });

  it('says that a fault is in the schema', () => {
    expect(() => aReader()('{"schema":{"type":"array","items":{"type":"int"}},"payload":[]}')).toThrow(
      expect.objectContaining({ path: ['schema', 'items'] }),
    );
  });

  it('forgets the oldest schemas beyond the size of its cache', () => {
    const read = aReader({ cacheSize: 2 });
    const schemaOf = (name: string) => read(`{"schema":{"type":"int8","name":"${name}"},"payload":1}`).schema;
    const first = schemaOf('a');

    const again = schemaOf('a');
    schemaOf('b');
    schemaOf('c');

    expect(again).toBe(first);
    expect(schemaOf('a')).not.toBe(first);
  });

  it.each([{ cacheSize: 0 }, { cacheSize: 10 }])('reads schemas that it does not keep, with %o', (options) => {
    const read = aReader(options);
    const text = `{"schema":{"type":"int8","doc":"${'x'.repeat(options.cacheSize * 7_000)}"},"payload":1}`;

    const [first, second] = [read(text), read(text)];

    expect(second).toStrictEqual(first);
    expect(second.schema).not.toBe(first.schema);
  });

  it('reads the default of a decimal exactly', () => {
    const decimal = '"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"19"}';

    const { value } = aReader()(`{"schema":{${decimal},"default":1.2345678901234567891},"payload":null}`);

    expect(Buffer.from(value as Uint8Array).toString('hex')).toBe(12345678901234567891n.toString(16).padStart(18, '0'));
  });
});

function aReader({ cacheSize = 100 } = {}) {
  return envelopeReader({ cacheSize, replaceNullWithDefault: true });
}
