/** How many connections a server sees of `mysql-cdc-source`, and that none is left behind. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { childrenOf, signal } from '../../demo/processes.ts';
import { type TestDatabase, withDatabases } from '../support/databases.ts';
import { aSortieProcess, putConnector, type SortieProcess } from '../support/sortie-process.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const TIMEOUT_MS = 120_000;
const PATIENCE = { timeout: 30_000, interval: 50 };

const USER = 'counted';
/** Some chunks' worth. */
const ROWS = 6_000;
const PAD_BYTES = 4_000;

/** One that follows the log, one that reads rows, and now and then one that looks whether all is well. */
const CONNECTIONS_MAX = 3;

withDatabases('connections of mysql-cdc-source', { isLong: true }, (database) => {
  test('are as few as agreed, and none is left behind by a stop, a kill or a deletion', { timeout: TIMEOUT_MS }, async () => {
    await fill(database);
    const sortie = await aSortieProcess(aTemporaryFolder(), { invoker: 'processes' });
    const counts = new Counts(database);
    const counting = counts.run();

    await putConnector(sortie, 'shop', config(database));
    await expect.poll(() => checkpointOf(sortie), PATIENCE).toMatch(/"rows":6000(?!.*"snapshot")/);
    await database.run('INSERT INTO counted.t VALUES (-1, NULL)');
    await expect.poll(() => counts.now(), PATIENCE).toBe(1);
    for (const host of childrenOf(sortie.child.pid ?? 0)) signal(host, 'SIGKILL');
    // Whoever comes next pushes out what the server still takes for a reader.
    await database.run('INSERT INTO counted.t VALUES (-2, NULL)');
    await expect.poll(() => counts.now(), PATIENCE).toBe(1);
    await act(sortie, 'PUT', '/stop');
    await expect.poll(() => counts.now(), PATIENCE).toBe(0);
    await act(sortie, 'PUT', '/resume');
    await expect.poll(() => counts.now(), PATIENCE).toBe(1);
    await act(sortie, 'DELETE', '');
    await expect.poll(() => counts.now(), PATIENCE).toBe(0);

    counts.stop();
    await counting;
    expect(counts.most).toBeGreaterThanOrEqual(2);
    expect(counts.most).toBeLessThanOrEqual(CONNECTIONS_MAX);
  });
});

/** Of the user, again and again. */
class Counts {
  most = 0;
  readonly #database: TestDatabase;
  #isOver = false;

  constructor(database: TestDatabase) {
    this.#database = database;
  }

  async run(): Promise<void> {
    for (; !this.#isOver; await sleep(5)) this.most = Math.max(this.most, await this.now());
  }

  async now(): Promise<number> {
    return (await this.#database.run('SHOW PROCESSLIST')).filter(([, user]) => user === USER).length;
  }

  stop(): void {
    this.#isOver = true;
  }
}

async function fill({ run }: TestDatabase): Promise<void> {
  await run(
    'CREATE DATABASE counted',
    'CREATE TABLE counted.t (id INT PRIMARY KEY, pad TEXT)',
    `CREATE USER ${USER}@'%'`,
    `GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO ${USER}@'%'`,
    `GRANT SELECT ON counted.* TO ${USER}@'%'`,
    `INSERT INTO counted.t VALUES ${Array.from({ length: ROWS }, (_, id) => `(${id}, REPEAT('x', ${PAD_BYTES}))`).join(', ')}`,
    'ANALYZE TABLE counted.t',
  );
}

function config({ server }: TestDatabase) {
  return {
    'connector.class': 'mysql-cdc-source',
    'database.hostname': '127.0.0.1',
    'database.port': String(server().port),
    'database.user': USER,
    'database.include.list': 'counted',
    'topic.prefix': 'counted',
  };
}

async function checkpointOf({ url }: SortieProcess): Promise<string> {
  return (await fetch(`${url}/connectors/shop/offsets`)).text();
}

async function act({ url }: SortieProcess, method: 'PUT' | 'DELETE', path: string): Promise<void> {
  const { status } = await fetch(`${url}/connectors/shop${path}`, { method });
  expect(status).toBeLessThan(300);
}
