/**
 * Keys and values of records as the API has them. A text stands for its UTF-8, `null` for none, an object, list, number or boolean for
 * its JSON, and bytes that are no text have a field of their own, in base64. What is shown can be sent again, and gives the same.
 */
import type { Json } from '../../../core/json.ts';
import { ShapeError } from '../../../core/record/shape-error.ts';
import { base64 } from '../../../plugins/converters/base64.ts';
import { parseWritten } from '../written-json.ts';

/** @throws {ShapeError} for half of a surrogate pair, what is no base64, or what is nested too deep. */
export function bytesOf(content: unknown, inBase64: string | undefined): Uint8Array | null {
  if (inBase64 !== undefined) {
    if (content !== undefined) throw new ShapeError('a content is given twice, as it is and in base64');
    return base64.decode(inBase64);
  }
  if (content === undefined || content === null) return null;
  return utf8(typeof content === 'string' ? content : jsonTextOf(content));
}

/** @throws {ShapeError} */
export function demandUtf8(text: string): void {
  if (/\p{Surrogate}/u.test(text)) throw new ShapeError('the text has half a surrogate pair, which UTF-8 cannot say');
}

const encoder = new TextEncoder();

function utf8(text: string): Uint8Array {
  demandUtf8(text);
  return encoder.encode(text);
}

function jsonTextOf(content: unknown): string {
  try {
    return JSON.stringify(content);
  } catch (error) {
    if (error instanceof RangeError) throw new ShapeError('the JSON is nested too deep');
    throw error;
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** `name` with what it holds; `nameBase64` where that is no text. */
export function shown<Name extends 'key' | 'value'>(name: Name, bytes: Uint8Array | null): Readonly<Record<string, Json>> {
  if (bytes === null) return { [name]: null };
  try {
    return { [name]: contentOf(decoder.decode(bytes)) };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { [`${name}Base64`]: base64.encode(bytes) };
  }
}

/** Numbers, words and quoted texts are shown as the text that they are: sent as JSON they could not be told from it. */
function contentOf(text: string): Json {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    const content = parseWritten(text);
    // What can be parsed may yet be nested too deep to be written.
    JSON.stringify(content);
    return content as Json;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return text;
    throw error;
  }
}
