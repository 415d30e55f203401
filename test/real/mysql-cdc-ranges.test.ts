/** Tables that are read by several shards at once. */
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../adapters/system.ts';
import type { Json } from '../../core/json.ts';
import { formatPosition } from '../../core/record/position.ts';
import type { Struct } from '../../core/record/schema.ts';
import { shardId } from '../../core/shard-id.ts';
import type { FoundShard } from '../../plugins/api/context.ts';
import type { PolledRecord, PollResult, SourceReader, SourceShard } from '../../plugins/api/source.ts';
import { mysqlCdcSource } from '../../plugins/sources/mysql-cdc-source.ts';
import { type TestDatabase, withDatabases } from '../support/databases.ts';
import { type CdcKeys, cdcConfig, drain, pollOnce, recordsIn } from '../support/mysql-cdc.ts';
import { aPluginContext } from '../support/plugin-context.ts';

const TIMEOUT_MS = 120_000;
const LARGE_ROWS = 131_072;
const IN_TWO: CdcKeys = { 'snapshot.max.threads': '2', 'output.format': 'flat', 'database.include.list': 'wide' };
const QUICK = { sync_binlog: '0', innodb_flush_log_at_trx_commit: '0' };

withDatabases('ranges of mysql-cdc-source', { settings: QUICK }, (database) => {
  const { run } = database;

  test('hold every row once, and with the changes behind them what the tables have', { timeout: TIMEOUT_MS }, async () => {
    await fill(database);
    const shards = new Shards(database, IN_TWO);
    await shards.discover();
    const ranges = shards.ranges();
    expect(ranges.map((names) => names.slice(1, 4))).toEqual([
      ['wide', 'codes'],
      ['wide', 'large', 'id'],
      ['wide', 'large', 'id'],
    ]);

    const records: PolledRecord[] = [];
    for (const names of ranges) {
      await run('UPDATE wide.large SET v = v + 1 WHERE id % 1000 = 7', 'DELETE FROM wide.codes LIMIT 1');
      records.push(...recordsIn(await shards.read(names)));
      await run('DELETE FROM wide.large ORDER BY id DESC LIMIT 10', "INSERT INTO wide.codes VALUES (UUID(), 'new')");
    }
    const read = records.filter(({ value }) => (value.value as Struct)['__op'] === 'r');
    expect(read).toHaveLength(records.length);
    expect(new Set(read.map(placeOf)).size).toBe(read.length);
    expect(await shards.poll(['binlog'])).toMatchObject({ records: [], idleForMs: 1_000 });
    await shards.read(['snapshot']);
    expect(await shards.poll(['binlog'])).toMatchObject({ records: [], checkpoint: { waits: 'toBegin' } });
    records.push(...recordsIn(await shards.read(['binlog'])));

    expect(await differences(records, database, 'large')).toEqual([]);
    expect(await differences(records, database, 'codes')).toEqual([]);
    // Between the changes, as nothing tells where it could be divided, or read on.
    expect(records.filter(({ topic }) => topic === 'test.wide.nokey').map(({ value }) => (value.value as Struct)['v'])).toEqual([
      1, 1, 2,
    ]);
  });

  test('go on where they were read to, with the same positions', { timeout: TIMEOUT_MS }, async () => {
    await fill(database);
    const shards = new Shards(database, IN_TWO);
    await shards.discover();
    const [, names = []] = shards.ranges();

    const first = await shards.poll(names);
    const again = await shards.read(names);

    const whole = await new Shards(database, IN_TWO).discovered().then((fresh) => fresh.read(names));
    const places = [first, ...again].flatMap(({ records }) => records.map(placeOf));
    expect(places.length).toBeGreaterThan(LARGE_ROWS / 4);
    expect(places.join('\n') === recordsIn(whole).map(placeOf).join('\n')).toBe(true);
  });

  test('are completed by the next discovery where one died, from where changes will be given', {
    timeout: TIMEOUT_MS,
  }, async () => {
    await fill(database);
    const shards = new Shards(database, IN_TWO);
    const all = await shards.list();
    const before = all.slice(0, 3);
    shards.make(before);
    await run("INSERT INTO wide.codes VALUES ('later', 'x')", 'DELETE FROM wide.large WHERE id > 100');

    await shards.discover();

    expect(shards.ranges()).toEqual(all.filter(({ names }) => names.length > 1).map(({ names }) => names));
    expect(shards.of(['binlog'])?.checkpoint).toEqual(before[0]?.checkpoint);
  });

  test('are nothing to shards that are reset: rows are read between changes then', { timeout: TIMEOUT_MS }, async () => {
    await fill(database);
    const shards = new Shards(database, IN_TWO);
    await shards.discover();
    shards.reset();
    await shards.discover();

    for (const names of shards.ranges()) expect(await shards.poll(names)).toMatchObject({ records: [], finished: true });
    const read = recordsIn(await shards.read(['binlog']));

    expect(await differences(read, database, 'large')).toEqual([]);
  });

  test('are as many as tables, where those are many', { timeout: TIMEOUT_MS }, async () => {
    await run('DROP DATABASE IF EXISTS wide', 'CREATE DATABASE wide');
    for (let table = 0; table < 50; table += 1) await run(`CREATE TABLE wide.t${table} (id INT PRIMARY KEY)`);
    const shards = await new Shards(database, IN_TWO).discovered();

    for (const names of shards.ranges()) await shards.read(names);

    expect(shards.ranges()).toHaveLength(50);
  });
});

/** What a runtime keeps of shards. */
class Shards {
  readonly #database: TestDatabase;
  readonly #keys: CdcKeys;
  readonly #found = new Map<string, FoundShard>();
  readonly #uid = `uid-${process.pid}-${performance.now()}`;

  constructor(database: TestDatabase, keys: CdcKeys) {
    this.#database = database;
    this.#keys = keys;
  }

  list(): Promise<readonly SourceShard[]> {
    return mysqlCdcSource.discover(cdcConfig(this.#database, this.#keys), this.#context(['discovery']));
  }

  make(shards: readonly SourceShard[]): void {
    for (const { names, checkpoint = null } of shards) {
      const id = JSON.stringify(names);
      if (!this.#found.has(id)) this.#found.set(id, { names, checkpoint, isDone: false });
    }
  }

  async discover(): Promise<void> {
    this.make(await this.list());
  }

  async discovered(): Promise<this> {
    await this.discover();
    return this;
  }

  ranges(): readonly (readonly string[])[] {
    return [...this.#found.values()].map(({ names }) => names).filter(({ length }) => length > 1);
  }

  of(names: readonly string[]): FoundShard | undefined {
    return this.#found.get(JSON.stringify(names));
  }

  reset(): void {
    for (const [id, shard] of this.#found) this.#found.set(id, { ...shard, checkpoint: null, isDone: false });
  }

  /** By a reader of its own. */
  async poll(names: readonly string[]): Promise<PollResult> {
    const reader = await this.#open(names);
    const polled = await pollOnce(reader);
    await reader.close();
    this.#note(names, polled);
    return polled;
  }

  /** To its end. */
  async read(names: readonly string[]): Promise<readonly PollResult[]> {
    const reader = await this.#open(names);
    if (names[0] === 'binlog') return drain(reader);
    const polled: PollResult[] = [];
    do {
      polled.push(await pollOnce(reader));
    } while (polled.at(-1)?.finished !== true);
    this.#note(names, polled.at(-1) as PollResult);
    return polled;
  }

  async #open(names: readonly string[]): Promise<SourceReader> {
    const checkpoint: Json = this.of(names)?.checkpoint ?? null;
    const config = cdcConfig(this.#database, this.#keys);
    const reader = await mysqlCdcSource.open(config, names, checkpoint, this.#context(['source', ...names]));
    onTestFinished(() => reader.close());
    return reader;
  }

  #note(names: readonly string[], { checkpoint, finished = false }: PollResult): void {
    this.#found.set(JSON.stringify(names), { names, checkpoint, isDone: finished });
  }

  #context(parts: readonly string[]) {
    return aPluginContext({
      clock: systemClock,
      shard: shardId(this.#uid, parts),
      shards: async () => [...this.#found.values()],
    });
  }
}

async function fill({ run }: TestDatabase): Promise<void> {
  await run(
    'DROP DATABASE IF EXISTS wide',
    'CREATE DATABASE wide',
    'CREATE TABLE wide.large (id BIGINT AUTO_INCREMENT PRIMARY KEY, v INT)',
    'CREATE TABLE wide.codes (id VARCHAR(40) PRIMARY KEY, v VARCHAR(10))',
    'CREATE TABLE wide.nokey (v INT)',
    'INSERT INTO wide.nokey VALUES (1), (1), (2)',
    "INSERT INTO wide.codes VALUES ('a', 'x'), ('b', 'y'), ('c', 'z'), ('d', 'z'), ('e', 'z')",
    'INSERT INTO wide.large (v) VALUES (0), (1)',
  );
  for (let rows = 2; rows < LARGE_ROWS; rows *= 2) await run('INSERT INTO wide.large (v) SELECT v FROM wide.large');
  await run('ANALYZE TABLE wide.large');
}

/** The first few: of many, a comparison would never end. */
async function differences(
  records: readonly PolledRecord[],
  { run }: TestDatabase,
  table: string,
): Promise<readonly (readonly string[])[]> {
  const given = folded(records, table);
  const rows = new Set((await run(`SELECT id, v FROM wide.${table}`)).map(([id, v]) => `${id} ${v}`));
  const found = new Set(given);
  const different = [given.filter((row) => !rows.has(row)), [...rows].filter((row) => !found.has(row))];
  return different.some(({ length }) => length > 0) ? different.map((some) => some.slice(0, 5)) : [];
}

function folded(records: readonly PolledRecord[], table: string): readonly string[] {
  const rows = new Map<string, string>();
  for (const { value } of records) {
    const { __table: of, __deleted: isDeleted, id, v } = value.value as Struct;
    if (of !== table) continue;
    if (isDeleted === 'true') rows.delete(String(id));
    else rows.set(String(id), `${String(id)} ${String(v)}`);
  }
  return [...rows.values()];
}

function placeOf({ topic, position }: PolledRecord): string {
  return `${topic} ${formatPosition(position ?? [])}`;
}
