/** Arbitrary schemas with values of their shape, and arbitrary values without a schema; field names are hostile at times. */
import fc from 'fast-check';
import { unscaledBytes } from '../../core/record/decimal.ts';
import { logicalNames, type Schema, type Value } from '../../core/record/schema.ts';
import { DAY_MS, INT64_MAX, INT64_MIN, intBounds } from '../../plugins/converters/json-primitives.ts';

/** Every text a JavaScript string can be, halves of surrogate pairs included. */
const anyText = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 }).map((codes) => String.fromCharCode(...codes));

const anyName = fc.oneof(
  fc.string({ maxLength: 6 }),
  anyText,
  fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'payload', 'schema', ''),
);

const PLAIN = { noNullPrototype: true } as const;

const anyBytes = fc.uint8Array({ maxLength: 20 });
const anyInt64 = fc.bigInt({ min: INT64_MIN, max: INT64_MAX });

/** A value as JSON can say it: a `bigint` only where a `number` would not be safe. */
export const anyJsonValue: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(null, true, false),
    anyText,
    fc.oneof(
      fc.integer(),
      fc
        .double({ noNaN: true, noDefaultInfinity: true })
        .filter((value) => !Number.isInteger(value) || Number.isSafeInteger(value)),
      fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }).map(asJson),
    ),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(anyName, tie('value'), { maxKeys: 5, noNullPrototype: true }),
  ),
})).value;

function asJson(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

const anyPrimitive: fc.Arbitrary<Schema> = fc.record(
  {
    type: fc.constantFrom('int8', 'int16', 'int32', 'int64', 'float32', 'float64', 'boolean', 'string', 'bytes'),
    optional: fc.boolean(),
  },
  PLAIN,
);

const anyLogical: fc.Arbitrary<Schema> = fc.oneof(
  fc.constantFrom<Schema>(
    { type: 'int32', optional: false, name: logicalNames.date, version: 1 },
    { type: 'int32', optional: true, name: logicalNames.time, version: 1 },
    { type: 'int64', optional: false, name: logicalNames.timestamp, version: 1 },
  ),
  fc.integer({ min: -5, max: 30 }).map((scale): Schema => {
    return { type: 'bytes', optional: false, name: logicalNames.decimal, version: 1, parameters: { scale: String(scale) } };
  }),
);

const anyKeySchema: fc.Arbitrary<Schema> = fc.constantFrom('string', 'int32', 'int64').map((type) => ({ type, optional: false }));

const anySchema: fc.Arbitrary<Schema> = fc.letrec<{ schema: Schema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    anyPrimitive,
    anyLogical,
    fc.record({ type: fc.constant('array'), optional: fc.boolean(), items: tie('schema') }, PLAIN),
    fc.record({ type: fc.constant('map'), optional: fc.boolean(), keys: anyKeySchema, values: tie('schema') }, PLAIN),
    fc.record(
      {
        type: fc.constant('struct'),
        optional: fc.boolean(),
        name: fc.string(),
        doc: anyText,
        fields: fc.uniqueArray(fc.record({ name: anyName, schema: tie('schema') }, PLAIN), {
          maxLength: 6,
          selector: ({ name }) => name,
        }),
      },
      PLAIN,
    ),
  ),
})).schema;

export interface Typed {
  readonly schema: Schema;
  readonly value: Value;
}

export const anyTyped: fc.Arbitrary<Typed> = anySchema.chain((schema) => aValue(schema).map((value) => ({ schema, value })));

function aValue(schema: Schema): fc.Arbitrary<Value> {
  return schema.optional ? fc.option(aPresentValue(schema), { nil: null, freq: 4 }) : aPresentValue(schema);
}

function aPresentValue(schema: Schema): fc.Arbitrary<Value> {
  switch (schema.type) {
    case 'int8':
    case 'int16':
      return fc.integer(intBounds[schema.type]);
    case 'int32':
      return fc.integer(schema.name === logicalNames.time ? { min: 0, max: DAY_MS } : intBounds.int32);
    case 'int64':
      return anyInt64;
    case 'float32':
      return fc.float();
    case 'float64':
      return fc.double();
    case 'boolean':
      return fc.boolean();
    case 'string':
      return anyText;
    case 'bytes':
      return schema.name === logicalNames.decimal
        ? fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }).map(unscaledBytes)
        : anyBytes;
    case 'array':
      return fc.array(aValue(schema.items), { maxLength: 4 });
    case 'map':
      return fc
        .array(fc.tuple(aPresentValue(schema.keys), aValue(schema.values)), { maxLength: 4 })
        .map((entries) => new Map(entries));
    case 'struct':
      return fc
        .tuple(...schema.fields.map((field) => aValue(field.schema).map((value) => [field.name, value] as const)))
        .map((entries) => Object.fromEntries(entries));
  }
}
