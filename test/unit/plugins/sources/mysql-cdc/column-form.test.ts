import { describe, expect, test } from 'vitest';
import type { Cell } from '../../../../../clients/binlog/cell.ts';
import type { Column } from '../../../../../clients/binlog/column.ts';
import { CdcConfig } from '../../../../../plugins/sources/mysql-cdc/cdc-config.ts';
import { columnForm } from '../../../../../plugins/sources/mysql-cdc/column-form.ts';

const REQUIRED = { 'database.hostname': 'db', 'database.user': 'me', 'topic.prefix': 'shop' };

function formOf(column: Partial<Column>, keys: Readonly<Record<string, string>> = {}) {
  const whole: Column = {
    name: 'c',
    kind: 'int',
    isUnsigned: false,
    optional: true,
    length: 0,
    scale: 0,
    charset: null,
    members: [],
    ...column,
  };
  return columnForm(whole, CdcConfig.parse({ ...REQUIRED, ...keys }));
}

/** Type, name, and what becomes of a cell. */
function told(column: Partial<Column>, cell: NonNullable<Cell>, keys?: Readonly<Record<string, string>>): readonly unknown[] {
  const { schema, toValue } = formOf(column, keys);
  return [schema.type, schema.name ?? '', toValue(cell)];
}

describe('a column', () => {
  test('of integers is as wide as its values need', () => {
    expect(told({ kind: 'tinyint' }, -128)).toEqual(['int16', '', -128]);
    expect(told({ kind: 'smallint' }, 5)).toEqual(['int16', '', 5]);
    expect(told({ kind: 'smallint', isUnsigned: true }, 65_535)).toEqual(['int32', '', 65_535]);
    expect(told({ kind: 'mediumint', isUnsigned: true }, 5)).toEqual(['int32', '', 5]);
    expect(told({ kind: 'int', isUnsigned: true }, 4_294_967_295)).toEqual(['int64', '', 4_294_967_295n]);
    expect(told({ kind: 'bigint' }, 5n)).toEqual(['int64', '', 5n]);
  });

  test('of unsigned 64-bit integers is as is asked for', () => {
    const column = { kind: 'bigint', isUnsigned: true } as const;
    const large = 2n ** 64n - 1n;

    expect(told(column, 5n)).toEqual(['int64', '', 5n]);
    expect(() => told(column, large)).toThrow('bigint.unsigned.handling.mode');
    expect(told(column, large, { 'bigint.unsigned.handling.mode': 'string' })).toEqual(['string', '', String(large)]);
    expect(told(column, 128n, { 'bigint.unsigned.handling.mode': 'precise' })).toEqual([
      'bytes',
      'org.apache.kafka.connect.data.Decimal',
      Uint8Array.of(0, 128),
    ]);
  });

  test('of decimals is as is asked for', () => {
    const column = { kind: 'decimal', length: 5, scale: 2 } as const;

    expect(told(column, '-1.50')).toEqual(['string', '', '-1.50']);
    expect(told(column, '-1.50', { 'decimal.handling.mode': 'double' })).toEqual(['float64', '', -1.5]);
    expect(told(column, '-1.50', { 'decimal.handling.mode': 'precise' })).toEqual([
      'bytes',
      'org.apache.kafka.connect.data.Decimal',
      Uint8Array.of(255, 106),
    ]);
  });

  test('of bits is true or false, or bytes from the least significant on', () => {
    expect(told({ kind: 'bit', length: 1 }, Uint8Array.of(1))).toEqual(['boolean', '', true]);
    expect(told({ kind: 'bit', length: 10 }, Uint8Array.of(2, 1))).toEqual([
      'bytes',
      'io.debezium.data.Bits',
      Uint8Array.of(1, 2),
    ]);
  });

  test('of dates and times has the precision that it needs', () => {
    expect(told({ kind: 'date' }, '1970-01-02')).toEqual(['int32', 'io.debezium.time.Date', 1]);
    expect(told({ kind: 'time', scale: 0 }, '00:00:01')).toEqual(['int64', 'io.debezium.time.MicroTime', 1_000_000n]);
    expect(told({ kind: 'datetime', scale: 3 }, '1969-12-31 23:59:59.999')).toEqual(['int64', 'io.debezium.time.Timestamp', -1n]);
    expect(told({ kind: 'datetime', scale: 6 }, '1970-01-01 00:00:00.000001')).toEqual([
      'int64',
      'io.debezium.time.MicroTimestamp',
      1n,
    ]);
    expect(told({ kind: 'timestamp' }, '2026-01-02 03:04:05')).toEqual([
      'string',
      'io.debezium.time.ZonedTimestamp',
      '2026-01-02T03:04:05Z',
    ]);
    expect(told({ kind: 'year' }, 2026)).toEqual(['int32', 'io.debezium.time.Year', 2026]);
  });

  test('of dates and times is text, or what Kafka Connect has, where that is asked for', () => {
    const connect = { 'time.precision.mode': 'connect' };

    expect(told({ kind: 'datetime', scale: 6 }, '2026-01-01 00:00:00.123456', { 'time.precision.mode': 'string' })).toEqual([
      'string',
      '',
      '2026-01-01 00:00:00.123456',
    ]);
    expect(told({ kind: 'date' }, '1970-01-02', connect)).toEqual(['int32', 'org.apache.kafka.connect.data.Date', 1]);
    expect(told({ kind: 'time' }, '00:00:01.0019', connect)).toEqual(['int32', 'org.apache.kafka.connect.data.Time', 1_001]);
    expect(told({ kind: 'datetime' }, '1970-01-01 00:00:01', connect)).toEqual([
      'int64',
      'org.apache.kafka.connect.data.Timestamp',
      1_000n,
    ]);
  });

  test('of bytes is as is asked for', () => {
    const bytes = Uint8Array.of(1, 255);

    expect(told({ kind: 'blob' }, bytes)).toEqual(['bytes', '', bytes]);
    expect(told({ kind: 'blob' }, bytes, { 'binary.handling.mode': 'hex' })).toEqual(['string', '', '01ff']);
    expect(told({ kind: 'blob' }, bytes, { 'binary.handling.mode': 'base64' })).toEqual(['string', '', 'Af8=']);
  });

  test('of members says which there are', () => {
    const { schema } = formOf({ kind: 'enum', members: ['a', 'b'] });

    expect(schema).toMatchObject({ type: 'string', name: 'io.debezium.data.Enum', parameters: { allowed: 'a,b' } });
  });

  test('of geometries keeps the system that they refer to', () => {
    const wkb = Uint8Array.of(1, 1, 0, 0, 0);

    expect(told({ kind: 'geometry' }, Uint8Array.of(0xe6, 0x10, 0, 0, ...wkb))[2]).toEqual({ wkb, srid: 4_326 });
    expect(told({ kind: 'geometry' }, Uint8Array.of(0, 0, 0, 0, ...wkb))[2]).toEqual({ wkb, srid: null });
  });

  test('of vectors is a list of floats', () => {
    expect(told({ kind: 'vector' }, Uint8Array.of(0, 0, 0x80, 0x3f, 0, 0, 0x20, 0x40))).toEqual([
      'array',
      'io.debezium.data.FloatVector',
      [1, 2.5],
    ]);
  });
});
