/** What only `sqlite-cdc-source` has: what triggers see, how rows and changes fit together, and what may happen to the database. */
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../adapters/system.ts';
import type { Json } from '../../core/json.ts';
import type { Clock } from '../../core/ports.ts';
import { comparePositions, formatPosition } from '../../core/record/position.ts';
import type { Struct, StructSchema, Value } from '../../core/record/schema.ts';
import { shardId } from '../../core/shard-id.ts';
import type { PolledRecord, PollLimits, SourceReader } from '../../plugins/api/source.ts';
import { sqliteCdcSource } from '../../plugins/sources/sqlite-cdc-source.ts';
import { ROOT } from '../../tools/paths.mjs';
import { ManualClock } from '../support/manual-clock.ts';
import { aPluginContext } from '../support/plugin-context.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const LIMITS: PollLimits = { records: 1_000, bytes: 10_000_000, waitMs: 0 };
const NEVER = new AbortController().signal;
/** More than are counted at once. */
const MANY_ROWS = `
  CREATE TABLE orders (id PRIMARY KEY) WITHOUT ROWID;
  WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 250000) INSERT INTO orders SELECT i FROM n`;
const ORDERS = 'CREATE TABLE orders (id INTEGER PRIMARY KEY, v)';

interface Shop {
  readonly path: string;
  /** As the application. */
  readonly database: DatabaseSync;
  open(checkpoint?: Json, keys?: Readonly<Record<string, string>>): Promise<SourceReader>;
}

function aShop(schema: string): Shop {
  const path = join(aTemporaryFolder(), 'shop.db');
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  database.exec(`PRAGMA synchronous = OFF; ${schema}`);
  const open = async (checkpoint: Json = null, keys: Readonly<Record<string, string>> = {}) => {
    const config = sqliteCdcSource.config.parse({ 'connection.url': `sqlite:${path}`, 'topic.prefix': 'shop', ...keys });
    const reader = await sqliteCdcSource.open(config, ['database'], checkpoint, aPluginContext());
    onTestFinished(() => reader.close());
    return reader;
  };
  return { path, database, open };
}

async function drain(reader: SourceReader, limits: Partial<PollLimits> = {}): Promise<PolledRecord[]> {
  const records: PolledRecord[] = [];
  for (let polls = 0; polls < 10_000; polls += 1) {
    const polled = await reader.poll({ ...LIMITS, ...limits }, NEVER);
    records.push(...polled.records);
    if (polled.records.length === 0 && polled.idleForMs !== undefined) return records;
  }
  throw new Error('never drained');
}

interface Owner {
  readonly connector?: string;
  readonly uid?: string;
  readonly checkpoint?: Json;
  readonly keys?: Readonly<Record<string, string>>;
  readonly warnings?: string[];
  readonly clock?: Clock;
}

/** As another connector than the one that `Shop.open` is for. */
async function openAs({ path }: Shop, owner: Owner): Promise<SourceReader> {
  const { connector = 'orders', uid = 'other', checkpoint = null, keys = {}, warnings = [], clock = new ManualClock() } = owner;
  const config = sqliteCdcSource.config.parse({ 'connection.url': `sqlite:${path}`, 'topic.prefix': 'shop', ...keys });
  const reader = await sqliteCdcSource.open(config, ['database'], checkpoint, {
    ...aPluginContext({ clock }),
    connector,
    shard: shardId(uid, ['source', 'database']),
    log: (_, message) => void warnings.push(message),
  });
  onTestFinished(() => reader.close());
  return reader;
}

/** A shop whose rows are read already, and a reader for what comes. */
async function aReadShop(
  schema: string,
  keys: Readonly<Record<string, string>> = {},
): Promise<Shop & { readonly reader: SourceReader }> {
  const shop = aShop(schema);
  const reader = await shop.open(null, keys);
  await drain(reader);
  return { ...shop, reader };
}

interface Envelope {
  readonly op: string;
  readonly before: Struct | null;
  readonly after: Struct | null;
  readonly source: Struct;
}

function envelope({ value }: PolledRecord): Envelope {
  return value.value as unknown as Envelope;
}

/** `op before -> after` of each record. */
function changes(records: readonly PolledRecord[]): readonly (readonly [string, Struct | null, Struct | null])[] {
  return records.map((record) => {
    const { op, before, after } = envelope(record);
    return [op, before, after];
  });
}

describe('what the triggers see', () => {
  test('every value exactly, before and after, whatever column it is in', async () => {
    const { database, reader } = await aReadShop(
      'CREATE TABLE t (id INTEGER PRIMARY KEY, i INTEGER, r REAL, s TEXT, b BLOB, n NUMERIC, x, ok BOOLEAN)',
    );
    const first = [1n, 2n ** 63n - 1n, 0.1 + 0.2, 'größe \0 🚀 \' "', Uint8Array.of(0, 255), 10n, 1.5, 1n] as const;
    const second = [1n, -(2n ** 63n), 5e-324, '', new Uint8Array(), 0.5, 2n ** 60n, 0n] as const;
    const odd = [2n, 'text', 'more text', Uint8Array.of(1), 7n, 2n ** 60n, null, 17n] as const;
    const insert = database.prepare('INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    insert.run(...first);
    database.prepare('UPDATE t SET i = ?2, r = ?3, s = ?4, b = ?5, n = ?6, x = ?7, ok = ?8 WHERE id = ?1').run(...second);
    database.exec('DELETE FROM t');
    insert.run(...odd);

    const records = await drain(reader);

    const one = {
      id: 1n,
      i: 2n ** 63n - 1n,
      r: 0.1 + 0.2,
      s: 'größe \0 🚀 \' "',
      b: Uint8Array.of(0, 255),
      n: 10,
      x: 1.5,
      ok: true,
    };
    const two = { id: 1n, i: -(2n ** 63n), r: 5e-324, s: '', b: new Uint8Array(), n: 0.5, x: 2n ** 60n, ok: false };
    const three = { id: 2n, i: 'text', r: 'more text', s: Uint8Array.of(1), b: '7', n: 2n ** 60n, x: null, ok: 17n };
    expect(changes(records.slice(0, 3))).toEqual([
      ['c', null, one],
      ['u', one, two],
      ['d', two, null],
    ]);
    expect(changes(records.slice(3))).toEqual([['c', null, { ...three, b: 7n }]]);
  });

  test('a schema that every value fits, also where a row does not fit its columns', async () => {
    const { database, reader } = await aReadShop('CREATE TABLE t (id INTEGER PRIMARY KEY, i INTEGER, s TEXT NOT NULL)');
    database.exec(`INSERT INTO t VALUES (1, 1, 'a'), (2, 1.5, x'00'), (3, NULL, 'c')`);

    const records = await drain(reader);

    const types = records.map(({ value }) => {
      const after = (value.schema as StructSchema).fields.find(({ name }) => name === 'after')?.schema as StructSchema;
      return after.fields.map(({ schema }) => [schema.type, schema.optional]);
    });
    expect(types).toEqual([
      [
        ['int64', false],
        ['int64', true],
        ['string', false],
      ],
      [
        ['int64', false],
        ['float64', true],
        ['bytes', false],
      ],
      [
        ['int64', false],
        ['int64', true],
        ['string', false],
      ],
    ]);
    expect(records[0]?.value.schema).toBe(records[2]?.value.schema);
  });

  test('changes in the order of commits, across tables, and nothing that was rolled back', async () => {
    const { database, reader } = await aReadShop(`${ORDERS}; CREATE TABLE items (id INTEGER PRIMARY KEY, v)`);

    database.exec(
      `BEGIN; INSERT INTO items VALUES (1, 'a'); INSERT INTO orders VALUES (1, 'b'); INSERT INTO items VALUES (2, 'c'); COMMIT`,
    );
    database.exec(`BEGIN; INSERT INTO orders VALUES (2, 'never'); SAVEPOINT s; DELETE FROM items; ROLLBACK`);
    database.exec(`BEGIN; SAVEPOINT s; DELETE FROM items; ROLLBACK TO s; UPDATE orders SET v = 'd'; COMMIT`);

    const records = await drain(reader);

    expect(records.map((record) => [record.topic, envelope(record).op, envelope(record).after?.['v']])).toEqual([
      ['shop.items', 'c', 'a'],
      ['shop.orders', 'c', 'b'],
      ['shop.items', 'c', 'c'],
      ['shop.orders', 'u', 'd'],
    ]);
    expect(records.map(({ position }) => position)).toEqual([
      [1n, 0n],
      [2n, 0n],
      [3n, 0n],
      [4n, 0n],
    ]);
  });

  test('a new key as the deletion of the old one and a new row, each naming the other', async () => {
    const { database, reader } = await aReadShop(`${ORDERS}; INSERT INTO orders VALUES (1, 'a')`, {
      'tombstones.on.delete': 'true',
    });
    database.exec('UPDATE orders SET id = 2');

    const records = await drain(reader, { records: 1 });

    expect(
      records.map(({ key, value, headers, position }) => [
        key.value,
        (value.value as Struct | null)?.['op'],
        headers?.map(({ name, value: id }) => [name, id]),
        position,
      ]),
    ).toEqual([
      [{ id: 1n }, 'd', [['__debezium.newkey', { id: 2n }]], [1n, 0n]],
      [{ id: 1n }, undefined, undefined, [1n, 1n]],
      [{ id: 2n }, 'c', [['__debezium.oldkey', { id: 1n }]], [1n, 2n]],
    ]);
  });

  test('composite keys in their own order, and the rowid where there is none', async () => {
    const { database, reader } = await aReadShop(
      'CREATE TABLE lines (b TEXT, a INTEGER, v, PRIMARY KEY (a, b)) WITHOUT ROWID; CREATE TABLE visits (rowid TEXT, v)',
    );
    database.exec(`INSERT INTO lines VALUES ('x', 1, 'v'); INSERT INTO visits VALUES ('mine', 'v'); DELETE FROM visits`);

    const records = await drain(reader);

    expect(records.map(({ key }) => key.value)).toEqual([{ a: 1n, b: 'x' }, { _rowid_: 1n }, { _rowid_: 1n }]);
    expect(Object.keys(records[0]?.key.value as Struct)).toEqual(['a', 'b']);
  });

  test('the row as it is in the end, where a trigger of the application changes it again', async () => {
    const schema = `${ORDERS}; CREATE TRIGGER late AFTER INSERT ON orders BEGIN UPDATE orders SET v = 'by trigger' WHERE id = NEW.id; END`;
    const { database, reader } = await aReadShop(schema);
    database.exec(
      `CREATE TRIGGER later AFTER UPDATE OF v ON orders WHEN NEW.v = 'by trigger' BEGIN UPDATE orders SET v = 'by both' WHERE id = NEW.id; END`,
    );
    await drain(reader);

    database.exec(`INSERT INTO orders VALUES (1, 'by hand')`);

    expect(envelope((await drain(reader)).at(-1) as PolledRecord).after).toEqual({ id: 1n, v: 'by both' });
  });

  test.each([
    ['moves', 'UPDATE orders SET id = 3 WHERE id = 2', ['2 d', '3 c', '1 d']],
    ['moves back', 'UPDATE orders SET id = 1 WHERE id = 2', ['2 d', '1 c']],
    ['deletes', 'DELETE FROM orders WHERE id = 2', ['2 d', '1 d']],
  ])(
    'a row that was moved is only where it is, also where a later trigger of the application %s it',
    async (_, statement, expected) => {
      const { database, reader } = await aReadShop(`${ORDERS}; INSERT INTO orders VALUES (1, 'a')`);
      // SQLite runs the trigger that was made last first.
      database.exec(`CREATE TRIGGER late AFTER UPDATE OF id ON orders WHEN NEW.id = 2 BEGIN ${statement}; END`);
      await drain(reader);

      database.exec('UPDATE orders SET id = 2');

      const records = await drain(reader);
      expect(records.map((record) => `${(record.key.value as Struct)['id']} ${envelope(record).op}`)).toEqual(expected);
    },
  );

  test('each row of a deletion without a condition, and rows that foreign keys take along', async () => {
    const { database, reader } = await aReadShop(`
      CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a ON DELETE CASCADE);
      INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (1, 1), (2, 2);`);

    database.exec('DELETE FROM a');

    expect((await drain(reader)).map(({ topic, key }) => `${topic} ${(key.value as Struct)['id']}`).sort()).toEqual([
      'shop.a 1',
      'shop.a 2',
      'shop.b 1',
      'shop.b 2',
    ]);
  });

  test('rows that are replaced for the sake of a unique index, and none that are only in its way', async () => {
    const { database, reader } = await aReadShop(`
      CREATE TABLE users (id INTEGER PRIMARY KEY, mail TEXT UNIQUE, v);
      INSERT INTO users VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 1), (4, NULL, 1)`);

    database.exec(`INSERT OR REPLACE INTO users VALUES (5, 'a', 2)`);
    database.exec(`INSERT OR IGNORE INTO users VALUES (6, 'b', 2)`);
    database.exec(`INSERT INTO users VALUES (7, 'b', 3) ON CONFLICT (mail) DO UPDATE SET v = 3`);
    database.exec(`UPDATE OR REPLACE users SET mail = 'c' WHERE id = 2`);
    database.exec(`INSERT INTO users VALUES (8, NULL, 4)`);
    database.exec(`PRAGMA recursive_triggers = ON; INSERT OR REPLACE INTO users VALUES (9, 'c', 5)`);

    expect(changes(await drain(reader)).map(([op, before, after]) => [op, before?.['id'], after?.['id']])).toEqual([
      ['d', 1n, undefined],
      ['c', undefined, 5n],
      ['u', 2n, 2n],
      ['d', 3n, undefined],
      ['u', 2n, 2n],
      ['c', undefined, 8n],
      ['d', 2n, undefined],
      ['c', undefined, 9n],
    ]);
  });

  test.each([
    ['a primary key', 'CREATE TABLE users (mail TEXT PRIMARY KEY COLLATE NOCASE, v)', 'mail'],
    ['a primary key without rowid', 'CREATE TABLE users (mail TEXT PRIMARY KEY COLLATE NOCASE, v) WITHOUT ROWID', 'mail'],
    [
      'an index',
      'CREATE TABLE users (id INTEGER PRIMARY KEY, mail, v); CREATE UNIQUE INDEX one ON users (mail COLLATE NOCASE)',
      'id',
    ],
  ])('rows that are replaced because %s takes upper and lower case for the same', async (_, schema, key) => {
    const { database, reader } = await aReadShop(`${schema}; INSERT INTO users (mail, v) VALUES ('ada', 1), ('grace', 1)`);

    database.exec(`INSERT OR REPLACE INTO users (mail, v) VALUES ('Ada', 2)`);
    database.exec(`INSERT OR IGNORE INTO users (mail, v) VALUES ('GRACE', 2)`);
    database.exec(`UPDATE users SET mail = 'Grace' WHERE mail = 'grace'`);

    const records = await drain(reader);
    const kept = new Map<string, Value>();
    for (const row of ['ada', 'grace'].map((mail, index) => ({ id: BigInt(index + 1), mail, v: 1n })))
      kept.set(printed(row[key as 'id' | 'mail']), row.mail);
    for (const record of records) {
      const id = printed((record.key.value as Struct)[key] ?? null);
      const { op, after } = envelope(record);
      if (op === 'd') kept.delete(id);
      else kept.set(id, after?.['mail'] ?? null);
    }
    expect([...kept.values()].sort()).toEqual(['Ada', 'Grace']);
  });

  test('names that hold anything', async () => {
    const table = `or"der's; DROP TABLE x; --`;
    const { database, reader } = await aReadShop(
      `CREATE TABLE "${table.replaceAll('"', '""')}" ("id ""'" INTEGER PRIMARY KEY, "__proto__" TEXT)`,
    );
    database.prepare(`INSERT INTO "${table.replaceAll('"', '""')}" VALUES (1, 'a')`).run();

    const [record] = await drain(reader);

    expect(record?.topic).toBe('shop.or_der_s__DROP_TABLE_x__--');
    expect(Object.entries(envelope(record as PolledRecord).after ?? {})).toEqual([
      ['id "\'', 1n],
      ['__proto__', 'a'],
    ]);
  });

  test('names in any script, each with a topic of its own', async () => {
    const { open } = aShop(
      `CREATE TABLE 订单 (id); CREATE TABLE 客户 (id); INSERT INTO 订单 VALUES (1); INSERT INTO 客户 VALUES (1)`,
    );

    const topics = (await drain(await open())).map(({ topic }) => topic);

    expect(topics).toEqual(['shop._u5ba2_u6237', 'shop._u8ba2_u5355']);
  });

  test('two tables of one topic are refused rather than mixed, whenever the second one comes', async () => {
    const { database, reader } = await aReadShop('CREATE TABLE "order items" (id INTEGER PRIMARY KEY)');
    database.exec('CREATE TABLE order_items (id INTEGER PRIMARY KEY)');

    await expect(reader.poll(LIMITS, NEVER)).rejects.toMatchObject({
      name: 'FatalTaskError',
      message: expect.stringMatching(/"order items" and "order_items".* shop\.order_items; next: /) as unknown,
    });
  });

  test('two tables of one topic get nothing that would go on logging what nobody reads', async () => {
    const { database, open } = aShop('CREATE TABLE "order items" (id INTEGER PRIMARY KEY); CREATE TABLE order_items (id)');

    await expect(open()).rejects.toMatchObject({ name: 'FatalTaskError' });

    expect(database.prepare("SELECT name FROM sqlite_schema WHERE name LIKE '%sortie%'").all()).toEqual([]);
  });

  test('flat rows on request', async () => {
    const { database, reader } = await aReadShop(ORDERS, { 'output.format': 'flat', 'topic.delimiter': '-' });
    database.exec(`INSERT INTO orders VALUES (1, 'a'); DELETE FROM orders`);

    const records = await drain(reader);

    const at = expect.any(BigInt) as unknown;
    expect(records.map(({ topic, value }) => [topic, value.value])).toEqual([
      ['shop-orders', { id: 1n, v: 'a', __op: 'c', __table: 'orders', __source_ts_ms: at, __deleted: 'false' }],
      ['shop-orders', { id: 1n, v: 'a', __op: 'd', __table: 'orders', __source_ts_ms: at, __deleted: 'true' }],
    ]);
  });
});

describe('tables that come, change and go', () => {
  test('a new table is captured with the rows it has by then, and one that is not wanted is not', async () => {
    const { database, reader } = await aReadShop(ORDERS, { 'table.include.list': 'orders|new_.*' });

    database.exec(
      `CREATE TABLE New_orders (id INTEGER PRIMARY KEY); INSERT INTO New_orders VALUES (1); CREATE TABLE other (id); INSERT INTO other VALUES (1)`,
    );
    const found = await drain(reader);
    database.exec('INSERT INTO New_orders VALUES (2); INSERT INTO other VALUES (2)');

    expect([...found, ...(await drain(reader))].map((record) => [record.topic, envelope(record).op])).toEqual([
      ['shop.New_orders', 'r'],
      ['shop.New_orders', 'c'],
    ]);
  });

  test('new columns appear: the table is read anew, and later changes have them', async () => {
    const { database, reader } = await aReadShop(`${ORDERS}; INSERT INTO orders VALUES (1, 'a')`);
    database.exec(
      `INSERT INTO orders VALUES (2, 'b'); ALTER TABLE orders ADD COLUMN w DEFAULT 'new'; UPDATE orders SET v = 'B' WHERE id = 2`,
    );

    const records = await drain(reader);
    database.exec(`UPDATE orders SET w = 'W' WHERE id = 1`);

    expect(changes(records)).toEqual([
      ['c', null, { id: 2n, v: 'b' }],
      ['u', { id: 2n, v: 'b' }, { id: 2n, v: 'B' }],
      ['r', null, { id: 1n, v: 'a', w: 'new' }],
      ['r', null, { id: 2n, v: 'B', w: 'new' }],
    ]);
    expect(changes(await drain(reader))).toEqual([['u', { id: 1n, v: 'a', w: 'new' }, { id: 1n, v: 'a', w: 'W' }]]);
  });

  test('a renamed table is another one; a dropped one leaves its changes', async () => {
    const { database, reader } = await aReadShop(`${ORDERS}; CREATE TABLE gone (id INTEGER PRIMARY KEY)`);
    database.exec(
      `INSERT INTO gone VALUES (1); DROP TABLE gone; INSERT INTO orders VALUES (1, 'a'); ALTER TABLE orders RENAME TO sales; INSERT INTO sales VALUES (2, 'b')`,
    );

    const records = await drain(reader);

    expect(records.map((record) => [record.topic, envelope(record).op, record.key.value])).toEqual([
      ['shop.gone', 'c', { id: 1n }],
      ['shop.orders', 'c', { id: 1n }],
      ['shop.orders', 'c', { id: 2n }],
      ['shop.sales', 'r', { id: 1n }],
      ['shop.sales', 'r', { id: 2n }],
    ]);
  });

  test('opening again changes nothing in the database', async () => {
    const { database, open } = await aReadShop(ORDERS);
    const version = () => database.prepare('PRAGMA schema_version').get();
    const before = version();

    await drain(await open());

    expect(version()).toEqual(before);
  });

  test('triggers that an earlier version has made are made anew', async () => {
    const { database, open, reader } = await aReadShop(ORDERS);
    await reader.close();
    database.exec(`
      UPDATE "_sortie_captures:orders:uid" SET layout = json_set(layout, '$.v', 1);
      DROP TRIGGER "_sortie_orders:uid:1:after insert";
      CREATE TRIGGER "_sortie_orders:uid:1:after insert" AFTER INSERT ON orders BEGIN SELECT 'less than today'; END;
    `);

    const later = await open({ v: 2, seq: '0', capture: 2 });
    await drain(later);
    database.exec(`INSERT INTO orders VALUES (1, 'a')`);

    expect(changes(await drain(later))).toEqual([['c', null, { id: 1n, v: 'a' }]]);
  });
});

describe('several connectors of one database', () => {
  test.each([
    ['of other names', { connector: 'other "one"' }],
    ['of names that differ in case alone', { connector: 'ORDERS' }],
    ['of the same name in another installation', { connector: 'orders', uid: 'other' }],
  ])('each gets every change once: %s', async (_, owner) => {
    const shop = await aReadShop(ORDERS);
    const other = await openAs(shop, { ...owner, keys: { 'topic.prefix': 'copy' } });
    await drain(other);

    shop.database.exec(`INSERT INTO orders VALUES (1, 'a')`);

    const records = [...(await drain(shop.reader)), ...(await drain(other))];
    expect(records.map(({ topic, position }) => [topic, position])).toEqual([
      ['shop.orders', [1n, 0n]],
      ['copy.orders', [1n, 0n]],
    ]);
  });

  test('one does not take away what another of its name captures', async () => {
    const shop = await aReadShop(`${ORDERS}; CREATE TABLE items (id INTEGER PRIMARY KEY)`, { 'table.include.list': 'orders' });
    const other = await openAs(shop, { keys: { 'table.include.list': 'items' } });
    await drain(other);

    shop.database.exec(`INSERT INTO orders VALUES (1, 'a'); INSERT INTO items VALUES (2)`);

    expect(changes(await drain(shop.reader))).toEqual([['c', null, { id: 1n, v: 'a' }]]);
    expect(changes(await drain(other))).toEqual([['c', null, { id: 2n }]]);
  });

  test('one that is created again begins with the rows that are there, not with what happened to the one before', async () => {
    const shop = await aReadShop(`${ORDERS}; INSERT INTO orders VALUES (1, 'a'), (2, 'b'), (3, 'c')`);
    shop.database.exec('DELETE FROM orders WHERE id = 1');
    await drain(shop.reader);
    await shop.reader.close();
    shop.database.exec('DELETE FROM orders WHERE id = 2');

    const again = await openAs(shop, { uid: 'again' });

    expect(changes(await drain(again))).toEqual([['r', null, { id: 3n, v: 'c' }]]);
  });

  test('says where changes pile up that nobody reads', async () => {
    const shop = await aReadShop(ORDERS);
    const warnings: string[] = [];
    await openAs(shop, { uid: 'early', warnings });
    shop.database.exec(
      `WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100001) INSERT INTO orders SELECT i, 'v' FROM n`,
    );

    await openAs(shop, { uid: 'early', warnings });

    expect(warnings).toEqual([
      expect.stringMatching(/_sortie_changes:orders:uid .*100001 changes.* next: .*docs\/plugins\/sqlite-cdc-source\.md/),
    ]);
  });

  test('the statements of the page about the source remove what is one connector’s, and nothing else', async () => {
    const shop = await aReadShop(`${ORDERS}; CREATE TABLE users (id INTEGER PRIMARY KEY, mail UNIQUE)`);
    const other = await openAs(shop, { uid: 'uid-2' });
    await drain(other);
    const [statements = '', forget = ''] = sqlOf('docs/plugins/sqlite-cdc-source.md').map((sql) => sql.replaceAll('UID', 'uid'));

    for (const { statement } of shop.database.prepare(statements).all()) shop.database.exec(statement as string);
    shop.database.exec(forget);

    const left = shop.database
      .prepare("SELECT name FROM sqlite_schema WHERE name LIKE '%orders:uid:%' OR name LIKE '%:uid'")
      .all();
    shop.database.exec(`INSERT INTO orders VALUES (1, 'a')`);
    expect(left).toEqual([]);
    expect(
      shop.database
        .prepare('SELECT part FROM _sortie_schema')
        .all()
        .map(({ part }) => part),
    ).toEqual(['changes:orders:uid-2']);
    expect(changes(await drain(other))).toEqual([['c', null, { id: 1n, v: 'a' }]]);
  });

  test('a checkpoint of version 1 goes on in the log that it is about', async () => {
    const { database, open } = await aReadShop(ORDERS);
    const reader = await open({ v: 1, seq: '0', capture: 1 });
    await drain(reader);
    database.exec(`INSERT INTO orders VALUES (1, 'a')`);

    const { records, checkpoint } = await reader.poll(LIMITS, NEVER);

    expect(changes(records)).toEqual([['c', null, { id: 1n, v: 'a' }]]);
    expect(checkpoint).toEqual({ v: 1, seq: '1', capture: 2 });
    expect(database.prepare('SELECT count(*) AS n FROM "_sortie_changes:orders"').get()).toEqual({ n: 1 });
  });
});

describe('rows and changes together', () => {
  test('a change while rows are read is neither lost nor given twice', async () => {
    const { database, open } = aShop(`${ORDERS}; INSERT INTO orders VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')`);
    const reader = await open();
    const first = await reader.poll({ ...LIMITS, records: 2 }, NEVER);

    database.exec(
      `UPDATE orders SET v = 'A' WHERE id = 1; UPDATE orders SET v = 'C' WHERE id = 3; INSERT INTO orders VALUES (9, 'new'); DELETE FROM orders WHERE id = 4`,
    );
    const rest = await drain(reader);

    expect(changes(first.records)).toEqual([
      ['r', null, { id: 1n, v: 'a' }],
      ['r', null, { id: 2n, v: 'b' }],
    ]);
    expect(changes(rest)).toEqual([
      ['u', { id: 1n, v: 'a' }, { id: 1n, v: 'A' }],
      ['d', { id: 4n, v: 'd' }, null],
      ['r', null, { id: 3n, v: 'C' }],
      ['r', null, { id: 9n, v: 'new' }],
    ]);
  });

  const poll = (records: number): Step => ({ kind: 'poll', records, commits: false });
  const remove = (id: number): Step => ({ kind: 'write', table: 'a', id, v: 0, op: 0 });
  const die: Step = { kind: 'die' };

  test('counts the rows of a table without rowid that were read, and lets others have the thread meanwhile', async () => {
    const checkpoint = { v: 2, seq: '0', capture: 1, after: [{ i: '240000' }] };
    const reader = await openAs(aShop(MANY_ROWS), { checkpoint, clock: systemClock });
    const done: string[] = [];
    setImmediate(() => done.push('others'));

    const { records } = await reader.poll({ ...LIMITS, records: 1 }, NEVER);
    done.push('poll');

    expect(records.map(({ position }) => position)).toEqual([[0n, 4n, 1n, 240_000n]]);
    expect(done).toEqual(['others', 'poll']);
  });

  test('stops counting when its slice ends, and stays where it is', async () => {
    const after = [{ i: '240000' }];
    const checkpoint = { v: 2, seq: '0', capture: 1, after };
    const reader = await openAs(aShop(MANY_ROWS), { checkpoint, clock: systemClock });
    const slice = new AbortController();
    setImmediate(() => slice.abort());

    const polled = await reader.poll(LIMITS, slice.signal);

    expect(polled.records).toEqual([]);
    expect(polled.checkpoint).toMatchObject({ after });
  });

  test('a row that was given and is deleted before anything is committed is deleted in the replica, too', async () => {
    await replicates({ once: true })([poll(1), remove(3), die, poll(1)]);
  });

  test('a row is not taken for another one that an earlier run has given in its place', async () => {
    await replicates({ once: true })([poll(1), remove(3), poll(2), die, poll(1), poll(1), die]);
  });

  test('whatever happens in whatever order, and wherever it dies: published once, a replica ends equal to its source', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), replicates({ once: true })), {
      numRuns: 20,
    });
  }, 60_000);

  test('the same where records are published again after each death', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), replicates({ once: false })), {
      numRuns: 20,
    });
  }, 60_000);
});

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'] as const;

const TABLES = `
  CREATE TABLE a (id INTEGER PRIMARY KEY, v);
  CREATE TABLE b (x TEXT, y INTEGER, v, PRIMARY KEY (x, y)) WITHOUT ROWID;
  CREATE TABLE c (code TEXT PRIMARY KEY, v UNIQUE);
  CREATE TABLE e (x INTEGER PRIMARY KEY, v, w DEFAULT 1, UNIQUE (v, w)) WITHOUT ROWID;
  CREATE TABLE f (k TEXT COLLATE NOCASE, y INTEGER, v, PRIMARY KEY (k, y)) WITHOUT ROWID;
  CREATE TABLE g (id INTEGER PRIMARY KEY, v TEXT);
  CREATE UNIQUE INDEX g_v ON g (v COLLATE NOCASE);
  CREATE TABLE d (v);
`;

type Step =
  | {
      readonly kind: 'write';
      readonly table: (typeof NAMES)[number];
      readonly id: number;
      readonly v: number;
      readonly op: number;
    }
  | { readonly kind: 'poll'; readonly records: number; readonly commits: boolean }
  | { readonly kind: 'die' }
  | { readonly kind: 'widen' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      table: fc.constantFrom(...NAMES),
      id: fc.integer({ min: 1, max: 8 }),
      v: fc.integer({ min: 0, max: 99 }),
      op: fc.integer({ min: 0, max: 3 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('poll' as const), records: fc.integer({ min: 1, max: 5 }), commits: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'die' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'widen' as const }) },
);

function statement({ table, id, v, op }: Step & { readonly kind: 'write' }): string {
  // Of two letters in both cases, for the tables that take these for the same.
  const letter = (n: number): string => 'aAbB'[n % 4] ?? '';
  const key = {
    a: `id = ${id}`,
    b: `x = '${id % 3}' AND y = ${id}`,
    c: `code = 'k${id}'`,
    d: `rowid = ${id}`,
    e: `x = ${id}`,
    f: `k = '${letter(id)}' AND y = ${id % 2}`,
    g: `id = ${id}`,
  }[table];
  const moved = {
    a: `id = ${v + 1}`,
    b: `y = ${v}`,
    c: `code = 'k${v % 9}'`,
    d: `v = ${v}`,
    e: `x = ${v % 12}`,
    f: `k = '${letter(v)}'`,
    g: `id = ${v % 12}`,
  }[table];
  // Few values, so that they often stand in the way of a unique index.
  const few = { a: v, b: v, c: v % 5, d: v, e: v % 5, f: v, g: `'${letter(v)}'` }[table];
  if (op === 0) return `DELETE FROM ${table} WHERE ${key}`;
  if (op === 1) return `UPDATE OR ${v % 2 === 0 ? 'IGNORE' : 'REPLACE'} ${table} SET ${moved} WHERE ${key}`;
  if (op === 2) return `UPDATE OR REPLACE ${table} SET v = ${few} WHERE ${key}`;
  const columns = { a: 'id, v', b: 'x, y, v', c: 'code, v', d: 'rowid, v', e: 'x, v', f: 'k, y, v', g: 'id, v' }[table];
  const values = {
    a: `${id}`,
    b: `'${id % 3}', ${id}`,
    c: `'k${id}'`,
    d: `${id}`,
    e: `${id}`,
    f: `'${letter(id)}', ${id % 2}`,
    g: `${id}`,
  }[table];
  return `INSERT OR ${v % 4 === 0 ? 'IGNORE' : 'REPLACE'} INTO ${table} (${columns}) VALUES (${values}, ${few})`;
}

/** Plays steps against a shop and its source, then compares. `once`: what has been published is not published again. */
function replicates({ once }: { readonly once: boolean }): (steps: readonly Step[]) => Promise<void> {
  return async (steps) => {
    const { database, open } = aShop(TABLES);
    database.exec(
      `INSERT INTO a VALUES (3, 0), (5, 0), (8, 0); INSERT INTO b VALUES ('1', 4, 0), ('2', 2, 0); INSERT INTO d VALUES (1), (2)`,
    );
    const replica = new Map<string, Struct>();
    const published = new Set<string>();
    let committed: Json = null;
    let columns = 0;
    let reader = await open();

    const take = (records: readonly PolledRecord[]): void => {
      for (const [index, record] of records.entries()) {
        const { position = [] } = record;
        expect(comparePositions(records[index - 1]?.position ?? [], position)).toBeLessThan(0);
        if (once && published.has(formatPosition(position))) continue;
        published.add(formatPosition(position));
        apply(replica, record);
      }
    };
    for (const one of steps) {
      if (one.kind === 'write') database.exec(statement(one));
      else if (one.kind === 'widen') database.exec(`ALTER TABLE a ADD COLUMN w${columns++} DEFAULT ${columns}`);
      else if (one.kind === 'die') {
        await reader.close();
        reader = await open(committed);
      } else {
        const { records, checkpoint } = await reader.poll({ ...LIMITS, records: one.records }, NEVER);
        take(records);
        if (one.commits) committed = JSON.parse(JSON.stringify(checkpoint)) as Json;
      }
    }
    take(await drain(reader));
    await reader.close();

    expect(sorted([...replica.values()])).toEqual(sorted(sourceRows(database)));
  };
}

function apply(replica: Map<string, Struct>, { topic, key, value }: PolledRecord): void {
  const id = `${topic} ${printed(key.value)}`;
  const { op, after } = value.value as unknown as Envelope;
  if (op === 'd') replica.delete(id);
  else replica.set(id, { ...after, table: topic });
}

function sourceRows(database: DatabaseSync): Struct[] {
  return NAMES.flatMap((table) => {
    const rows = database.prepare(`SELECT * FROM ${table}`);
    rows.setReadBigInts(true);
    return rows.all().map((row) => ({ ...(row as Struct), table: `shop.${table}` }));
  });
}

function sorted(rows: readonly Struct[]): readonly string[] {
  return rows.map(printed).sort();
}

function printed(value: Value): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? `${item}n` : item));
}

describe('the change log of a database', () => {
  test('loses what a checkpoint covers, but for the last ten thousand', async () => {
    const { database, open, path } = await aReadShop(ORDERS);
    database.exec(
      `WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 17000) INSERT INTO orders SELECT i, 'v' FROM n`,
    );

    const reader = await open({ v: 2, seq: '16000', capture: 2 });
    const records = await drain(reader);

    const log = new DatabaseSync(path);
    onTestFinished(() => log.close());
    const [kept] = log.prepare('SELECT min(seq) AS first, max(seq) AS last FROM "_sortie_changes:orders:uid"').all();
    expect(records).toHaveLength(1_000);
    expect({ ...kept }).toEqual({ first: 5_001, last: 17_000 });
  });

  test('loses what a reader gave long ago that is polled all the time', async () => {
    const { database, path } = aShop(ORDERS);
    const clock = new ManualClock();
    const config = sqliteCdcSource.config.parse({ 'connection.url': `sqlite:${path}`, 'topic.prefix': 'shop' });
    const reader = await sqliteCdcSource.open(config, ['database'], null, aPluginContext({ clock }));
    onTestFinished(() => reader.close());
    database.exec(
      `WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 16000) INSERT INTO orders SELECT i, 'v' FROM n`,
    );
    const first = () => database.prepare('SELECT min(seq) AS first FROM "_sortie_changes:orders:uid"').get()?.['first'];

    await drain(reader);
    clock.advance(600_000);
    await drain(reader);
    const kept = first();
    clock.advance(600_000);
    await drain(reader);

    expect([kept, first()]).toEqual([1, 5_001]);
  });

  test('fails rather than leave out what is not in it any more', async () => {
    const { database, path, open } = await aReadShop(ORDERS);
    const copy = `${path}.copy`;
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    copyFileSync(path, copy);
    database.exec(`INSERT INTO orders VALUES (1, 'a'), (2, 'b')`);
    database.exec('DELETE FROM "_sortie_changes:orders:uid" WHERE seq = 1');

    const behind = await open({ v: 2, seq: '0', capture: 2 });
    const ahead = await open({ v: 2, seq: '3', capture: 2 });

    const fatal = expect.objectContaining({
      name: 'FatalTaskError',
      message: expect.stringMatching(/next: reset the offsets/) as unknown,
    });
    await expect(behind.poll(LIMITS, NEVER)).rejects.toEqual(fatal);
    await expect(ahead.poll(LIMITS, NEVER)).rejects.toEqual(fatal);
  });

  test('refuses a missing file, a foreign checkpoint and a file that is no database, each with the next step', async () => {
    const { open, path } = aShop(ORDERS);
    const fatal = (text: string) =>
      expect.objectContaining({
        name: 'FatalTaskError',
        message: expect.stringMatching(new RegExp(`${text}.*next: `)) as unknown,
      });

    await expect(open(null, { 'connection.url': `sqlite:${path}.missing` })).rejects.toEqual(fatal('there is no database'));
    await expect(open({ file: 'binlog.7' })).rejects.toEqual(fatal('not a checkpoint'));
    await expect(open(null, { 'connection.url': `sqlite:${import.meta.filename}` })).rejects.toEqual(fatal('no SQLite database'));
  });

  test('refuses what a newer version has made, and makes anew what somebody has dropped', async () => {
    const { database, open } = await aReadShop(ORDERS);
    database.exec('UPDATE _sortie_schema SET version = 99');
    const newer = open();
    await expect(newer).rejects.toMatchObject({ name: 'FatalTaskError', message: expect.stringContaining('schema 99') });
    database.exec(
      'UPDATE _sortie_schema SET version = 1; DROP TRIGGER "_sortie_orders:uid:1:after insert"; INSERT INTO orders VALUES (1, 0)',
    );

    expect((await drain(await open({ v: 2, seq: '0', capture: 2 }))).map((record) => envelope(record).op)).toEqual(['r']);
  });

  test('says that it may be tried again while the application holds the database', async () => {
    const { database, open } = aShop(ORDERS);
    database.exec('PRAGMA journal_mode = WAL; BEGIN IMMEDIATE');

    await expect(open()).rejects.toMatchObject({ name: 'RetryableError', code: 'source.unavailable' });

    database.exec('ROLLBACK');
  });
});

/** The blocks of SQL on a page. */
function sqlOf(page: string): readonly string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  return [...text.matchAll(/```sql\n([^`]*)```/g)].map(([, sql = '']) => sql);
}

describe('the configuration of sqlite-cdc-source', () => {
  test.each([
    ['connection.url', { 'connection.url': '/shop.db' }],
    ['table.include.list', { 'table.include.list': 'a,(b' }],
    ['table.exclude.list', { 'table.include.list': 'a', 'table.exclude.list': 'b' }],
    ['poll.interval.ms', { 'poll.interval.ms': '0' }],
  ])('names %s in %j', (key, config) => {
    const { error } = sqliteCdcSource.config.safeParse({
      'connection.url': 'sqlite:/shop.db',
      'topic.prefix': 'shop',
      ...config,
    });

    expect(error?.issues.map(({ path }) => path.join('.'))).toEqual([key]);
  });
});
