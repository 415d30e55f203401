/** What a column becomes in an event: its schema, and how a cell becomes a value of it. The names of types are Debezium's. */
import type { Cell } from '../../../clients/binlog/cell.ts';
import type { Column } from '../../../clients/binlog/column.ts';
import { FatalTaskError } from '../../../core/errors.ts';
import { parseDecimal, unscaledAt, unscaledBytes } from '../../../core/record/decimal.ts';
import { logicalNames, type Schema, type Value } from '../../../core/record/schema.ts';
import { daysOf, isoTimestamp, microsOfDatetime, microsOfTime } from './calendar.ts';
import type { CdcSettings } from './cdc-config.ts';

export interface ColumnForm {
  /** Of a value that must be there; `optional` is the column's own affair. */
  readonly schema: Schema;
  /** `undefined`: a date that no calendar has. */
  readonly toValue: (cell: NonNullable<Cell>) => Value | undefined;
}

export type FormSettings = Pick<
  CdcSettings,
  'decimal.handling.mode' | 'bigint.unsigned.handling.mode' | 'time.precision.mode' | 'binary.handling.mode'
>;

const INT64_MAX = 2n ** 63n - 1n;

const same = (cell: NonNullable<Cell>): Value => cell;

export function columnForm(column: Column, settings: FormSettings): ColumnForm {
  const { kind, isUnsigned } = column;
  switch (kind) {
    case 'tinyint':
      return form({ type: 'int16' });
    case 'smallint':
      return form({ type: isUnsigned ? 'int32' : 'int16' });
    case 'mediumint':
      return form({ type: 'int32' });
    case 'int':
      return isUnsigned ? form({ type: 'int64' }, (cell) => BigInt(cell as number)) : form({ type: 'int32' });
    case 'bigint':
      return isUnsigned ? unsignedBigint(column, settings['bigint.unsigned.handling.mode']) : form({ type: 'int64' });
    case 'float':
      return form({ type: 'float32' });
    case 'double':
      return form({ type: 'float64' });
    case 'decimal':
      return decimal(column, settings['decimal.handling.mode']);
    case 'bit':
      return bit(column);
    case 'year':
      return form({ type: 'int32', name: 'io.debezium.time.Year', version: 1 });
    case 'date':
    case 'time':
    case 'datetime':
    case 'timestamp':
      return moment(column, settings['time.precision.mode']);
    case 'char':
    case 'varchar':
    case 'text':
      return form({ type: 'string' });
    case 'enum':
      return form({
        type: 'string',
        name: 'io.debezium.data.Enum',
        version: 1,
        parameters: { allowed: column.members.join(',') },
      });
    case 'set':
      return form({
        type: 'string',
        name: 'io.debezium.data.EnumSet',
        version: 1,
        parameters: { allowed: column.members.join(',') },
      });
    case 'json':
      return form({ type: 'string', name: 'io.debezium.data.Json', version: 1 });
    case 'binary':
    case 'varbinary':
    case 'blob':
      return binary(settings['binary.handling.mode']);
    case 'geometry':
      return GEOMETRY;
    case 'vector':
      return VECTOR;
  }
}

type SchemaFacts<Kind extends Schema> = Kind extends Schema ? Omit<Kind, 'optional'> : never;

function form(schema: SchemaFacts<Schema>, toValue: ColumnForm['toValue'] = same): ColumnForm {
  return { schema: { ...schema, optional: false } as Schema, toValue };
}

function unsignedBigint({ name }: Column, mode: FormSettings['bigint.unsigned.handling.mode']): ColumnForm {
  if (mode === 'string') return form({ type: 'string' }, String);
  if (mode === 'precise') {
    return form({ type: 'bytes', name: logicalNames.decimal, version: 1, parameters: { scale: '0' } }, (cell) =>
      unscaledBytes(cell as bigint),
    );
  }
  return form({ type: 'int64' }, (cell) => {
    if ((cell as bigint) <= INT64_MAX) return cell;
    throw new FatalTaskError(
      `column ${name} holds ${cell}, which is more than a 64-bit integer takes; next: set bigint.unsigned.handling.mode to string or precise`,
    );
  });
}

function decimal({ length, scale }: Column, mode: FormSettings['decimal.handling.mode']): ColumnForm {
  if (mode === 'string') return form({ type: 'string' });
  if (mode === 'double') return form({ type: 'float64' }, Number);
  const parameters = { scale: String(scale), 'connect.decimal.precision': String(length) };
  return form({ type: 'bytes', name: logicalNames.decimal, version: 1, parameters }, (cell) => {
    const parsed = parseDecimal(cell as string);
    return unscaledBytes(parsed === undefined ? 0n : unscaledAt(scale, parsed));
  });
}

/** Debezium's bits begin with the least significant byte. */
function bit({ length }: Column): ColumnForm {
  if (length === 1) return form({ type: 'boolean' }, (cell) => (cell as Uint8Array)[0] === 1);
  const parameters = { length: String(length) };
  return form({ type: 'bytes', name: 'io.debezium.data.Bits', version: 1, parameters }, (cell) =>
    (cell as Uint8Array).slice().reverse(),
  );
}

function moment(column: Column, mode: FormSettings['time.precision.mode']): ColumnForm {
  if (mode === 'string') return form({ type: 'string' });
  if (column.kind === 'timestamp') {
    return form({ type: 'string', name: 'io.debezium.time.ZonedTimestamp', version: 1 }, (cell) => isoTimestamp(cell as string));
  }
  return mode === 'connect' ? connectMoment(column) : debeziumMoment(column);
}

function debeziumMoment({ kind, scale }: Column): ColumnForm {
  if (kind === 'date')
    return form({ type: 'int32', name: 'io.debezium.time.Date', version: 1 }, (cell) => daysOf(cell as string));
  if (kind === 'time') {
    return form({ type: 'int64', name: 'io.debezium.time.MicroTime', version: 1 }, (cell) =>
      BigInt(microsOfTime(cell as string)),
    );
  }
  if (scale > 3) {
    return form({ type: 'int64', name: 'io.debezium.time.MicroTimestamp', version: 1 }, (cell) =>
      microsOfDatetime(cell as string),
    );
  }
  return form({ type: 'int64', name: 'io.debezium.time.Timestamp', version: 1 }, (cell) => millisOfDatetime(cell as string));
}

/** Kafka Connect's own have milliseconds. */
function connectMoment({ kind }: Column): ColumnForm {
  if (kind === 'date') return form({ type: 'int32', name: logicalNames.date, version: 1 }, (cell) => daysOf(cell as string));
  if (kind === 'time') {
    return form({ type: 'int32', name: logicalNames.time, version: 1 }, (cell) =>
      Math.trunc(microsOfTime(cell as string) / 1_000),
    );
  }
  return form({ type: 'int64', name: logicalNames.timestamp, version: 1 }, (cell) => millisOfDatetime(cell as string));
}

/** Towards the past, so that it goes on counting before 1970. */
function millisOfDatetime(text: string): bigint | undefined {
  const micros = microsOfDatetime(text);
  if (micros === undefined) return undefined;
  const millis = micros / 1_000n;
  return micros < 0n && millis * 1_000n !== micros ? millis - 1n : millis;
}

function binary(mode: FormSettings['binary.handling.mode']): ColumnForm {
  if (mode === 'bytes') return form({ type: 'bytes' });
  return form({ type: 'string' }, (cell) => Buffer.from(cell as Uint8Array).toString(mode));
}

const SRID_BYTES = 4;

/** A geometry without a reference system has number 0. */
const GEOMETRY = form(
  {
    type: 'struct',
    name: 'io.debezium.data.geometry.Geometry',
    version: 1,
    fields: [
      { name: 'wkb', schema: { type: 'bytes', optional: false } },
      { name: 'srid', schema: { type: 'int32', optional: true } },
    ],
  },
  (cell) => {
    const bytes = cell as Uint8Array;
    const srid = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    return { wkb: bytes.subarray(SRID_BYTES), srid: srid === 0 ? null : srid };
  },
);

const VECTOR = form(
  { type: 'array', name: 'io.debezium.data.FloatVector', version: 1, items: { type: 'float32', optional: false } },
  (cell) => {
    const bytes = cell as Uint8Array;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(index * 4, true));
  },
);
