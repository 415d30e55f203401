/**
 * Schemas as Kafka Connect has them, and the shape a value takes in memory for each:
 *
 * | type                      | value                                             |
 * | ------------------------- | ------------------------------------------------- |
 * | int8 int16 int32          | integral `number`                                 |
 * | int64                     | `bigint`, always (I8)                             |
 * | float32 float64           | `number`                                          |
 * | boolean, string           | `boolean`, `string`                               |
 * | bytes                     | `Uint8Array`                                      |
 * | array, map                | array, `Map`                                      |
 * | struct                    | plain object, one own property per field          |
 *
 * A logical type (Decimal, Date, Time, Timestamp) is its base type with a `name`: the value keeps the base type's shape.
 *
 * Without a schema (`null`), a value is what JSON can say: an object for a map, an array, text, boolean, null; an integer
 * is a `number` while it is a safe one and a `bigint` beyond, so no digit is ever lost.
 */
export type PrimitiveType = 'int8' | 'int16' | 'int32' | 'int64' | 'float32' | 'float64' | 'boolean' | 'string' | 'bytes';

interface SchemaFacts {
  readonly optional: boolean;
  readonly name?: string;
  readonly version?: number;
  readonly doc?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly default?: Value;
}

export interface PrimitiveSchema extends SchemaFacts {
  readonly type: PrimitiveType;
}

export interface ArraySchema extends SchemaFacts {
  readonly type: 'array';
  readonly items: Schema;
}

export interface MapSchema extends SchemaFacts {
  readonly type: 'map';
  readonly keys: Schema;
  readonly values: Schema;
}

export interface StructSchema extends SchemaFacts {
  readonly type: 'struct';
  readonly fields: readonly Field[];
}

export type Schema = PrimitiveSchema | ArraySchema | MapSchema | StructSchema;

export interface Field {
  readonly name: string;
  readonly schema: Schema;
}

/** A struct's fields, or a schemaless map. Own properties only; never written through `[name] =` with a foreign name. */
export interface Struct {
  readonly [field: string]: Value;
}

export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Value[]
  | ReadonlyMap<Value, Value>
  | Struct;

/** Names of Kafka Connect's logical types, `org.apache.kafka.connect.data.*`. */
export const logicalNames = {
  decimal: 'org.apache.kafka.connect.data.Decimal',
  date: 'org.apache.kafka.connect.data.Date',
  time: 'org.apache.kafka.connect.data.Time',
  timestamp: 'org.apache.kafka.connect.data.Timestamp',
} as const;
