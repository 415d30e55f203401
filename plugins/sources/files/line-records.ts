/** Lines as records. */
import { isUtf8 } from 'node:buffer';
import { basename } from 'node:path';
import { crc32 } from 'node:zlib';
import { RecordError } from '../../../core/errors.ts';
import { type Datum, type Header, NULL_DATUM } from '../../../core/record/connect-record.ts';
import { parseJson } from '../../../core/record/lossless-json.ts';
import type { Schema, Value } from '../../../core/record/schema.ts';
import { ShapeError } from '../../../core/record/shape-error.ts';
import type { PolledRecord } from '../../api/source.ts';
import type { Line } from './line-buffer.ts';

const STRING: Schema = { type: 'string', optional: false };
const BYTES: Schema = { type: 'bytes', optional: false };
const INT64: Schema = { type: 'int64', optional: false };

const CARRIAGE_RETURN = 0x0d;

export type LineFormat = 'text' | 'json' | 'raw';

export interface RecordOptions {
  readonly path: string;
  /** May hold `${file}`. */
  readonly topic: string;
  readonly format: LineFormat;
  readonly lineBytesMax: number;
  readonly tooLong: 'fail' | 'cut';
  readonly fileHeader: string | undefined;
  readonly offsetHeader: string | undefined;
}

/** `null` for a line that is none: a blank one between JSON documents. */
export type LineRecord = (line: Line, file: { readonly number: bigint; readonly hasSums: boolean }) => PolledRecord | null;

export function lineRecords({ path, format, tooLong, lineBytesMax, ...options }: RecordOptions): LineRecord {
  const topic = options.topic.replaceAll('${file}', topicPart(path));
  const { fileHeader, offsetHeader } = options;

  function headersAt(offset: number): readonly Header[] {
    const headers: Header[] = [];
    if (fileHeader !== undefined) headers.push({ name: fileHeader, schema: STRING, value: path });
    if (offsetHeader !== undefined) headers.push({ name: offsetHeader, schema: INT64, value: BigInt(offset) });
    return headers;
  }

  function refused(line: Line): Datum {
    const place = `the line at byte ${startOf(line)} of ${path}`;
    return new RefusedLine(
      `${place} has more than max.line.bytes=${lineBytesMax} bytes; next: raise it, or set line.too.long=cut`,
    );
  }

  const hasHeaders = fileHeader !== undefined || offsetHeader !== undefined;
  return (line, { number, hasSums }) => {
    const value = line.isTooLong && tooLong === 'fail' ? refused(line) : datumOf(line, format);
    if (value === null) return null;
    const end = BigInt(line.end);
    const position = hasSums ? [number, end, BigInt(crc32(line.bytes))] : [number, end];
    const record = { topic, key: NULL_DATUM, value, timestampMs: null, position, bytes: line.bytes.length };
    return hasHeaders ? { ...record, headers: headersAt(startOf(line)) } : record;
  };
}

/** Of its first byte. Behind it lies its line feed, unless it was cut or is the last one. */
function startOf({ end, bytes, hasFeed }: Line): number {
  return end - bytes.length - (hasFeed ? 1 : 0);
}

/** What brokers take in a topic's name: the file's, without what stands behind its first dot. */
function topicPart(path: string): string {
  const name = basename(path);
  const dot = name.indexOf('.', 1);
  return (dot < 0 ? name : name.slice(0, dot)).replaceAll(/[^A-Za-z0-9_-]+/g, '_');
}

function datumOf(line: Line, format: LineFormat): Datum | null {
  if (format === 'raw') return { schema: BYTES, value: line.bytes };
  const bytes = line.isTooLong ? wholeCharacters(line.bytes) : line.bytes;
  const isText = line.isTooLong ? isUtf8(bytes) : line.isUtf8;
  if (format === 'json') return isBlank(bytes) ? null : new JsonLine(bytes, isText);
  if (!isText) return { schema: BYTES, value: line.bytes };
  const end = bytes.at(-1) === CARRIAGE_RETURN ? bytes.length - 1 : bytes.length;
  return { schema: STRING, value: bytes.toString('utf8', 0, end) };
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === CARRIAGE_RETURN);
}

/** Without the character that the cut went through: bytes `10......` go on with what began before them. */
function wholeCharacters(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end -= 1;
  const lead = bytes[end - 1] ?? 0;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return end - 1 + length > bytes.length ? bytes.subarray(0, end - 1) : bytes;
}

/** Read when somebody looks, so that a line that is no JSON is refused like any other record. */
class JsonLine implements Datum {
  readonly schema = null;
  readonly #bytes: Buffer;
  readonly #isText: boolean;
  #value: Value | undefined;

  constructor(bytes: Buffer, isText: boolean) {
    this.#bytes = bytes;
    this.#isText = isText;
  }

  get value(): Value {
    this.#value ??= this.#read();
    return this.#value;
  }

  #read(): Value {
    if (!this.#isText) throw new RecordError('the line is not UTF-8', { code: 'record.conversion_failed' });
    try {
      return parseJson(this.#bytes.toString());
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      throw new RecordError(`the line is not JSON: ${error.message}`, { code: 'record.conversion_failed' });
    }
  }
}

/** A line that no record is made of: whoever looks hears why. */
class RefusedLine implements Datum {
  readonly schema = null;
  readonly #message: string;

  constructor(message: string) {
    this.#message = message;
  }

  get value(): Value {
    throw new RecordError(this.#message, { code: 'record.too_large' });
  }
}
