/** `sortie start` where it cannot: one line that names the path or the port and the next step, and exit code 3. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDataFolder } from '../../adapters/data-folder.ts';
import { MemoryTelemetry } from '../../adapters/memory/memory-telemetry.ts';
import { systemClock, systemRandom } from '../../adapters/system.ts';
import { RequestCode } from '../../clients/rocketmq/codes.ts';
import { deadAddress, type RemotingAnswer, RemotingServer } from '../support/remoting-server.ts';
import { aReadOnlyFolder, aTemporaryFolder } from '../support/temporary-folder.ts';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

const DATABASES = ['state.db', join('log', 'log.db')];

const TIMEOUT_MS = 60_000;

describe('sortie start', { timeout: TIMEOUT_MS }, () => {
  test('refuses a port that is in use, and makes nothing', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const data = join(aTemporaryFolder(), 'data');

    const refusal = await start(data, { port });

    expect(refusal).toEqual(refused(`port ${port} of 127.0.0.1 is in use`, '--port'));
    expect(existsSync(data)).toBe(false);
  });

  test('refuses a file, and a folder below a file', async () => {
    const file = join(aTemporaryFolder(), 'file');
    writeFileSync(file, '');

    const refusals = [await start(file), await start(join(file, 'data'))];

    expect(refusals).toEqual([refused(file, '--data'), refused(join(file, 'data'), '--data')]);
  });

  test.runIf(process.platform === 'linux')('refuses a folder below /proc, where nothing can be made', async () => {
    const refusal = await start('/proc/sortie');

    expect(refusal).toEqual(refused('/proc/sortie', '--data'));
  });

  test('refuses a folder that it may not make', async () => {
    const data = join(aReadOnlyFolder(), 'data');

    const refusal = await start(data, { through: WITHOUT_PRIVILEGES });

    expect(refusal).toEqual(refused(data, '--data'));
  });

  test('refuses a folder that it may not write to', async () => {
    const data = aReadOnlyFolder();

    const refusal = await start(data, { through: WITHOUT_PRIVILEGES });

    expect(refusal).toEqual(refused(join(data, 'state.db'), 'this user may write there'));
  });

  test('makes nothing beside the state of another application', async () => {
    const data = aTemporaryFolder();
    writeFileSync(join(data, 'state.db'), 'it keeps notes here');

    const refusal = await start(data);

    expect(refusal).toEqual(refused(join(data, 'state.db'), 'backup'));
    expect(readdirSync(data)).toEqual(['state.db']);
  });

  test.each(DATABASES)('refuses %s when it is no database', async (name) => {
    const data = await aDataFolder();
    writeFileSync(join(data, name), 'this was one');

    const refusal = await start(data);

    expect(refusal).toEqual(refused(join(data, name), 'backup'));
  });

  test.each(DATABASES)('refuses %s with damage behind its first page', async (name) => {
    const data = await aDataFolder();
    const path = join(data, name);
    writeFileSync(path, readFileSync(path).fill(0xaa, 2_048));

    const refusal = await start(data);

    expect(refusal).toEqual(refused(path, 'backup'));
  });

  test.each(DATABASES)('refuses %s of a newer version', async (name) => {
    const data = await aDataFolder();
    const database = new DatabaseSync(join(data, name));
    database.exec('PRAGMA user_version = 99');
    database.close();

    const refusal = await start(data);

    expect(refusal).toEqual(refused(join(data, name), 'upgrade this host'));
  });

  test('refuses a folder while another program keeps one of its databases locked', async () => {
    const locked = await Promise.all(DATABASES.map(async (name) => ({ data: await aDataFolder(), name })));
    for (const { data, name } of locked) keepLocked(join(data, name));

    // Together, for each waits some seconds for the lock.
    const refusals = await Promise.all(locked.map(({ data }) => start(data)));

    expect(refusals).toEqual(locked.map(({ data, name }) => refused(join(data, name), 'end the other program')));
  });

  test('starts while another process is in the middle of a write: it may be frozen, and a left-over of the one before', async () => {
    const data = await aDataFolder();
    for (const name of DATABASES) {
      const database = new DatabaseSync(join(data, name));
      onTestFinished(() => database.close());
      database.exec('BEGIN IMMEDIATE');
    }

    const { isReady } = await start(data);

    expect(isReady).toBe(true);
  });

  test('refuses a new folder on a full disk', async () => {
    const data = join(aTemporaryFolder(), 'data');

    const refusal = await start(data, { through: WITHOUT_SPACE });

    expect(refusal).toEqual(refused(data, 'space'));
  });

  test('refuses a folder whose disk is full by now', async () => {
    const data = await aDataFolder();

    const refusal = await start(data, { through: WITHOUT_SPACE });

    expect(refusal).toEqual(refused(data, 'space'));
  });
});

describe('sortie start, with RocketMQ', { timeout: TIMEOUT_MS }, () => {
  test('refuses name servers none of which answers, naming each', async () => {
    const [one, other] = [await deadAddress(), await deadAddress()];

    const refusal = await start(aTemporaryFolder(), { flags: withRocketmq({ 'namesrv-addr': `${one},${other}` }) });

    expect(refusal).toEqual(refused(`${one} did not answer: connect`, 'their addresses'));
    expect(refusal.said).toContain(other);
  });

  test('refuses a name server that no broker has told of itself', async () => {
    const server = await RemotingServer.start(() => ({ body: '{"brokerAddrTable":{},"clusterAddrTable":{}}' }));

    const refusal = await start(aTemporaryFolder(), { flags: withRocketmq({ 'namesrv-addr': server.address }) });

    expect(refusal).toEqual(refused(`no broker has told ${server.address} of itself`, 'namesrvAddr'));
  });

  test('refuses a broker that cannot be reached at the address it advertises', async () => {
    const dead = await deadAddress();
    const server = await RemotingServer.start(() => clusterOf(dead));

    const refusal = await start(aTemporaryFolder(), { flags: withRocketmq({ 'namesrv-addr': server.address }) });

    expect(refusal).toEqual(refused(`broker broker-a: ${dead} did not answer`, 'brokerIP1'));
  });

  test('refuses access keys that a broker refuses, and tells no secret', async () => {
    const server: RemotingServer = await RemotingServer.start(({ code }) =>
      code === RequestCode.GET_CLUSTER ? clusterOf(server.address) : { code: 16, remark: 'check signature failed.' },
    );
    const keys = { 'access-key': 'me', 'secret-key': 'hunter2-open-sesame' };

    const refusal = await start(aTemporaryFolder(), { flags: withRocketmq({ 'namesrv-addr': server.address, ...keys }) });

    expect(refusal).toEqual(refused(`${server.address} refuses to check the client: check signature failed.`, 'the secret key'));
    expect(refusal.said).not.toContain('hunter2');
  });

  test('refuses proxies none of which answers', async () => {
    const server = await RemotingServer.start(() => ({ code: 3, remark: 'request type 106 not supported' }));
    const dead = await deadAddress();

    const flags = withRocketmq({ 'namesrv-addr': server.address, 'proxy-addr': dead });
    const refusal = await start(aTemporaryFolder(), { flags });

    expect(refusal).toEqual(refused(`proxy: ${dead} did not answer`, 'can be reached from here'));
  });
});

function withRocketmq(settings: Readonly<Record<string, string>>): readonly string[] {
  return ['--broker', 'rocketmq', ...Object.entries(settings).flatMap(([key, value]) => [`--rocketmq-${key}`, value])];
}

function clusterOf(address: string): RemotingAnswer {
  const broker = `"broker-a":{"brokerAddrs":{0:"${address}"},"brokerName":"broker-a","cluster":"C"}`;
  return { body: `{"brokerAddrTable":{${broker}},"clusterAddrTable":{"C":["broker-a"]}}` };
}

/** Root without the right to go past the rights of files and folders; anybody else has not got it anyway. */
const WITHOUT_PRIVILEGES = process.getuid?.() === 0 ? ['setpriv', '--bounding-set', '-dac_override,-dac_read_search'] : [];

/** No file may grow, and the signal that says so is ignored. */
const WITHOUT_SPACE = ['/bin/sh', '-c', `trap '' XFSZ; ulimit -f 0; exec "$@"`, 'sh'];

function keepLocked(path: string): void {
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
}

interface Refusal {
  readonly code: unknown;
  readonly said: string;
  readonly isReady: boolean;
}

async function start(
  data: string,
  {
    port = 0,
    through = [],
    flags = [],
  }: { readonly port?: number; readonly through?: readonly string[]; readonly flags?: readonly string[] } = {},
): Promise<Refusal> {
  const own = ['start', '--data', data, '--port', String(port), ...flags];
  const [command = '', ...args] = [...through, process.execPath, MAIN, ...own];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [said, printed, [code]] = await Promise.all([text(child.stderr), text(child.stdout), ended(child)]);
  return { code, said, isReady: printed !== '' };
}

function ended(child: ChildProcess): Promise<readonly unknown[]> {
  // One that starts although it may not is ended, so that the test tells.
  child.stdout?.once('data', () => child.kill('SIGKILL'));
  return once(child, 'exit');
}

/** One line. */
function refused(what: string, next: string): Refusal {
  const line = new RegExp(`^sortie: .*${escaped(what)}.*; next: .*${escaped(next)}.*\\n$`);
  return { code: 3, said: expect.stringMatching(line) as string, isReady: false };
}

function escaped(literal: string): string {
  return literal.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** As a start and a stop leave it. */
async function aDataFolder(): Promise<string> {
  const data = aTemporaryFolder();
  const folder = await openDataFolder(data, { clock: systemClock, random: systemRandom, telemetry: new MemoryTelemetry() });
  await folder.close();
  return data;
}
