/** A database, its changes in topics, and another database that follows: through the whole engine, by invocations. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MemoryLogBroker } from '../../adapters/memory/memory-log-broker.ts';
import type { Connector } from '../../core/connector.ts';
import type { LogBroker } from '../../core/ports.ts';
import { queueShardId, type ShardId, sourceShardId } from '../../core/shard-id.ts';
import { runInvocation } from '../../functions/run-invocation.ts';
import { createConnector } from '../../scheduler/connector-actions.ts';
// Time is virtual and passes while nothing else is left to run, so nothing may be loaded from disk meanwhile.
import '../../plugins/sinks/sql/sql-writer.ts';
import '../../plugins/sources/sqlite-cdc/cdc-reader.ts';
import { brokerUnavailable, brokerWith } from '../support/faulty-ports.ts';
import { aHost, anOffer, anotherHost, type TestHost } from '../support/hosts.ts';
import { RunningClock } from '../support/running-clock.ts';
import { rowsIn } from '../support/sql-target.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const SCHEMA = `
  PRAGMA synchronous = OFF;
  CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, balance REAL, photo BLOB);
  CREATE TABLE items (order_id INTEGER, line INTEGER, price NUMERIC, PRIMARY KEY (order_id, line)) WITHOUT ROWID;
  CREATE TABLE "odd ""names" (code TEXT PRIMARY KEY, "select" BIGINT, ok BOOLEAN);
  INSERT INTO customers VALUES (1, 'Ada', 0.1, x'00'), (2, 'Grace', -1e300, NULL);
  INSERT INTO items VALUES (1, 1, 10), (1, 2, 2.5);
`;
const TABLES = ['customers', 'items', 'odd "names'];

const JSON_CONVERTERS = { 'key.converter': 'json', 'value.converter': 'json' };

/** What happens next, by numbers that a step reads as it likes. */
interface Step {
  readonly kind: 'change' | 'source' | 'sink' | 'new host' | 'lose a reply' | 'column';
  readonly a: number;
  readonly b: number;
}

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    kind: fc.constantFrom<Step['kind'][]>(
      ...([
        'change',
        'change',
        'change',
        'change',
        'change',
        'source',
        'source',
        'sink',
        'sink',
        'new host',
        'lose a reply',
        'column',
      ] as const),
    ),
    a: fc.integer({ min: 0, max: 9 }),
    b: fc.integer({ min: 0, max: 999 }),
  }),
  { minLength: 10, maxLength: 60 },
);

function statement({ a, b }: Step): string {
  const big = 9_007_199_254_740_993n + BigInt(b);
  const all = [
    `INSERT OR REPLACE INTO customers (id, name, balance, photo) VALUES (${b % 7}, 'n${b}', ${b / 7}, x'00${String(b).padStart(4, '0')}ff')`,
    `UPDATE OR IGNORE customers SET id = ${b % 11} WHERE id = ${b % 7}`,
    `UPDATE customers SET balance = balance / 3, name = 'größe 🚀 ' || name WHERE id = ${b % 7}`,
    `DELETE FROM customers WHERE id = ${b % 7}`,
    `INSERT INTO items (order_id, line, price) VALUES (${b % 3}, ${b % 4}, ${b}) ON CONFLICT DO UPDATE SET price = price + 0.25`,
    `DELETE FROM items WHERE order_id = ${b % 3}`,
    `INSERT OR REPLACE INTO "odd ""names" (code, "select", ok) VALUES ('c${b % 5}', ${big}, ${b % 2})`,
    `UPDATE OR IGNORE "odd ""names" SET code = 'c${b % 6}' WHERE code = 'c${b % 5}'`,
    `BEGIN; DELETE FROM customers; UPDATE items SET price = 0; ROLLBACK`,
    `DELETE FROM "odd ""names"`,
  ];
  return all[a] ?? '';
}

/** Source and sink over one log, as an operator set them up. */
async function aPipeline(source: string, target: string) {
  const clock = new RunningClock();
  const log = new MemoryLogBroker({ clock });
  const lost = { replies: 0 };
  const broker: LogBroker = brokerWith(log, {
    send: async (...batch) => {
      const sent = await log.send(...batch);
      if (lost.replies === 0) return sent;
      lost.replies -= 1;
      throw brokerUnavailable();
    },
  });
  let host: TestHost = aHost({ clock, broker });
  const cdc = await createConnector(host, {
    name: 'shop-cdc',
    config: {
      'connector.class': 'sqlite-cdc-source',
      'connection.url': `sqlite:${source}`,
      'topic.prefix': 'shop',
      'tombstones.on.delete': 'true',
      'topic.creation.default.partitions': '2',
      ...JSON_CONVERTERS,
    },
  });
  const replica = await createConnector(host, {
    name: 'shop-replica',
    config: {
      'connector.class': 'sql-sink',
      topics: 'shop.customers,shop.items,shop.odd__names',
      'connection.url': `sqlite:${target}`,
      'table.name.format': '${source.table}',
      'insert.mode': 'upsert',
      'pk.mode': 'record_key',
      'delete.enabled': 'true',
      'auto.create': 'true',
      'auto.evolve': 'true',
      ...JSON_CONVERTERS,
    },
  });

  /** Whether nothing is left to do for now; what fails comes again after its back-off. */
  async function run(connector: Connector, shard: ShardId): Promise<boolean> {
    const { run: record, notBeforeMs } = await runInvocation(host, anOffer(connector, shard, { slice: { records: 7 } }), {
      limitMs: 60_000,
    });
    if (record.outcome === 'failed' && record.error?.code !== 'broker.unavailable') throw new Error(record.error?.message);
    if (typeof notBeforeMs === 'number') await clock.sleep(notBeforeMs - clock.nowMs());
    return record.counts.read === 0 && record.outcome !== 'failed' && typeof notBeforeMs !== 'number';
  }

  async function sinkShards(): Promise<ShardId[]> {
    const topics = await broker.topics();
    const queues = await Promise.all(topics.map((topic) => broker.queues(topic)));
    return queues.flat().map((queue) => queueShardId(replica.uid, queue));
  }

  return {
    loseReply: () => {
      lost.replies += 1;
    },
    newHost: () => {
      host = anotherHost(host);
    },
    runSource: () => run(cdc, sourceShardId(cdc.uid, ['database'])),
    runSink: async (index: number) => {
      const shards = await sinkShards();
      const shard = shards[index % Math.max(1, shards.length)];
      return shard === undefined || run(replica, shard);
    },
    sinkShards,
  };
}

async function untilDone(what: () => Promise<boolean>): Promise<void> {
  for (let runs = 0; runs < 500; runs += 1) if (await what()) return;
  throw new Error('never done');
}

describe('sqlite-cdc-source and sql-sink', () => {
  test('whatever changes while invocations come, fail and die, the replica ends equal to its source, row by row', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const folder = aTemporaryFolder();
        const [source, target] = [join(folder, 'shop.db'), join(folder, 'replica.db')];
        const database = new DatabaseSync(source);
        onTestFinished(() => (database.isOpen ? database.close() : undefined));
        database.exec(SCHEMA);
        const pipeline = await aPipeline(source, target);
        let columns = 0;

        for (const step of all) {
          if (step.kind === 'change') database.exec(statement(step));
          else if (step.kind === 'column') database.exec(`ALTER TABLE items ADD COLUMN c${columns++} DEFAULT 'd${step.b}'`);
          else if (step.kind === 'source') await pipeline.runSource();
          else if (step.kind === 'sink') await pipeline.runSink(step.b);
          else if (step.kind === 'new host') pipeline.newHost();
          else pipeline.loseReply();
        }
        await untilDone(() => pipeline.runSource());
        for (const [index] of (await pipeline.sinkShards()).entries()) await untilDone(() => pipeline.runSink(index));

        for (const table of TABLES) {
          const names = database.prepare('SELECT name FROM pragma_table_info(?)').all(table);
          // A column that no row has ever had is not in the replica.
          const list = rowsIn(source, table).length === 0 ? '1' : names.map(({ name }) => `"${String(name)}"`).join(', ');
          expect(cells(rowsIn(target, table, list))).toEqual(cells(rowsIn(source, table, list)));
        }
        database.close();
      }),
      { numRuns: 15 },
    );
  }, 120_000);
});

describe('sqlite-cdc-source with sql-sink as its own', () => {
  test('the replica follows without a log between', async () => {
    const folder = aTemporaryFolder();
    const [source, target] = [join(folder, 'shop.db'), join(folder, 'replica.db')];
    const database = new DatabaseSync(source);
    onTestFinished(() => database.close());
    database.exec(SCHEMA);
    const host = aHost();
    const connector = await createConnector(host, {
      name: 'shop-copy',
      config: {
        'connector.class': 'sqlite-cdc-source',
        'connection.url': `sqlite:${source}`,
        'topic.prefix': 'shop',
        'sink.connector.class': 'sql-sink',
        'sink.connection.url': `sqlite:${target}`,
        'sink.table.name.format': '${source.table}',
        'sink.insert.mode': 'upsert',
        'sink.pk.mode': 'record_key',
        'sink.delete.enabled': 'true',
        'sink.auto.create': 'true',
      },
    });
    const shard = sourceShardId(connector.uid, ['database']);
    const run = async () => {
      const { run: record, notBeforeMs } = await runInvocation(host, anOffer(connector, shard), { limitMs: 60_000 });
      if (typeof notBeforeMs === 'number') await host.clock.sleep(notBeforeMs - host.clock.nowMs());
      return record.outcome === 'drained' && record.counts.read === 0;
    };

    await untilDone(run);
    database.exec(
      `UPDATE customers SET id = 7 WHERE id = 1; DELETE FROM items WHERE line = 1; INSERT INTO "odd ""names" VALUES ('a', 1, 1)`,
    );
    await untilDone(run);

    for (const table of TABLES) expect(cells(rowsIn(target, table))).toEqual(cells(rowsIn(source, table)));
  });
});

/** Rows as texts, in an order of their own. A whole number is the same, whichever of its types a column keeps. */
function cells(rows: ReturnType<typeof rowsIn>): readonly string[] {
  return rows
    .map((row) => row.map((cell) => (cell instanceof Uint8Array ? Buffer.from(cell).toString('hex') : String(cell))).join(' | '))
    .sort();
}
