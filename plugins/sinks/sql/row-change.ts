/**
 * What a record asks of its table. Its value is a row, nothing (a tombstone), or a change event in Debezium's envelope: `op` is
 * `c`, `u`, `r` (the row is `after`), `d` (it was `before`) or `t` (all rows go).
 */
import { RecordError } from '../../../core/errors.ts';
import type { ConnectRecord } from '../../../core/record/connect-record.ts';
import type { Schema, Struct, StructSchema, Value } from '../../../core/record/schema.ts';
import { fieldOf, isStruct } from '../../../core/record/struct.ts';

export type RowChange =
  | {
      readonly kind: 'write';
      readonly row: Struct;
      readonly schema: StructSchema | null;
      /** The row before the change, where the event has it. */
      readonly before: Struct | null;
    }
  | {
      readonly kind: 'delete';
      /** Of a change event; `null` for a tombstone. */
      readonly before: Struct | null;
      readonly schema: StructSchema | null;
    }
  | { readonly kind: 'truncate' };

/** The schemas inside an envelope. */
interface Envelope {
  readonly before: StructSchema;
  readonly after: StructSchema;
}

/** Remembers for each schema whether it is an envelope's. */
export class RowChanges {
  readonly #envelopes = new WeakMap<Schema, Envelope | 'none'>();

  /** @throws {RecordError} when the value is neither. */
  of({ value, valueSchema }: ConnectRecord): RowChange {
    if (value === null) return TOMBSTONE;
    if (!isStruct(value)) throw new RecordError(`a row is an object or a struct, and the value is ${kindOf(value)}`);
    if (valueSchema === null) return isEnvelope(value) ? changeOf(value, null) : row(value, null);
    const envelope = this.#envelopeOf(valueSchema);
    return envelope === 'none' ? row(value, valueSchema as StructSchema) : changeOf(value, envelope);
  }

  #envelopeOf(schema: Schema): Envelope | 'none' {
    const known = this.#envelopes.get(schema);
    if (known !== undefined) return known;
    const found = envelopeOf(schema);
    this.#envelopes.set(schema, found);
    return found;
  }
}

const TOMBSTONE: RowChange = { kind: 'delete', before: null, schema: null };
const TRUNCATE: RowChange = { kind: 'truncate' };

function row(value: Struct, schema: StructSchema | null): RowChange {
  return { kind: 'write', row: value, schema, before: null };
}

function changeOf(event: Struct, envelope: Envelope | null): RowChange {
  const op = fieldOf(event, 'op');
  if (op === 'c' || op === 'r' || op === 'u') {
    return {
      kind: 'write',
      row: image(event, 'after'),
      schema: envelope?.after ?? null,
      before: op === 'u' && isPresent(event, 'before') ? image(event, 'before') : null,
    };
  }
  if (op === 'd') {
    return {
      kind: 'delete',
      before: isPresent(event, 'before') ? image(event, 'before') : null,
      schema: envelope?.before ?? null,
    };
  }
  if (op === 't') return TRUNCATE;
  throw new RecordError('the change event is none of a table: op is not c, u, r, d or t');
}

function isPresent(event: Struct, name: 'before'): boolean {
  return (fieldOf(event, name) ?? null) !== null;
}

function image(event: Struct, name: 'before' | 'after'): Struct {
  const value = fieldOf(event, name);
  if (value !== undefined && isStruct(value)) return value;
  throw new RecordError(`the change event has no row in "${name}"`, { details: { field: name } });
}

function envelopeOf(schema: Schema): Envelope | 'none' {
  if (schema.type !== 'struct') return 'none';
  const field = (name: string) => schema.fields.find((one) => one.name === name)?.schema;
  const [before, after, op] = [field('before'), field('after'), field('op')];
  const isOne = before?.type === 'struct' && after?.type === 'struct' && op?.type === 'string';
  return isOne ? { before, after } : 'none';
}

/** Without a schema: a row of a table could have columns of the same names, but hardly with these values. */
function isEnvelope(value: Struct): boolean {
  const op = fieldOf(value, 'op');
  if (typeof op !== 'string' || op.length !== 1 || !Object.hasOwn(value, 'source')) return false;
  return isImage(fieldOf(value, 'before')) && isImage(fieldOf(value, 'after'));
}

function isImage(value: Value | undefined): boolean {
  return value === undefined || value === null || isStruct(value);
}

function kindOf(value: Value): string {
  if (typeof value === 'object') return value instanceof Uint8Array ? 'bytes' : 'an array or a map';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}
