/**
 * How a record lies in a message of RocketMQ, so that others read it and none of it is lost.
 *
 * | of a record | in a message |
 * | --- | --- |
 * | value | body |
 * | key, where it is text | property `KEYS` |
 * | tag | property `TAGS` |
 * | header | property of its name |
 * | words that find it | property `KEYS`, and its key is one of ours |
 * | sharding key | property `__SHARDINGKEY` |
 *
 * What a property cannot hold (it may not be empty, nor hold 0x01 or 0x02; of one name the last counts; some names are RocketMQ's own) and
 * what a message cannot (an empty body) goes into properties of ours, which readers of ours look at first:
 *
 * | property | holds |
 * | --- | --- |
 * | `SORTIE_KEY` | a key that is no such text, or beside other words: `base64:` and its bytes; `null`: there is none |
 * | `SORTIE_TAG` | a tag that is no such text, as JSON |
 * | `SORTIE_HEADERS` | all headers where one is none of those: `[["name","text"], ...]`; those that can be are properties too |
 * | `SORTIE_VALUE` | `null`: the record is a tombstone, and its body the text `null`; `empty`: its value is, and its body one space |
 * | `SORTIE_BORN` | epoch ms, where a record was not born with the first of its batch |
 */
import { isUtf8 } from 'node:buffer';
import type { OutgoingRecord } from '../../../core/ports.ts';
import type { LogHeaders } from '../../../core/record/connect-record.ts';
import type { OutgoingMessages } from '../outgoing-messages.ts';
import { isPropertyText, isReservedProperty } from '../properties.ts';

export const PROPERTY = {
  key: 'KEYS',
  tag: 'TAGS',
  shardingKey: '__SHARDINGKEY',
  otherKey: 'SORTIE_KEY',
  otherTag: 'SORTIE_TAG',
  headers: 'SORTIE_HEADERS',
  value: 'SORTIE_VALUE',
  born: 'SORTIE_BORN',
} as const;

const OWN_PREFIX = 'SORTIE_';

export const BASE64 = 'base64:';

export const NULL_MARK = 'null';
const EMPTY_MARK = 'empty';

/** Up to such a length a loop is faster than the platform's calls, one for each thing to look for. Measured with Node 24. */
const LOOP_LENGTH_MAX = 32;

/** So many names are compared with each other faster than kept in a set. */
const FEW_HEADERS = 4;

export const NULL_BODY: Uint8Array = Buffer.from('null');
export const EMPTY_BODY: Uint8Array = Buffer.from(' ');

/** Whether a property is a header of the record, and not RocketMQ's or ours. */
export function isHeader(name: string): boolean {
  return !isReservedProperty(name) && !name.startsWith(OWN_PREFIX);
}

/** Appends it. `batchBornAtMs`: what the batch says of all of its messages. */
export function writeRecord(messages: OutgoingMessages, record: OutgoingRecord, batchBornAtMs: number): void {
  const { key, value, tag, headers, bornAtMs, keys, shardingKey } = record;
  messages.begin(bodyOf(value));
  if (typeof keys === 'string' && isPlain(keys)) {
    messages.property(PROPERTY.key, keys);
    writeOtherKey(messages, key);
  } else if (key !== null) writeKey(messages, key);
  if (typeof shardingKey === 'string' && isPlain(shardingKey)) messages.property(PROPERTY.shardingKey, shardingKey);
  if (tag !== null && isPlain(tag)) messages.property(PROPERTY.tag, tag);
  else if (tag !== null) messages.property(PROPERTY.otherTag, JSON.stringify(tag));
  if (headers.length > 0) writeHeaders(messages, headers);
  if (bornAtMs !== batchBornAtMs) messages.property(PROPERTY.born, String(bornAtMs));
  if (value === null) messages.property(PROPERTY.value, NULL_MARK);
  else if (value.length === 0) messages.property(PROPERTY.value, EMPTY_MARK);
  messages.end();
}

function bodyOf(value: Uint8Array | null): Uint8Array {
  if (value === null) return NULL_BODY;
  return value.length === 0 ? EMPTY_BODY : value;
}

function writeKey(messages: OutgoingMessages, key: Uint8Array): void {
  if (isText(key)) messages.propertyOfBytes(PROPERTY.key, key);
  else writeOtherKey(messages, key);
}

function isText(key: Uint8Array): boolean {
  return isShortAscii(key) || (key.length > 0 && !key.includes(1) && !key.includes(2) && isUtf8(key));
}

/** Whether it is such a text; `false` says nothing. */
function isShortAscii(bytes: Uint8Array): boolean {
  if (bytes.length === 0 || bytes.length > LOOP_LENGTH_MAX) return false;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index] ?? 0;
    if (byte < 0x20 || byte > 0x7f) return false;
  }
  return true;
}

function writeOtherKey(messages: OutgoingMessages, key: Uint8Array | null): void {
  const text = key === null ? NULL_MARK : BASE64 + Buffer.from(key.buffer, key.byteOffset, key.length).toString('base64');
  messages.property(PROPERTY.otherKey, text);
}

function writeHeaders(messages: OutgoingMessages, headers: LogHeaders): void {
  let plain = 0;
  const names = haveRepeatedNames(headers) ? new Set<string>() : null;
  for (const [name, text] of headers) {
    if (!isHeader(name) || !isPlain(name) || !isPlain(text) || names?.has(name) === true) continue;
    names?.add(name);
    plain += 1;
    messages.property(name, text);
  }
  if (plain < headers.length) messages.property(PROPERTY.headers, JSON.stringify(headers));
}

function haveRepeatedNames(headers: LogHeaders): boolean {
  if (headers.length > FEW_HEADERS) return new Set(headers.map(([name]) => name)).size < headers.length;
  return headers.some(([name], index) => headers.findIndex(([other]) => other === name) < index);
}

/** Half of a surrogate pair has no bytes in UTF-8. */
function isPlain(text: string): boolean {
  if (text === '' || text.length > LOOP_LENGTH_MAX) return isPropertyText(text) && text.isWellFormed();
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code > 0x7f) return isPropertyText(text) && text.isWellFormed();
  }
  return true;
}
