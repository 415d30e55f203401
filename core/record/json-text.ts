/**
 * Writes values as JSON without losing a digit: a `bigint` as digits, `NaN` and the infinities as text (as Kafka Connect
 * writes them), bytes as base64. About as fast as `JSON.stringify`, which knows none of these.
 */
import { unreachable } from '../assert.ts';
import type { Struct, Value } from './schema.ts';
import { isArray } from './struct.ts';

/** How bytes become text; the platform's, because plain JavaScript has no fast one. */
export type BytesText = (bytes: Uint8Array) => string;

/** Up to this many characters a loop is faster than `JSON.stringify`. Measured with Node 24. */
const LOOP_CHARACTERS_MAX = 64;

/** A JSON string. Lone surrogates come out escaped. */
export function jsonString(text: string): string {
  if (text.length > LOOP_CHARACTERS_MAX) return JSON.stringify(text);
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x22 || code === 0x5c || (code >= 0xd800 && code <= 0xdfff)) return JSON.stringify(text);
  }
  return `"${text}"`;
}

/** The shortest digits that give the same double again. */
export function jsonNumber(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? '-0.0' : String(value);
}

/** A value without a schema. */
export function jsonText(value: Value | undefined, bytesText: BytesText): string {
  switch (typeof value) {
    case 'string':
      return jsonString(value);
    case 'number':
      return jsonNumber(value);
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'undefined':
      return 'null';
    case 'object':
      return value === null ? 'null' : compositeText(value, bytesText);
    default:
      return unreachable(value);
  }
}

function compositeText(value: Exclude<Value, null | boolean | number | bigint | string>, bytesText: BytesText): string {
  if (isArray(value)) return `[${value.map((item) => jsonText(item, bytesText)).join(',')}]`;
  if (value instanceof Uint8Array) return `"${bytesText(value)}"`;
  if (value instanceof Map) return mapText(value, bytesText);
  return structText(value as Struct, bytesText);
}

function structText(struct: Struct, bytesText: BytesText): string {
  let text = '';
  for (const name in struct) {
    text += `${text === '' ? '{' : ','}${jsonString(name)}:${jsonText(struct[name], bytesText)}`;
  }
  return text === '' ? '{}' : `${text}}`;
}

/** An object when every key is text, else a list of pairs. */
function mapText(map: ReadonlyMap<Value, Value>, bytesText: BytesText): string {
  const entries = [...map];
  if (entries.every(([key]) => typeof key === 'string')) {
    return `{${entries.map(([key, value]) => `${jsonText(key, bytesText)}:${jsonText(value, bytesText)}`).join(',')}}`;
  }
  return `[${entries.map(([key, value]) => `[${jsonText(key, bytesText)},${jsonText(value, bytesText)}]`).join(',')}]`;
}
