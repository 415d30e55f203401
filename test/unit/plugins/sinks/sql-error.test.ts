import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { FatalTaskError } from '../../../../core/errors.ts';
import { rowError, targetError } from '../../../../plugins/sinks/sql/sql-error.ts';

/** What SQLite throws for a statement, in a database of its own. */
function thrownBy(...statements: readonly string[]): unknown {
  const database = new DatabaseSync(':memory:');
  try {
    for (const statement of statements) database.exec(statement);
  } catch (error) {
    return error;
  } finally {
    database.close();
  }
  return undefined;
}

const FULL = ['CREATE TABLE t (a)', 'PRAGMA max_page_count = 3', 'INSERT INTO t VALUES (zeroblob(100000))'];

describe('targetError', () => {
  test('a full disk waits for somebody, with the path and the next step', () => {
    const error = targetError(thrownBy(...FULL), '/data/shop.db');

    expect(error).toBeInstanceOf(FatalTaskError);
    expect(error).toMatchObject({ message: expect.stringMatching(/\/data\/shop\.db.*disk is full; next: make room/) });
  });

  test('leaves what is not of SQLite as it is', () => {
    const error = new TypeError('a fault of the program');

    expect(targetError(error, '/data/shop.db')).toBe(error);
  });
});

describe('rowError', () => {
  test('a full disk is no fault of the row', () => {
    expect(rowError(thrownBy(...FULL), 't')).toBeUndefined();
  });

  test('a constraint is, and a value too large for SQLite has a code of its own', () => {
    const broken = thrownBy('CREATE TABLE t (a NOT NULL)', 'INSERT INTO t VALUES (NULL)');
    const large = thrownBy('CREATE TABLE t (a)', 'INSERT INTO t VALUES (zeroblob(2000000000))');

    expect(rowError(broken, 't')).toMatchObject({ name: 'RecordError', code: 'record.rejected' });
    expect(rowError(large, 't')).toMatchObject({ name: 'RecordError', code: 'record.too_large' });
  });
});
