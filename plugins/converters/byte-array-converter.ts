import { z } from 'zod';
import { logicalNames, type Schema, type Value } from '../../core/record/schema.ts';
import { ShapeError } from '../../core/record/shape-error.ts';
import { defineConverter } from '../api/converter.ts';
import { conversionError } from './conversion-error.ts';

const OPTIONAL_BYTES: Schema = { type: 'bytes', optional: true };

/** The bytes as they are. */
export const byteArrayConverter = defineConverter({
  name: 'bytes',
  aliases: [
    'org.apache.kafka.connect.converters.ByteArrayConverter',
    'ByteArrayConverter',
    'org.apache.rocketmq.connect.runtime.converter.record.ByteArrayConverter',
  ],
  config: z.object({}),

  create() {
    return {
      toConnect: (_topic, bytes) => ({ schema: OPTIONAL_BYTES, value: bytes, bytes }),
      fromConnect(_topic, schema, value) {
        try {
          return asBytes(schema, value);
        } catch (error) {
          throw conversionError(error);
        }
      },
    };
  },
});

function asBytes(schema: Schema | null, value: Value): Uint8Array | null {
  // The bytes of a decimal are no decimal without their scale.
  const isOther = schema !== null && (schema.type !== 'bytes' || schema.name === logicalNames.decimal);
  if (isOther) throw new ShapeError(`the bytes converter writes bytes, not ${schema.name ?? schema.type}`);
  if (value === null || value instanceof Uint8Array) return value;
  throw new ShapeError('the bytes converter writes bytes alone');
}
