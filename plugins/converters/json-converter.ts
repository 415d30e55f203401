import { z } from 'zod';
import { booleanKey, enumKey, intKey } from '../../core/config/keys.ts';
import type { Datum } from '../../core/record/connect-record.ts';
import { schemaJson } from '../../core/record/json-schema.ts';
import { jsonText } from '../../core/record/json-text.ts';
import { parseJson } from '../../core/record/lossless-json.ts';
import type { Schema, Value } from '../../core/record/schema.ts';
import { ShapeError } from '../../core/record/shape-error.ts';
import { defineConverter } from '../api/converter.ts';
import { base64 } from './base64.ts';
import { conversionError } from './conversion-error.ts';
import { envelopeReader } from './json-envelope.ts';
import { type JsonWriter, jsonWriter, type WriteOptions } from './json-writer.ts';
import { utf8Encoder } from './utf8.ts';

/** A schema of 100 fields takes some 10 KB, so this many take 1 GB: more is a mistake. */
const CACHE_SIZE_MAX = 100_000;

const Config = z.object({
  'schemas.enable': booleanKey()
    .default(true)
    .describe('true: documents are {"schema":...,"payload":...}. false: documents are plain JSON, without a schema when read.'),
  'schemas.cache.size': intKey({ min: 0, max: CACHE_SIZE_MAX })
    .default(1_000)
    .describe('Schemas kept, so that the same one is read once.'),
  'decimal.format': enumKey(['BASE64', 'NUMERIC'])
    .default('BASE64')
    .describe('How decimals are written: as base64 of the unscaled bytes, or as numbers. Both are read.'),
  'replace.null.with.default': booleanKey()
    .default(true)
    .describe("Read and write a null as its field's default value, where there is one."),
});

/**
 * JSON, in the form of Kafka Connect's JsonConverter. No digit is ever lost, and what does not have the declared shape is
 * refused (I8), where Kafka Connect lets some misfits through as other values.
 */
export const jsonConverter = defineConverter({
  name: 'json',
  aliases: [
    'org.apache.kafka.connect.json.JsonConverter',
    'JsonConverter',
    'org.apache.rocketmq.connect.runtime.converter.record.json.JsonConverter',
  ],
  config: Config,

  create(config) {
    const withSchemas = config['schemas.enable'];
    const options = { replaceNullWithDefault: config['replace.null.with.default'], decimalFormat: config['decimal.format'] };
    const read = withSchemas ? envelopeReader({ ...options, cacheSize: config['schemas.cache.size'] }) : readPlain;
    const write = payloadWriter(withSchemas, options);
    const decoder = new TextDecoder('utf-8', { fatal: true });
    const encode = utf8Encoder();

    return {
      toConnect(_topic, bytes) {
        if (bytes === null) return NOTHING;
        try {
          const { schema, value } = read(decoded(decoder, bytes));
          return { schema, value, bytes };
        } catch (error) {
          throw conversionError(error);
        }
      },
      fromConnect(_topic, schema, value) {
        if (schema === null && value === null) return null;
        try {
          return encode(write(schema, value));
        } catch (error) {
          throw conversionError(error);
        }
      },
    };
  },
});

const NOTHING: Datum = { schema: null, value: null, bytes: null };

function readPlain(text: string): Datum {
  return { schema: null, value: parseJson(text) };
}

function decoded(decoder: TextDecoder, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new ShapeError('the bytes are not UTF-8');
  }
}

/** Around a payload: everything of the envelope that its schema settles. */
interface Frame {
  readonly head: string;
  readonly write: JsonWriter;
  readonly tail: string;
}

/** Prepares each schema object once; sources use one object for many records. */
function payloadWriter(withSchemas: boolean, options: WriteOptions): (schema: Schema | null, value: Value) => string {
  const frames = new WeakMap<Schema, Frame>();

  function frameOf(schema: Schema): Frame {
    const known = frames.get(schema);
    if (known !== undefined) return known;
    const write = jsonWriter(schema, options);
    const head = withSchemas
      ? `{"schema":${schemaJson(schema, (type, value) => jsonWriter(type, options)(value))},"payload":`
      : '';
    const frame = { head, write, tail: withSchemas ? '}' : '' };
    frames.set(schema, frame);
    return frame;
  }

  const schemaless: Frame = {
    head: withSchemas ? '{"schema":null,"payload":' : '',
    write: (value) => jsonText(value ?? null, base64.encode),
    tail: withSchemas ? '}' : '',
  };

  return (schema, value) => {
    const { head, write, tail } = schema === null ? schemaless : frameOf(schema);
    return head + write(value) + tail;
  };
}
