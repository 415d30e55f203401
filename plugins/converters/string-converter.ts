import { z } from 'zod';
import { enumKey } from '../../core/config/keys.ts';
import type { Schema } from '../../core/record/schema.ts';
import { defineConverter } from '../api/converter.ts';
import { conversionError } from './conversion-error.ts';
import { utf8Encoder } from './utf8.ts';
import { valueText } from './value-text.ts';

const Config = z.object({
  'converter.encoding': enumKey(['UTF-8', 'UTF8']).default('UTF-8').describe('Encoding of the text; only UTF-8.'),
});

const OPTIONAL_STRING: Schema = { type: 'string', optional: true };

/**
 * The bytes as text. Bytes that are not UTF-8 are read as U+FFFD, as Kafka Connect reads them; a value that is not text is
 * written as Java prints it.
 */
export const stringConverter = defineConverter({
  name: 'string',
  aliases: [
    'org.apache.kafka.connect.storage.StringConverter',
    'StringConverter',
    'org.apache.rocketmq.connect.runtime.converter.record.StringConverter',
  ],
  config: Config,

  create() {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const encode = utf8Encoder();
    return {
      toConnect: (_topic, bytes) => ({ schema: OPTIONAL_STRING, value: bytes === null ? null : decoder.decode(bytes), bytes }),
      fromConnect(_topic, schema, value) {
        if (value === null) return null;
        try {
          return encode(typeof value === 'string' ? value : valueText(schema, value));
        } catch (error) {
          throw conversionError(error);
        }
      },
    };
  },
});
