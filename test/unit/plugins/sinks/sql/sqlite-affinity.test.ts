import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { SqlValue } from '../../../../../plugins/sinks/sql/dialect.ts';
import { affinityOf, kept } from '../../../../../plugins/sinks/sql/sqlite-affinity.ts';

const TYPES = [
  'INTEGER',
  'BIGINT',
  'REAL',
  'DOUBLE',
  'DECIMAL(10,2)',
  'BOOLEAN',
  'DATE',
  'TEXT',
  'VARCHAR(9)',
  'CHARINT',
  'BLOB',
  '',
];

const values = fc.oneof(
  fc.stringMatching(/^[ +-]?[0-9]{0,20}\.?[0-9]{0,3}(?:e[+-]?[0-9])?[ x]?$/),
  fc.constantFrom(
    '0',
    '-0',
    '00',
    '.5',
    '5.',
    '1_000',
    '0x10',
    '9223372036854775807',
    '9223372036854775808',
    '-9223372036854775808',
  ),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);

describe('kept', () => {
  test('refuses a value if, and as a rule only if, SQLite itself would make another one of it', () => {
    const database = new DatabaseSync(':memory:');
    onTestFinished(() => database.close());
    for (const type of TYPES) database.exec(`CREATE TABLE "${type}" (v ${type})`);

    fc.assert(
      fc.property(fc.constantFrom(...TYPES), values, (type, value) => {
        const stored = storedIn(database, type, value);

        if (accepts(value, type)) expect(isSame(stored, value)).toBe(true);
        else expect(stored).not.toEqual(value);
      }),
      { numRuns: 2_000 },
    );
  });
});

function accepts(value: SqlValue, type: string): boolean {
  try {
    kept(value, affinityOf(type), type);
    return true;
  } catch {
    return false;
  }
}

function storedIn(database: DatabaseSync, type: string, value: SqlValue): SqlValue {
  database.exec(`DELETE FROM "${type}"`);
  database.prepare(`INSERT INTO "${type}" VALUES (?)`).run(value);
  const select = database.prepare(`SELECT v FROM "${type}"`);
  select.setReadBigInts(true);
  return select.get()?.['v'] as SqlValue;
}

/** The same value, be it as text or as a number; zeros behind the point say nothing. */
function isSame(stored: SqlValue, value: SqlValue): boolean {
  if (stored === null || value === null || value instanceof Uint8Array)
    return Buffer.from(stored as never).equals(value as never);
  return textOf(stored) === textOf(value);
}

function textOf(value: SqlValue): string {
  const text = String(value);
  return /^-?\d+\.\d*$/.test(text) ? text.replace(/\.?0*$/, '') : text;
}
