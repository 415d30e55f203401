/**
 * How large polled records are, roughly: what they take in a log is known only behind the pipeline, and a sink may write them
 * without ever encoding them. Bounds a slice and tells the planner what a record costs; nothing depends on the exact figure.
 */
import { bounded } from '../core/bounded.ts';
import type { Datum } from '../core/record/connect-record.ts';
import type { Value } from '../core/record/schema.ts';
import type { PolledRecord } from '../plugins/api/source.ts';

/** A number, a date or a truth value; text says more about itself. */
const SCALAR_BYTES = 8;

/** More than a text or a buffer of Node holds: what a plugin says beyond that is wrong. */
const RECORD_BYTES_MAX = 4 * 1024 ** 3;

export function polledBytes(records: readonly PolledRecord[]): number {
  let bytes = 0;
  for (const record of records) {
    const known = record.bytes ?? datumBytes(record.key) + datumBytes(record.value);
    bytes += bounded(known, RECORD_BYTES_MAX);
    for (const header of record.headers ?? []) bytes += header.name.length + valueBytes(header.value);
  }
  return bytes;
}

function datumBytes({ bytes, value }: Datum): number {
  return bytes === undefined ? valueBytes(value) : (bytes?.length ?? 0);
}

function valueBytes(value: Value): number {
  let bytes = 0;
  // A list of what is left instead of recursion: values may nest deeper than the call stack holds.
  const left: Value[] = [value];
  for (let item = left.pop(); item !== undefined; item = left.pop()) {
    if (item === null) continue;
    if (typeof item === 'string' || item instanceof Uint8Array) bytes += item.length;
    else if (typeof item !== 'object') bytes += SCALAR_BYTES;
    else for (const part of partsOf(item)) left.push(part);
  }
  return bytes;
}

function partsOf(item: Exclude<Value, null | boolean | number | bigint | string | Uint8Array>): Iterable<Value> {
  if (item instanceof Map) return [...item].flat();
  return Array.isArray(item) ? item : [...Object.keys(item), ...Object.values(item)];
}
