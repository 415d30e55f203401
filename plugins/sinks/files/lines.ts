/**
 * A batch of records as lines, in one buffer. The bytes are those that the value converter wrote, or that came from the topic
 * where nothing changed them: nobody decodes them here.
 */
import type { z } from 'zod';
import { enumKey } from '../../../core/config/keys.ts';
import { RecordError } from '../../../core/errors.ts';
import type { ConnectRecord } from '../../../core/record/connect-record.ts';
import type { PutFailure } from '../../api/sink.ts';

const LINE_FEED = 0x0a;
const BLANK = 0x20;
const NO_BYTES = new Uint8Array();
const JSON_NULL = Buffer.from('null');

export type LineFormat = 'json' | 'raw';

/** The key that every sink of lines has. */
export const formatKey = {
  format: enumKey(['json', 'raw'])
    .default('json')
    .describe(
      'What a line is. json: the value as value.converter writes it (with schemas.enable=false: plain JSON), line breaks between its tokens made blanks, null without a value. raw: the bytes of the value as they are; a value with a line break is refused, and none is an empty line.',
    ),
} satisfies z.ZodRawShape;

export interface Lines {
  readonly bytes: Uint8Array;
  readonly failures: readonly PutFailure[];
}

/** With `failures`, `bytes` are the lines of all others. */
export function linesOf(records: readonly ConnectRecord[], format: LineFormat): Lines {
  const failures: PutFailure[] = [];
  const values: Uint8Array[] = [];
  let length = 0;
  for (const [index, { valueDatum }] of records.entries()) {
    const value = valueDatum.bytes ?? (format === 'json' ? JSON_NULL : NO_BYTES);
    const isBroken = value.includes(LINE_FEED);
    if (isBroken && format === 'raw') {
      failures.push({ index, error: new RecordError('the value has a line break, and each record is one line') });
      continue;
    }
    values.push(isBroken ? withoutBreaks(value) : value);
    length += value.length + 1;
  }
  return { bytes: joined(values, length), failures };
}

function joined(values: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const value of values) {
    bytes.set(value, at);
    at += value.length;
    bytes[at] = LINE_FEED;
    at += 1;
  }
  return bytes;
}

/** In JSON a line break is a blank like any other: inside a string it would be escaped. */
function withoutBreaks(json: Uint8Array): Uint8Array {
  return json.map((byte) => (byte === LINE_FEED ? BLANK : byte));
}
