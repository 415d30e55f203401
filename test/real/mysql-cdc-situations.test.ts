/** What operators see of `mysql-cdc-source` when something is wrong with its server, and how they mend it: through the whole runtime. */
import { expect, test } from 'vitest';
import { withDatabases } from '../support/databases.ts';
import { aSortieProcess, putConnector, type SortieProcess } from '../support/sortie-process.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const TIMEOUT_MS = 120_000;
const PATIENCE = { timeout: 45_000, interval: 100 };

/** More than the log takes, which is 4 MB. */
const LARGE_BYTES = 40 * 1024 * 1024;

withDatabases('mysql-cdc-source', { settings: { 'max-allowed-packet': '128M' }, isLong: true }, ({ run, isMariadb, server }) => {
  /** A table with one row, and a connector that has read it. */
  async function aShop(name: string, config: Readonly<Record<string, string>> = {}): Promise<SortieProcess> {
    await run('DROP DATABASE IF EXISTS shop', 'CREATE DATABASE shop', 'CREATE TABLE shop.t (id INT PRIMARY KEY, v LONGTEXT)');
    await run("INSERT INTO shop.t VALUES (1, 'a')");
    const sortie = await aSortieProcess(aTemporaryFolder(), { invoker: 'processes' });
    await putConnector(sortie, name, {
      'connector.class': 'mysql-cdc-source',
      'database.hostname': '127.0.0.1',
      'database.port': String(server().port),
      'database.user': 'root',
      'database.include.list': 'shop',
      'topic.prefix': name,
      'auto.restart.max.attempts': '0',
      ...config,
    });
    return sortie;
  }

  const isRead = (sortie: SortieProcess, name: string, rows = 1): Promise<void> =>
    expect.poll(() => get(sortie, name, 'offsets'), PATIENCE).toMatch(new RegExp(`"rows":${rows}(?!.*"snapshot")`));

  test('fails where the log does not reach back any more, and says what to do', { timeout: TIMEOUT_MS }, async () => {
    const sortie = await aShop('purged');
    await isRead(sortie, 'purged');
    await act(sortie, 'purged', 'stop');
    const readers = async () => (await run('SHOW PROCESSLIST')).filter((row) => row.join().includes('Binlog Dump'));
    await expect.poll(readers, PATIENCE).toEqual([]);
    await run("INSERT INTO shop.t VALUES (2, 'b')", 'FLUSH BINARY LOGS');
    const [[file] = []] = await run(isMariadb ? 'SHOW MASTER STATUS' : 'SHOW BINARY LOG STATUS');
    const filesLeft = async () => (await run(`PURGE BINARY LOGS TO '${file}'`, 'SHOW BINARY LOGS')).length;
    await expect.poll(filesLeft, PATIENCE).toBe(1);

    await act(sortie, 'purged', 'resume');

    await expect.poll(() => get(sortie, 'purged', 'status'), PATIENCE).toMatch(/"FAILED".*source\.log_lost/);
    expect(await runsOf(sortie, 'purged')).toMatch(/next: reset the offsets of the connector/);
  });

  test('fails where a session logs its changes without some of their columns, and loses nothing silently', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const sortie = await aShop('minimal');
    await isRead(sortie, 'minimal');

    await run('SET binlog_row_image = MINIMAL', "UPDATE shop.t SET v = 'b'");

    await expect.poll(() => get(sortie, 'minimal', 'status'), PATIENCE).toMatch(/"FAILED".*source\.unreadable/);
    expect(await runsOf(sortie, 'minimal')).toMatch(/shop\.t was logged without some of its columns; next: .*binlog_row_image/);
  });

  test('fails where its user may not do what it must, and says what to grant', { timeout: TIMEOUT_MS }, async () => {
    await run("CREATE USER IF NOT EXISTS nobody@'%'");
    const sortie = await aShop('ungranted', { 'database.user': 'nobody' });

    await expect
      .poll(() => runsOf(sortie, 'ungranted'), PATIENCE)
      .toMatch(/next: GRANT REPLICATION SLAVE, .* ON \*\.\* TO 'nobody'@'%'/);
    await expect.poll(() => runsOf(sortie, 'ungranted'), PATIENCE).toMatch(/next: GRANT SELECT ON \*\.\* TO 'nobody'@'%'/);
  });

  test('fails at a row of 40 MB, which no log takes, and says which', { timeout: TIMEOUT_MS }, async () => {
    const sortie = await aShop('large');
    await isRead(sortie, 'large');

    await run(`INSERT INTO shop.t VALUES (2, REPEAT('x', ${LARGE_BYTES}))`, "INSERT INTO shop.t VALUES (3, 'c')");

    await expect.poll(() => get(sortie, 'large', 'status'), PATIENCE).toMatch(/"FAILED"/);
    expect(await runsOf(sortie, 'large')).toMatch(/record\.too_large.*takes at most 4194304","position":"[\d.]+"/);
  });

  test('drops such a row where it is told to, says so, and goes on', { timeout: TIMEOUT_MS }, async () => {
    const sortie = await aShop('dropping', { 'errors.tolerance': 'all' });
    await isRead(sortie, 'dropping');

    await run(`INSERT INTO shop.t VALUES (2, REPEAT('x', ${LARGE_BYTES}))`, "INSERT INTO shop.t VALUES (3, 'c')");

    await expect.poll(() => countsOf(sortie, 'dropping'), PATIENCE).toEqual({ delivered: 2, dropped: 1 });
    expect(await get(sortie, 'dropping', 'status')).not.toContain('FAILED');
  });

  test('reads a table again that an operator names', { timeout: TIMEOUT_MS }, async () => {
    const sortie = await aShop('again');
    await isRead(sortie, 'again');
    await act(sortie, 'again', 'stop');
    const { offsets } = JSON.parse(await get(sortie, 'again', 'offsets')) as Offsets;
    const [{ partition, offset }] = offsets;

    const named = { offsets: [{ partition, offset: { checkpoint: { ...offset.checkpoint, again: ['shop.t'] } } }] };
    await expect.poll(async () => (await send(sortie, 'PATCH', '/again/offsets', named)).status, PATIENCE).toBe(200);
    await act(sortie, 'again', 'resume');

    await isRead(sortie, 'again', 2);
  });
});

interface Offsets {
  readonly offsets: readonly [{ readonly partition: unknown; readonly offset: { readonly checkpoint: object } }];
}

async function get({ url }: SortieProcess, name: string, what: 'status' | 'offsets'): Promise<string> {
  return (await fetch(`${url}/connectors/${name}/${what}`)).text();
}

/** What went wrong, in its own words. */
async function runsOf({ url }: SortieProcess, name: string): Promise<string> {
  return (await fetch(`${url}/sortie/v1/connectors/${name}/runs?limit=20`)).text();
}

async function countsOf(sortie: SortieProcess, name: string) {
  const { runs } = JSON.parse(await runsOf(sortie, name)) as Runs;
  const sum = (what: 'delivered' | 'dropped'): number => runs.reduce((total, { counts }) => total + counts[what], 0);
  return { delivered: sum('delivered'), dropped: sum('dropped') };
}

interface Runs {
  readonly runs: readonly { readonly counts: { readonly delivered: number; readonly dropped: number } }[];
}

async function act(sortie: SortieProcess, name: string, verb: 'stop' | 'resume'): Promise<void> {
  expect((await send(sortie, 'PUT', `/${name}/${verb}`)).status).toBeLessThan(300);
}

function send({ url }: SortieProcess, method: 'PUT' | 'PATCH', path: string, body?: unknown): Promise<Response> {
  const json = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  return fetch(`${url}/connectors${path}`, { method, ...json });
}
