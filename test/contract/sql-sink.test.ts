/** What only `sql-sink` has: the shapes of rows, the tables it makes, and what a file and other processes can do to it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ConnectRecord, Datum } from '../../core/record/connect-record.ts';
import { unscaledBytes } from '../../core/record/decimal.ts';
import { logicalNames, type Schema, type StructSchema, type Value } from '../../core/record/schema.ts';
import { shardId } from '../../core/shard-id.ts';
import type { PutResult, SinkWriter, SliceIdentity } from '../../plugins/api/sink.ts';
import { sqlSink } from '../../plugins/sinks/sql-sink.ts';
import { aSinkRecord, textDatum } from '../support/connect-records.ts';
import { aPluginContext } from '../support/plugin-context.ts';
import { rowsIn } from '../support/sql-target.ts';
import { aReadOnlyFolder, aTemporaryFolder } from '../support/temporary-folder.ts';
import { withoutPrivileges } from '../support/without-privileges.ts';

const NEVER = new AbortController().signal;
const SLICE: SliceIdentity = { shard: shardId('uid', ['queue', 'orders', 'broker-a', '0']), generation: 1, epoch: 1 };
const UPSERT = { 'insert.mode': 'upsert', 'pk.mode': 'record_key', 'pk.fields': 'id', 'auto.create': 'true' };
const REPLICA = { 'insert.mode': 'upsert', 'pk.mode': 'record_key', 'delete.enabled': 'true', 'auto.create': 'true' };

interface Target {
  readonly path: string;
  readonly writer: SinkWriter;
  put(...records: readonly ConnectRecord[]): Promise<PutResult>;
  /** Reasons of refusal, by index. */
  refusals(...records: readonly ConnectRecord[]): Promise<readonly (readonly [number, string])[]>;
  rows(columns?: string, table?: string): ReturnType<typeof rowsIn>;
}

async function aTarget(
  keys: Readonly<Record<string, string>>,
  { setUp = '', path = join(aTemporaryFolder(), 'target.db') }: { readonly setUp?: string; readonly path?: string } = {},
): Promise<Target> {
  if (setUp !== '') {
    const database = new DatabaseSync(path);
    database.exec(setUp);
    database.close();
  }
  const writer = await sqlSink.open(sqlSink.config.parse({ 'connection.url': `sqlite:${path}`, ...keys }), aPluginContext());
  onTestFinished(() => writer.close());
  await writer.begin?.(SLICE, NEVER);
  const put = (...records: readonly ConnectRecord[]) => writer.put({ ...SLICE, records, position: '1', forMs: 5_000 }, NEVER);
  return {
    path,
    writer,
    put,
    refusals: async (...records) => (await put(...records)).failures.map(({ index, error }) => [index, error.message]),
    rows: (columns, table = 'orders') => rowsIn(path, table, columns),
  };
}

function plain(value: Value): Datum {
  return { schema: null, value };
}

/** Without schemas. */
function row(key: Value, value: Value, topic = 'orders'): ConnectRecord {
  return aSinkRecord({ key: plain(key), value: plain(value) }).with({ topic });
}

/** A change of the row `id`, without schemas. */
function change(op: string, before: Value, after: Value, key: Value = (after ?? before) as Value): ConnectRecord {
  const { id } = key as { id: Value };
  return row({ id }, { before, after, op, source: { table: 'orders' } });
}

describe('rows of sql-sink', () => {
  test('columns of a new table follow the schema, and every value is kept exactly', async () => {
    const { put, rows } = await aTarget(UPSERT);
    const fields: readonly (readonly [string, Schema, Value])[] = [
      ['big', { type: 'int64', optional: false }, 9_007_199_254_740_993n],
      ['ratio', { type: 'float64', optional: false }, 10],
      ['paid', { type: 'boolean', optional: false }, true],
      ['photo', { type: 'bytes', optional: false }, Uint8Array.of(0, 255)],
      [
        'price',
        { type: 'bytes', optional: false, name: logicalNames.decimal, parameters: { scale: '2' } },
        Uint8Array.of(0x30, 0x39),
      ],
      ['day', { type: 'int32', optional: false, name: logicalNames.date }, 20_454],
      ['at', { type: 'int64', optional: false, name: logicalNames.timestamp }, 1_767_225_600_123n],
      ['tags', { type: 'array', optional: false, items: { type: 'int64', optional: false } }, [2n ** 62n]],
    ];
    const schema: Schema = { type: 'struct', optional: false, fields: fields.map(([name, type]) => ({ name, schema: type })) };
    const value = Object.fromEntries(fields.map(([name, , item]) => [name, item]));

    await put(aSinkRecord({ key: textDatum('a'), value: { schema, value } }));

    expect(rows()).toEqual([
      [
        'a',
        9_007_199_254_740_993n,
        10,
        1n,
        Uint8Array.of(0, 255),
        '123.45',
        '2026-01-01',
        '2026-01-01 00:00:00.123',
        '[4611686018427387904]',
      ],
    ]);
    expect(rows('typeof(big), typeof(ratio), typeof(photo)')).toEqual([['integer', 'real', 'blob']]);
  });

  test('without a schema, a new column keeps every value as it is, whatever the first one was', async () => {
    const { put, rows } = await aTarget(UPSERT);

    await put(row('a', { n: 9_007_199_254_740_993n, x: 1.5, ok: false, none: null, list: [1, 'b'], zip: 12_345 }));
    await put(row('b', { n: 1, x: 9_007_199_254_740_993n, ok: '1e3', none: 'text after all', list: 5, zip: '00501' }));

    expect(rows()).toEqual([
      ['a', 9_007_199_254_740_993n, 1.5, 0n, null, '[1,"b"]', 12_345n],
      ['b', 1n, 9_007_199_254_740_993n, '1e3', 'text after all', 5n, '00501'],
    ]);
  });

  test('keys that only look alike stay two', async () => {
    const { put, rows } = await aTarget({ ...UPSERT, 'delete.enabled': 'true' });

    await put(row(7n, { v: 'a' }), row('007', { v: 'b' }), row('007', null));

    expect(rows()).toEqual([[7n, 'a']]);
  });

  test('names of tables and columns may be anything, and are never read as SQL', async () => {
    const hostile = `a"'\`; DROP TABLE "orders"; --`;
    const { put, rows } = await aTarget({ ...UPSERT, 'pk.mode': 'record_value', 'pk.fields': hostile });
    const value = JSON.parse(`{"__proto__":1,"constructor":2,"select":3}`) as Value;

    const { failures } = await put(
      row(null, { ...(value as object), [hostile]: 'b' }, hostile),
      row(null, { [hostile]: 'c' }, hostile),
    );

    expect(failures).toEqual([]);
    expect(rows('constructor, "select"', hostile)).toEqual([
      [null, null],
      [2n, 3n],
    ]);
  });

  test('a deletion, a tombstone, a truncation and a new key of a change event each do what they say', async () => {
    const { put, rows } = await aTarget(REPLICA);

    await put(change('r', null, { id: 1, v: 'a' }), change('c', null, { id: 2, v: 'b' }), change('c', null, { id: 3, v: 'c' }));
    await put(change('u', { id: 1, v: 'a' }, { id: 1, v: 'A' }), change('d', { id: 2, v: 'b' }, null), row({ id: 2 }, null));
    const changed = rows();
    await put(change('u', { id: 3, v: 'c' }, { id: 4, v: 'C' }));
    const moved = rows();
    await put(row({ id: 1 }, { before: null, after: null, op: 't', source: { table: 'orders' } }));

    expect(changed).toEqual([
      [1n, 'A'],
      [3n, 'c'],
    ]);
    expect(moved).toEqual([
      [1n, 'A'],
      [4n, 'C'],
    ]);
    expect(rows()).toEqual([]);
  });

  test('change events with a schema are rows of the schema inside the envelope', async () => {
    const { put, rows } = await aTarget({ ...REPLICA, 'pk.fields': 'id' });
    const image = (optional: boolean): StructSchema => ({
      type: 'struct',
      optional,
      fields: [
        { name: 'id', schema: { type: 'int64', optional: false } },
        { name: 'at', schema: { type: 'int64', optional: true, name: logicalNames.timestamp } },
      ],
    });
    const schema: Schema = {
      type: 'struct',
      optional: false,
      fields: [
        { name: 'before', schema: image(true) },
        { name: 'after', schema: image(true) },
        { name: 'op', schema: { type: 'string', optional: false } },
      ],
    };
    const key = { schema: { type: 'int64', optional: false } as const, value: 7n };
    const event = (op: string, value: object) =>
      aSinkRecord({ key, value: { schema, value: { op, before: null, after: null, ...value } } });

    await put(event('c', { after: { id: 7n, at: 0n } }));
    const created = rows();
    await put(event('d', { before: { id: 7n, at: 0n } }));

    expect(created).toEqual([[7n, '1970-01-01 00:00:00.000']]);
    expect(rows()).toEqual([]);
  });

  test('${source.table} names the table, and tombstones are passed over then', async () => {
    const { put, rows } = await aTarget({ ...REPLICA, 'table.name.format': 'copy_of_${source.table}' });

    const { failures } = await put(
      change('c', null, { id: 1 }).with({ topic: 'shop.orders' }),
      row({ id: 1 }, null, 'shop.orders'),
    );

    expect(failures).toEqual([]);
    expect(rows('id', 'copy_of_orders')).toEqual([[1n]]);
  });

  test('pk.mode=kafka makes a key of topic, queue and offset', async () => {
    const { put, rows } = await aTarget({ 'pk.mode': 'kafka', 'auto.create': 'true', 'fields.whitelist': 'a' });

    await put(aSinkRecord({ key: plain(null), value: plain({ a: 1, b: 2 }), offset: 2n ** 60n }));

    expect(rows()).toEqual([['orders', 'broker-a:0', 2n ** 60n, 1n]]);
  });

  test('insert.mode=update changes rows and adds none', async () => {
    const keys = { 'insert.mode': 'update', 'pk.mode': 'record_key', 'pk.fields': 'id' };
    const { put, rows } = await aTarget(keys, {
      setUp: 'CREATE TABLE orders (id TEXT PRIMARY KEY, n, kept); INSERT INTO orders VALUES (1, 1, 1)',
    });

    await put(row('1', { n: 2 }), row('2', { n: 2 }));

    expect(rows()).toEqual([['1', 2n, 1n]]);
  });

  test('auto.evolve adds the columns that a record has and the table has not', async () => {
    const { put, rows } = await aTarget({ ...UPSERT, 'auto.evolve': 'true' });
    await put(row('a', { n: 1 }));

    await put(row('b', { n: 2, more: 'x' }), row('c', { N: 3 }));

    expect(rows('id, n, more')).toEqual([
      ['a', 1n, null],
      ['b', 2n, 'x'],
      ['c', 3n, null],
    ]);
  });

  test('a table that somebody else drops or changes meanwhile is looked at anew', async () => {
    const { put, rows, path } = await aTarget({ ...UPSERT, 'auto.evolve': 'true' });
    await put(row('a', { n: 1 }));
    const other = new DatabaseSync(path);
    other.exec('DROP TABLE orders; CREATE TABLE orders (id TEXT PRIMARY KEY)');
    other.close();

    await put(row('b', { n: 2 }));

    expect(rows()).toEqual([['b', 2n]]);
  });
});

describe('records that sql-sink refuses', () => {
  const setUp = 'CREATE TABLE orders (id TEXT PRIMARY KEY, n INTEGER NOT NULL CHECK (n < 100), u TEXT UNIQUE) STRICT';

  test('each with its reason, and nothing of the batch is written', async () => {
    const { refusals, rows } = await aTarget(UPSERT, { setUp });

    const reasons = await refusals(
      row('a', { n: 1, u: 'x' }),
      row('b', { n: 100, u: null }),
      row('c', { n: null, u: null }),
      row('d', { n: 'text', u: null }),
      row('e', { n: 2, u: 'x' }),
      row('f', { n: Number.NaN, u: null }),
      row('g', { n: 2n ** 63n, u: null }),
      row('h', { n: 1, u: '\ud800' }),
      row(null, { n: 1, u: null }),
      row('i', 'no struct'),
      row('j', null),
      row('k', { n: 1, N: 2 }),
      row({ other: 1 }, { n: 1, u: null }),
    );

    expect(reasons).toEqual([
      [1, expect.stringContaining('CHECK constraint failed: n < 100')],
      [2, expect.stringContaining('NOT NULL constraint failed: orders.n')],
      [3, expect.stringContaining('cannot store TEXT value in INTEGER column orders.n')],
      [4, expect.stringContaining('UNIQUE constraint failed: orders.u')],
      [5, expect.stringMatching(/^column "n": .*NaN/)],
      [6, expect.stringMatching(/^column "n": .*64 bits/)],
      [7, expect.stringMatching(/^column "u": .*surrogate/)],
      [8, expect.stringContaining('no key')],
      [9, expect.stringContaining('a row is an object or a struct, and the value is text')],
      [10, expect.stringContaining('delete.enabled=true')],
      [11, expect.stringContaining('one column')],
      [12, expect.stringContaining('has no field "id"')],
    ]);
    expect(rows()).toEqual([]);
  });

  test('values that the type of their column would turn into others, and none that it keeps', async () => {
    const { refusals, rows } = await aTarget(
      { ...UPSERT, 'delete.enabled': 'true' },
      { setUp: 'CREATE TABLE orders (id INTEGER PRIMARY KEY, n INTEGER, d DECIMAL(20, 2), r REAL, s TEXT)' },
    );
    const kept = { n: '501', d: '1.10', r: 2n ** 53n, s: '00501' };
    const large: Datum = {
      schema: { type: 'bytes', optional: false, name: logicalNames.decimal, parameters: { scale: '2' } },
      value: unscaledBytes(12_345_678_901_234_567n),
    };
    const withDecimal: Datum = {
      schema: { type: 'struct', optional: false, fields: [{ name: 'd', schema: large.schema as Schema }] },
      value: { d: large.value },
    };

    const accepted = await refusals(row(1n, kept));
    const reasons = await refusals(
      row(2n, { n: '00501' }),
      row(3n, { n: ' 5' }),
      row(4n, { n: '9223372036854775808' }),
      row(5n, { d: '1e3' }),
      row(6n, { r: 2n ** 53n + 1n }),
      row('01', null),
      aSinkRecord({ key: plain(7n), value: withDecimal }),
    );

    expect(accepted).toEqual([]);
    expect(reasons).toEqual([
      [0, expect.stringMatching(/^column "n": .*INTEGER/)],
      [1, expect.stringMatching(/^column "n"/)],
      [2, expect.stringMatching(/^column "n"/)],
      [3, expect.stringMatching(/^column "d": .*DECIMAL/)],
      [4, expect.stringMatching(/^column "r": .*REAL/)],
      [5, expect.stringMatching(/^column "id"/)],
      [6, expect.stringMatching(/^column "d"/)],
    ]);
    expect(rows()).toEqual([[1n, 501n, 1.1, 2 ** 53, '00501']]);
  });

  test('more columns than a table takes, by themselves or beside those that are there', async () => {
    const { refusals } = await aTarget({ ...UPSERT, 'auto.evolve': 'true' }, { setUp: 'CREATE TABLE few (id PRIMARY KEY)' });
    const wide = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`c${index}`, 1]));

    const reasons = await refusals(row('a', wide), row('a', wide, 'few'));

    expect(reasons).toEqual([
      [0, expect.stringContaining('2001 columns')],
      [1, expect.stringContaining('2001 columns')],
    ]);
  });

  test('a change event that names a table which can be none', async () => {
    const { refusals } = await aTarget({ ...UPSERT, 'table.name.format': '${source.table}' });
    const event = (table: string): ConnectRecord => row('a', { op: 'c', before: null, after: { n: 1 }, source: { table } });

    const reasons = await refusals(event('a\0b'), event('\ud800'), event('_sortie_positions'), event('SQLite_x'));

    expect(reasons.map(([index, reason]) => [index, reason.includes('cannot be written')])).toEqual([
      [0, true],
      [1, true],
      [2, true],
      [3, true],
    ]);
  });

  test('a table that was created for a batch goes with it', async () => {
    const { refusals, put, rows } = await aTarget(UPSERT);
    await refusals(row('a', { n: 1 }), row('b', { n: Number.NaN }));
    const before = rows();

    await put(row('a', { n: 1 }));

    expect(before).toEqual([]);
    expect(rows()).toEqual([['a', 1n]]);
  });
});

describe('what sql-sink needs somebody for', () => {
  const fatal = (...parts: readonly string[]) =>
    expect.objectContaining({
      name: 'FatalTaskError',
      message: expect.stringMatching(new RegExp(`${parts.join('.*')}.*next: `, 's')),
    });

  test('a missing table', async () => {
    const { put, path } = await aTarget({ ...UPSERT, 'auto.create': 'false' });

    await expect(put(row('a', { n: 1 }))).rejects.toEqual(fatal('no table "orders"', path));
  });

  test('a missing column', async () => {
    const { put, path } = await aTarget(UPSERT, { setUp: 'CREATE TABLE orders (id PRIMARY KEY)' });

    await expect(put(row('a', { n: 1, m: 2 }))).rejects.toEqual(fatal('"orders" has no column "n", "m"', path));
  });

  test('a table without the key that an upsert finds rows by', async () => {
    const { put, path } = await aTarget(UPSERT, { setUp: 'CREATE TABLE orders (id, n)' });

    await expect(put(row('a', { n: 1 }))).rejects.toEqual(fatal(path, 'PRIMARY KEY or UNIQUE'));
  });

  test('a record that is for one of the product’s own tables', async () => {
    const { put } = await aTarget({ ...UPSERT, 'auto.evolve': 'true' });

    await expect(put(row('a', { n: 1 }, '_Sortie_positions'))).rejects.toEqual(fatal('own'));
  });

  test('a folder that is missing, a file that is no database, a newer schema', async () => {
    const folder = aTemporaryFolder();
    const [missing, text, newer] = [join(folder, 'no', 'a.db'), join(folder, 'text.db'), join(folder, 'newer.db')];
    writeFileSync(text, 'this is no database, but it is long enough to be taken for one'.repeat(100));
    const first = await aTarget(UPSERT, { path: newer });
    await first.writer.close();
    const database = new DatabaseSync(newer);
    database.exec("UPDATE _sortie_schema SET version = 99 WHERE part = 'positions'");
    database.close();

    await expect(aTarget(UPSERT, { path: missing })).rejects.toEqual(fatal(missing, 'cannot be opened'));
    await expect(aTarget(UPSERT, { path: text })).rejects.toEqual(fatal(text, 'no SQLite database'));
    await expect(aTarget(UPSERT, { path: newer })).rejects.toEqual(fatal(newer, 'schema 99'));
  });

  test('a file that it may not write', async () => {
    const folder = aReadOnlyFolder();

    const opening = withoutPrivileges(() => aTarget(UPSERT, { path: join(folder, 'a.db') }));

    await expect(opening).rejects.toEqual(fatal(folder));
  });
});

describe('processes around sql-sink', () => {
  test('one that is killed in the middle of a transaction leaves nothing of it, and the next epoch goes on where it stood', async () => {
    const path = join(aTemporaryFolder(), 'target.db');
    const script = fileURLToPath(new URL('../support/stuck-sql-writer.ts', import.meta.url));
    const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');

    child.kill('SIGKILL');
    await once(child, 'exit');
    const next = await sqlSink.open(sqlSink.config.parse({ 'connection.url': `sqlite:${path}`, ...UPSERT }), aPluginContext());
    onTestFinished(() => next.close());

    expect(await next.begin?.({ ...SLICE, epoch: 2 }, NEVER)).toBe('2');
    expect(rowsIn(path, 'orders')).toEqual([
      ['a', '1'],
      ['b', '1'],
    ]);
  });

  test('writers of several connectors share one file, each with its own position', async () => {
    const path = join(aTemporaryFolder(), 'target.db');
    const [one, two] = [await aTarget(UPSERT, { path }), await aTarget(UPSERT, { path })];
    const shard = shardId('other', ['queue', 'orders', 'broker-a', '0']);
    await two.writer.begin?.({ ...SLICE, shard }, NEVER);

    await one.put(row('a', { n: 1 }));
    await two.writer.put({ ...SLICE, shard, records: [row('b', { n: 2 })], position: '77', forMs: 5_000 }, NEVER);

    expect(one.rows()).toEqual([
      ['a', 1n],
      ['b', 2n],
    ]);
    expect([await one.writer.begin?.(SLICE, NEVER), await two.writer.begin?.({ ...SLICE, shard }, NEVER)]).toEqual(['1', '77']);
  });
});

describe('the configuration of sql-sink', () => {
  const valid = { 'connection.url': 'sqlite:/tmp/a.db' };

  test.each([
    ['connection.url', { 'connection.url': 'postgres://localhost/shop' }],
    ['connection.url', { 'connection.url': 'sqlite::memory:' }],
    ['pk.mode', { 'insert.mode': 'upsert' }],
    ['pk.mode', { 'delete.enabled': 'true', 'pk.mode': 'kafka' }],
    ['pk.fields', { 'pk.mode': 'kafka', 'pk.fields': 'a,b' }],
    ['table.name.format', { 'table.name.format': '${tpoic}' }],
  ])('names %s in %j', (key, config) => {
    const { error } = sqlSink.config.safeParse({ ...valid, ...config });

    expect(error?.issues.map(({ path }) => path.join('.'))).toEqual([key]);
  });

  test.each(['sqlite:/a/b.db', 'jdbc:sqlite:/a/b.db', 'sqlite:///a/b.db'])('reads %s', (url) => {
    expect(sqlSink.config.parse({ 'connection.url': url })['connection.url']).toBe('/a/b.db');
  });
});
