/** Every type of column, read from the logs of real servers: as `SELECT` prints it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aBinlogReader, binlogEnd, printed, readBinlog, rowsAfter } from '../support/binlogs.ts';
import { type TestDatabase, withDatabases } from '../support/databases.ts';

const TIMEOUT_MS = 60_000;

/** Rows for each type. */
const ROWS = 100;

interface TypeCase {
  readonly type: string;
  readonly values: fc.Arbitrary<string>;
  /** How a column is selected so that it can be compared. */
  readonly select?: (column: string) => string;
  readonly lacks?: 'MySQL' | 'MariaDB';
}

const quoted = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`;
const hex = (column: string): string => `HEX(${column})`;

function integers(bits: number, isUnsigned: boolean): fc.Arbitrary<string> {
  const min = isUnsigned ? 0n : -(2n ** BigInt(bits - 1));
  return fc.bigInt({ min, max: min + 2n ** BigInt(bits) - 1n }).map(String);
}

function decimals(precision: number, scale: number): fc.Arbitrary<string> {
  const size = fc.oneof(fc.bigInt({ min: 0n, max: 10n ** BigInt(precision) - 1n }), fc.bigInt({ min: 0n, max: 12_345n }));
  return fc.tuple(fc.boolean(), size).map(([isNegative, unscaled]) => {
    const digits = String(unscaled % 10n ** BigInt(precision)).padStart(scale + 1, '0');
    return `${isNegative ? '-' : ''}${digits.slice(0, digits.length - scale)}.${digits.slice(digits.length - scale)}0`;
  });
}

const two = (number: number): string => String(number).padStart(2, '0');
const dates = fc
  .tuple(fc.integer({ min: 0, max: 9_999 }), fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 28 }))
  .map(([year, month, day]) => `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`);
const clocks = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }), fc.integer({ min: 0, max: 59 }))
  .map((parts) => parts.map(two).join(':'));
const fractions = (digits: number): fc.Arbitrary<string> =>
  digits === 0
    ? fc.constant('')
    : fc.integer({ min: 0, max: 10 ** digits - 1 }).map((part) => `.${String(part).padStart(digits, '0')}`);
const datetimes = (digits: number): fc.Arbitrary<string> =>
  fc.tuple(dates, clocks, fractions(digits)).map(([date, clock, fraction]) => quoted(`${date} ${clock}${fraction}`));
const times = (digits: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom('', '-'), fc.integer({ min: 0, max: 837 }), clocks, fractions(digits))
    .map(([sign, hours, clock, fraction]) => quoted(`${sign}${two(hours)}${clock.slice(2)}${fraction}`));
const timestamps = (digits: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.integer({ min: 1, max: 2 ** 31 - 1 }), fractions(digits))
    .map(([seconds, fraction]) => quoted(new Date(seconds * 1_000).toISOString().slice(0, 19).replace('T', ' ') + fraction));
const bytes = (max: number): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength: max }).map((array) => `x'${Buffer.from(array).toString('hex')}'`);
const texts = (characters: fc.Arbitrary<string>, max: number): fc.Arbitrary<string> =>
  fc.array(characters, { maxLength: max }).map((parts) => quoted(parts.join('').replace(/ +$/, '')));
const anything = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 });

const numbers: readonly TypeCase[] = [
  ...(['TINYINT', 'SMALLINT', 'MEDIUMINT', 'INT', 'BIGINT'] as const).flatMap((type, index) => {
    const bits = [8, 16, 24, 32, 64][index] ?? 0;
    return [
      { type, values: integers(bits, false) },
      { type: `${type} UNSIGNED`, values: integers(bits, true) },
    ];
  }),
  {
    type: 'YEAR',
    values: fc.oneof(fc.constant('0'), fc.integer({ min: 1_901, max: 2_155 }).map(String)),
    select: (column) => `${column} + 0`,
  },
  ...(
    [
      [1, 0],
      [1, 1],
      [9, 9],
      [10, 2],
      [18, 9],
      [19, 10],
      [38, 10],
      [65, 30],
      [65, 0],
      [5, 3],
    ] as const
  ).map(([precision, scale]) => ({ type: `DECIMAL(${precision},${scale})`, values: decimals(precision, scale) })),
  ...[1, 7, 8, 9, 33, 64].map((bits) => ({
    type: `BIT(${bits})`,
    values: fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n }).map(String),
    select: (column: string) => `LPAD(HEX(${column} + 0), ${2 * Math.ceil(bits / 8)}, '0')`,
  })),
];

const moments: readonly TypeCase[] = [
  { type: 'DATE', values: dates.map(quoted) },
  ...[0, 1, 2, 3, 4, 5, 6].flatMap((digits) => [
    { type: `TIME(${digits})`, values: times(digits) },
    { type: `DATETIME(${digits})`, values: datetimes(digits) },
    { type: `TIMESTAMP(${digits}) NULL`, values: timestamps(digits) },
  ]),
];

const strings: readonly TypeCase[] = [
  { type: 'CHAR(20) CHARACTER SET utf8mb4', values: texts(anything, 20) },
  { type: 'VARCHAR(100) CHARACTER SET utf8mb4', values: texts(anything, 50) },
  { type: 'TEXT CHARACTER SET utf8mb4', values: texts(anything, 500) },
  { type: 'VARCHAR(100) CHARACTER SET utf16', values: texts(anything, 50) },
  { type: 'VARCHAR(100) CHARACTER SET utf16le', values: texts(anything, 50) },
  { type: 'VARCHAR(100) CHARACTER SET utf32', values: texts(anything, 50) },
  { type: 'VARCHAR(100) CHARACTER SET ucs2', values: texts(fc.constantFrom(...'aé汉ﻴ'), 50) },
  { type: 'BINARY(7)', values: bytes(7), select: hex },
  { type: 'BINARY(255)', values: bytes(255), select: hex },
  { type: 'VARBINARY(20)', values: bytes(20), select: hex },
  { type: 'VARBINARY(300)', values: bytes(300), select: hex },
  { type: 'TINYBLOB', values: bytes(255), select: hex },
  { type: 'BLOB', values: bytes(1_000), select: hex },
  { type: 'MEDIUMBLOB', values: bytes(1_000), select: hex },
  { type: 'LONGBLOB', values: bytes(1_000), select: hex },
  { type: "ENUM('a','b,c','ö')", values: fc.constantFrom("'a'", "'b,c'", "'ö'", '3') },
  { type: "SET('x','y y','ß')", values: fc.integer({ min: 0, max: 7 }).map(String) },
  {
    type: `SET(${Array.from({ length: 64 }, (_, index) => `'m${index}'`).join(',')})`,
    values: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
  },
  {
    type: `ENUM(${Array.from({ length: 300 }, (_, index) => `'m${index}'`).join(',')})`,
    values: fc.integer({ min: 1, max: 300 }).map(String),
  },
  { type: 'VARCHAR(300) COMPRESSED CHARACTER SET utf8mb4', values: texts(fc.constantFrom('aaaaaaaa', 'é'), 30), lacks: 'MySQL' },
  { type: 'BLOB COMPRESSED', values: bytes(100), select: hex, lacks: 'MySQL' },
  { type: 'VECTOR(2)', values: fc.constant("STRING_TO_VECTOR('[1.5,-2]')"), select: hex, lacks: 'MariaDB' },
  { type: 'GEOMETRY', values: fc.constantFrom("ST_GeomFromText('POINT(1 2)', 3857)", 'POINT(-1.5,2)'), select: hex },
];

const json: readonly TypeCase[] = [
  {
    type: 'JSON',
    values: fc.json({ maxDepth: 4 }).map(quoted),
    select: (column) => `CAST(${column} AS CHAR)`,
  },
  {
    type: 'JSON',
    values: fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .map((number) => `JSON_ARRAY(CAST('${number.toExponential()}' AS DOUBLE))`),
    select: (column) => `CAST(${column} AS CHAR)`,
    lacks: 'MariaDB',
  },
  {
    type: 'JSON',
    values: fc.constantFrom(
      "JSON_OBJECT('a', CAST('-12.50' AS DECIMAL(10,2)), 'b', DATE '2020-01-02', 'c', TIME '-10:11:12.5')",
      "JSON_ARRAY(TIMESTAMP '2020-01-02 03:04:05.678', x'00ff', b'101', CAST(2020 AS YEAR), ST_GeomFromText('POINT(1 2)'))",
      'JSON_ARRAY(18446744073709551615, -9223372036854775808, 65536, -32769, 4294967296, 2147483648)',
      "JSON_OBJECT('long', REPEAT('x', 70000), 'n', 123456789, 'in', JSON_ARRAY(1, JSON_OBJECT('k', NULL)))",
    ),
    select: (column) => `CAST(${column} AS CHAR)`,
    lacks: 'MariaDB',
  },
];

withDatabases('types of columns', { settings: { 'max-allowed-packet': '256M' } }, (database) => {
  describe.each([
    ['numbers', numbers],
    ['dates and times', moments],
    ['texts and bytes', strings],
    ['JSON', json],
  ])('%s', (_, cases) => {
    for (const { type, values, select = (column: string) => column, lacks } of cases) {
      const isThere = lacks !== (database.isMariadb ? 'MariaDB' : 'MySQL');
      test.runIf(isThere)(type.slice(0, 60), { timeout: TIMEOUT_MS }, async () => {
        const rows = [...fc.sample(values, ROWS), 'NULL'];

        const { read, selected } = await insertAndRead(database, { type, rows, select });

        expect(read).toEqual(selected);
      });
    }
  });

  test('floats and doubles to the last bit', { timeout: TIMEOUT_MS }, async () => {
    const doubles = fc.sample(fc.double({ noNaN: true, noDefaultInfinity: true }), ROWS);
    const floats = fc.sample(fc.float({ noNaN: true, noDefaultInfinity: true }), ROWS);
    await database.run(
      'CREATE DATABASE IF NOT EXISTS types',
      'DROP TABLE IF EXISTS types.f',
      'CREATE TABLE types.f (id INT AUTO_INCREMENT PRIMARY KEY, f FLOAT, d DOUBLE)',
    );
    const from = await binlogEnd(database);
    const rows = doubles.map((double, index) => `('${(floats[index] ?? 0).toExponential()}', '${double.toExponential()}')`);
    await database.run(`INSERT INTO types.f (f, d) VALUES ${rows.join(', ')}`);

    const read = rowsAfter(await readBinlog(await aBinlogReader(database, from)));

    expect(read.map(([, , double]) => double)).toEqual(doubles.map((double) => double + 0));
    expect(read.map(([, float]) => float)).toEqual(floats.map((float) => float + 0));
  });
});

async function insertAndRead(
  database: TestDatabase,
  {
    type,
    rows,
    select,
  }: { readonly type: string; readonly rows: readonly string[]; readonly select: (column: string) => string },
): Promise<{ readonly read: readonly (string | null)[]; readonly selected: readonly (string | null)[] }> {
  await database.run(
    'CREATE DATABASE IF NOT EXISTS types',
    'DROP TABLE IF EXISTS types.t',
    `CREATE TABLE types.t (id INT AUTO_INCREMENT PRIMARY KEY, v ${type}) CHARACTER SET utf8mb4`,
  );
  const from = await binlogEnd(database);
  const connection = await database.connect();
  await connection.query("SET sql_mode = '', time_zone = '+00:00'");
  await connection.query(`INSERT INTO types.t (v) VALUES ${rows.map((row) => `(${row})`).join(', ')}`);
  const selected = await connection.query(`SELECT ${select('v')} FROM types.t ORDER BY id`);
  const read = rowsAfter(await readBinlog(await aBinlogReader(database, from)));
  return { read: read.map(([, cell]) => printed(cell ?? null)), selected: selected.map(([text]) => text ?? null) };
}
