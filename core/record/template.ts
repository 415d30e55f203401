/**
 * Text with placeholders for parts of a record: `${topic}`, `${key}`, `${value.customer.id}`. Read once, when the configuration is
 * checked, and filled in per record. No name holds a colon, so that no placeholder is one of the references to secrets, which do.
 */
import { RecordError } from '../errors.ts';
import type { ConnectRecord } from './connect-record.ts';
import type { Value } from './schema.ts';
import { fieldOf, isStruct } from './struct.ts';

export interface Template {
  /** What comes before the first placeholder: all of it where there is none. */
  readonly beginning: string;
  readonly isFixed: boolean;
  /** Whether the key of a record is in it. */
  readonly hasKey: boolean;
  /**
   * `null` where the record lacks a part, or has no text in it.
   *
   * @throws {RecordError} when a part is neither text nor a number nor a boolean, or cannot be decoded.
   */
  fill(record: ConnectRecord): string | null;
}

export const PLACEHOLDERS =
  '${topic}, ${partition}, ${offset}, ${timestamp}, ${tag}, ${key}, ${key.FIELD}, ${value.FIELD}, ${header.NAME}; fields of fields as ${value.a.b}';

type PartOf = (record: ConnectRecord) => Value | undefined;

const simpleParts: Readonly<Record<string, PartOf>> = {
  topic: ({ topic }) => topic,
  partition: ({ log }) => log?.queue.queueId,
  offset: ({ log }) => log?.offset,
  timestamp: ({ timestampMs }) => timestampMs,
  tag: ({ tag }) => tag,
  key: ({ key }) => key,
};

/** `written`: how a part is put into the text. `string`: what is wrong with the template. */
export function parseTemplate(text: string, written: (part: string) => string = asItIs): Template | string {
  const [beginning = '', ...rest] = text.split('${');
  const parts: { readonly name: string; readonly of: PartOf; readonly after: string }[] = [];
  for (const piece of rest) {
    const end = piece.indexOf('}');
    if (end < 0) return 'has a ${ without its }';
    const name = piece.slice(0, end);
    const of = partOf(name);
    if (of === undefined) return `has a placeholder \${${name}} that is none of ${PLACEHOLDERS}`;
    parts.push({ name, of, after: piece.slice(end + 1) });
  }
  return {
    beginning,
    isFixed: parts.length === 0,
    hasKey: parts.some(({ name }) => name === 'key' || name.startsWith('key.')),
    fill(record) {
      let filled = beginning;
      for (const { name, of, after } of parts) {
        const part = textOf(name, of(record));
        if (part === null) return null;
        filled += written(part) + after;
      }
      return filled;
    },
  };
}

function asItIs(part: string): string {
  return part;
}

function partOf(name: string): PartOf | undefined {
  if (Object.hasOwn(simpleParts, name)) return simpleParts[name];
  const [, whole = '', path = ''] = /^(key|value|header)\.([^:]+)$/.exec(name) ?? [];
  switch (whole) {
    case 'key':
      return ({ key }) => fieldAt(key, path.split('.'));
    case 'value':
      return ({ value }) => fieldAt(value, path.split('.'));
    case 'header':
      return ({ headers }) => headers.findLast((header) => header.name === path)?.value;
    default:
      return undefined;
  }
}

function fieldAt(value: Value, path: readonly string[]): Value | undefined {
  let current: Value | undefined = value;
  for (const name of path) {
    if (current instanceof Map) current = (current as ReadonlyMap<Value, Value>).get(name);
    else if (current !== undefined && isStruct(current)) current = fieldOf(current, name);
    else return undefined;
  }
  return current;
}

function textOf(name: string, part: Value | undefined): string | null {
  if (part === undefined || part === null || part === '') return null;
  if (typeof part === 'string') return part;
  if (typeof part === 'object') throw new RecordError(`\${${name}} of this record is neither text nor a number nor a boolean`);
  return String(part);
}
