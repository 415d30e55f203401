/**
 * JSON envelopes, `{"schema":...,"payload":...}`. The schema is most of such a document and nearly always one seen before,
 * so everything in front of the payload is looked up as text: the schema of a known document is not even parsed.
 */
import type { Datum } from '../../core/record/connect-record.ts';
import { COLON, isBlank } from '../../core/record/json-characters.ts';
import type { ExactJson } from '../../core/record/json-parser.ts';
import { isObject, type JsonObject, schemaFromJson } from '../../core/record/json-schema.ts';
import { parseExactJson, parseJson } from '../../core/record/lossless-json.ts';
import type { Schema, Value } from '../../core/record/schema.ts';
import { inside, ShapeError } from '../../core/record/shape-error.ts';
import { hasDecimal } from './json-primitives.ts';
import { jsonReader, type ReadOptions } from './json-reader.ts';

export interface EnvelopeOptions extends ReadOptions {
  /** Schemas to keep; the oldest goes first. */
  readonly cacheSize: number;
}

/** What a schema says of the payloads behind it. */
interface PayloadKind {
  readonly schema: Schema | null;
  readonly parse: (text: string) => ExactJson;
  readonly read: (payload: ExactJson | undefined) => Value;
}

const SCHEMALESS: PayloadKind = { schema: null, parse: parseJson, read: (payload) => payload as Value };

/** The text in front of a payload, and what it says. */
interface Head {
  readonly text: string;
  readonly kind: PayloadKind;
}

/** Reads envelopes, and throws `ShapeError` for anything else. */
export function envelopeReader(options: EnvelopeOptions): (text: string) => Datum {
  const heads = boundedMap<Head>(options.cacheSize);
  const kinds = boundedMap<PayloadKind>(options.cacheSize);
  let last: Head | undefined;

  /** Comparing with the head before takes a twentieth of the time that hashing one takes. */
  function knownHead(text: string): Head | undefined {
    if (last === undefined || text.slice(0, last.text.length) !== last.text) last = heads.get(headOf(text));
    return last;
  }

  function readKnown(text: string): Datum | undefined {
    const head = knownHead(text);
    const payload = head && parsedPayload(head, text);
    return head && payload !== undefined ? { schema: head.kind.schema, value: head.kind.read(payload) } : undefined;
  }

  function readUnknown(text: string): Datum {
    const { schema, payload } = parseEnvelope(text, parseExactJson);
    const kind = schema === null ? SCHEMALESS : kindOf(schema);
    const head = headOf(text);
    if (isHead(head)) remember(ownCopy(head), kind);
    return { schema: kind.schema, value: kind.read(schema === null ? parseEnvelope(text, parseJson).payload : payload) };
  }

  function remember(text: string, kind: PayloadKind): void {
    heads.set(text, { text, kind });
  }

  function kindOf(json: ExactJson): PayloadKind {
    const key = JSON.stringify(json, (_name, value: unknown) => (typeof value === 'bigint' ? { digits: String(value) } : value));
    const kind = kinds.get(key) ?? payloadKind(json, options);
    kinds.set(key, kind);
    return kind;
  }

  return (text) => readKnown(text) ?? readUnknown(text);
}

function payloadKind(json: ExactJson, options: ReadOptions): PayloadKind {
  try {
    const schema = schemaFromJson(json, (type, fallback) => jsonReader(type, options)(fallback));
    return { schema, parse: hasDecimal(schema) ? parseExactJson : parseJson, read: jsonReader(schema, options) };
  } catch (error) {
    throw inside('schema', error);
  }
}

interface Envelope<Json> {
  readonly schema: Json;
  readonly payload: Json;
}

function parseEnvelope<Json extends ExactJson>(text: string, parse: (text: string) => Json): Envelope<Json> {
  const document = parse(text);
  if (isEnvelope(document)) return document as unknown as Envelope<Json>;
  throw new ShapeError('schemas.enable=true reads objects of "schema" and "payload" alone; set it to false for plain JSON');
}

function isEnvelope(json: ExactJson): json is JsonObject {
  return isObject(json) && Object.keys(json).length === 2 && Object.hasOwn(json, 'schema') && Object.hasOwn(json, 'payload');
}

/** Everything up to the colon behind the first key that is called `payload`; empty when there is none. */
function headOf(text: string): string {
  const key = '"payload"';
  for (let at = text.indexOf(key); at !== -1; at = text.indexOf(key, at + key.length)) {
    let end = at + key.length;
    while (isBlank(text.charCodeAt(end))) end += 1;
    if (text.charCodeAt(end) === COLON) return text.slice(0, end + 1);
  }
  return '';
}

/** Whether a whole schema and the payload's key are what a text begins with; else that key was one inside the schema. */
function isHead(head: string): boolean {
  if (head === '') return false;
  try {
    return isEnvelope(JSON.parse(`${head}null}`) as ExactJson);
  } catch {
    return false;
  }
}

/** `undefined` when there is more behind the payload, or no end: then the document has to be parsed as a whole. */
function parsedPayload({ text: head, kind: { parse } }: Head, text: string): ExactJson | undefined {
  const end = text.lastIndexOf('}');
  if (end < head.length || text.slice(end + 1).trim() !== '') return undefined;
  try {
    return parse(text.slice(head.length, end));
  } catch {
    return undefined;
  }
}

/** A part of a string keeps the whole of it alive. */
function ownCopy(text: string): string {
  return JSON.parse(JSON.stringify(text)) as string;
}

/** A schema of a thousand fields. Longer ones are read anew each time, so that no topic can fill the memory with them. */
const KEY_CHARACTERS_MAX = 65_536;

function boundedMap<Entry>(max: number): { get(key: string): Entry | undefined; set(key: string, entry: Entry): void } {
  const entries = new Map<string, Entry>();
  return {
    get: (key) => entries.get(key),
    set(key, entry) {
      if (max === 0 || key.length > KEY_CHARACTERS_MAX) return;
      entries.set(key, entry);
      const [oldest] = entries.keys();
      if (entries.size > max && oldest !== undefined) entries.delete(oldest);
    },
  };
}
