import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExactJson } from '../../../../core/record/json-parser.ts';
import { schemaFromJson, schemaJson } from '../../../../core/record/json-schema.ts';
import { parseJson } from '../../../../core/record/lossless-json.ts';
import type { Schema, Value } from '../../../../core/record/schema.ts';
import { anyTyped } from '../../../support/arbitrary-values.ts';

describe('schemaJson', () => {
  it('is read back to the same schema', () => {
    fc.assert(
      fc.property(anyTyped, ({ schema }) => {
        deepStrictEqual(readBack(schema), schema);
      }),
    );
  });

  it('writes every fact, in the order in which Kafka Connect does', () => {
    const schema: Schema = {
      type: 'int32',
      optional: true,
      name: 'my.Int',
      version: 3,
      doc: 'a "number"',
      parameters: { p: 'q' },
      default: 7,
    };

    expect(
      schemaJson({ type: 'struct', optional: false, fields: [{ name: 'n', schema }] }, (_type, value) => String(value)),
    ).toBe(
      '{"type":"struct","fields":[{"type":"int32","optional":true,"name":"my.Int","version":3,"doc":"a \\"number\\"",' +
        '"parameters":{"p":"q"},"default":7,"field":"n"}],"optional":false}',
    );
  });
});

describe('schemaFromJson', () => {
  it('takes facts of the wrong type as absent', () => {
    const json = parseJson('{"type":"int8","optional":"yes","name":1,"version":1.5,"doc":[],"parameters":3,"default":null}');

    expect(schemaFromJson(json, (_schema, value) => value as Value)).toStrictEqual({ type: 'int8', optional: false });
  });

  it('keeps hostile parameter names to themselves', () => {
    const json = parseJson('{"type":"int8","parameters":{"__proto__":"p","constructor":"c"}}');

    const { parameters = {} } = schemaFromJson(json, readNone);

    expect(Object.entries(parameters)).toStrictEqual([
      ['__proto__', 'p'],
      ['constructor', 'c'],
    ]);
    expect(Object.getPrototypeOf(parameters)).toBe(Object.prototype);
  });

  it.each([
    ['5', "a schema must be an object with a 'type'", []],
    ['{"type":5}', "a schema must be an object with a 'type'", []],
    ['{"type":"float32"}', 'unknown schema type float32', []],
    ['{"type":"array"}', "a schema must be an object with a 'type'", ['items']],
    ['{"type":"map","keys":{"type":"string"},"values":null}', "a schema must be an object with a 'type'", ['values']],
    ['{"type":"struct"}', "a struct's 'fields' must be an array", []],
    ['{"type":"struct","fields":[7]}', "each of a struct's fields must be named by 'field'", []],
    [
      '{"type":"struct","fields":[{"type":"array","items":{},"field":"a"}]}',
      "a schema must be an object with a 'type'",
      ['a', 'items'],
    ],
    [
      '{"type":"struct","fields":[{"type":"int8","field":"a"},{"type":"int8","field":"a"}]}',
      'the struct has two fields of this name',
      ['a'],
    ],
    ['{"type":"int8","parameters":{"a":1}}', 'the parameters of a schema must be text', ['parameters']],
  ])('refuses %s', (text, message, path) => {
    expect(() => schemaFromJson(parseJson(text), readNone)).toThrow(expect.objectContaining({ message, path }));
  });
});

function readBack(schema: Schema): Schema {
  return schemaFromJson(parseJson(schemaJson(schema, () => 'null')), readNone);
}

function readNone(_schema: Schema, _json: ExactJson): Value {
  return null;
}
