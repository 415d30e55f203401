/** `sortie start` told by a file, the environment and flags at once, with connectors that name secrets of both kinds. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { text as textOf } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { invokerNames } from '../../cli/invoker-names.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const PATIENCE = { timeout: 30_000, interval: 20 };

/** In the name of a file that is written, and of a database that cannot be opened, whose error names it. */
const SECRET = 'hunter2-open-sesame';

describe('sortie start', () => {
  test.each(invokerNames)(
    'takes settings from a file, the environment and flags, and tells no secret that connectors get in %s',
    async (invoker) => {
      const folder = aTemporaryFolder();
      const target = join(folder, 'target', `${SECRET}.txt`);
      writeWorkerFile(folder);
      writeSecrets(folder, target);
      writeConnectors(folder);
      const { child, url, data, log } = await started(folder, invoker);

      const applied = await sortie(folder, ['apply', '-f', 'connectors', '--url', url]);
      await vi.waitFor(() => expect(readFileSync(target, 'utf8')).toBe('one\ntwo\n'), PATIENCE);
      await vi.waitFor(async () => expect(await stateOf(url, 'closed')).toBe('FAILED'), PATIENCE);
      await vi.waitFor(async () => expect(await stateOf(url, 'refused')).toBe('FAILED'), PATIENCE);
      const answers = await answersOf(url);
      child.kill('SIGTERM');
      await once(child, 'close');

      expect(applied).toBe('closed: created\nlines: created\nrefused: created\nwriter: created\n');
      expect(data).toBe(join(folder, 'from-file'));
      expect(existsSync(join(folder, 'from-environment'))).toBe(false);
      // It was told, and hidden: in the log, in answers, and in what is stored.

      expect(log()).toContain('[hidden]');
      expect(log()).toContain('secret.refused');
      expect(answers).toContain('${file:');
      expect([log(), answers].filter((told) => told.includes(SECRET))).toEqual([]);
      expect(filesBelow(data).filter((path) => readFileSync(path).includes(SECRET))).toEqual([]);
    },
    90_000,
  );

  test.each([
    [['--port', '70000'], {}, '--port must be a whole number from 0 to 65535'],
    [[], { SORTIE_LOG_LEVEL: 'loud' }, 'SORTIE_LOG_LEVEL must be one of'],
    [['--config', 'gone.yaml'], {}, 'gone.yaml: cannot be read: ENOENT'],
    [['--sweep', '1'], {}, 'unknown option'],
  ])('ends with exit code 2 and says where it was told wrong: %j %j', async (flags, environment, message) => {
    const child = spawn(process.execPath, [MAIN, 'start', ...flags], { cwd: aTemporaryFolder(), env: environment });

    const [said, [code]] = await Promise.all([textOf(child.stderr), once(child, 'exit')]);

    expect(code).toBe(2);
    expect(said).toContain(message);
  });
});

function writeWorkerFile(folder: string): void {
  const lines = [
    `data = ${join(folder, 'from-file')}`,
    'port = 1',
    'log.level = warn',
    `secrets.folders = ${join(folder, 'secrets')}`,
  ];
  writeFileSync(join(folder, 'worker.properties'), lines.join('\n'));
}

function writeSecrets(folder: string, target: string): void {
  for (const name of ['secrets', 'target', 'connectors']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'secrets', 'paths.properties'), `target = ${target}\n`);
}

function writeConnectors(folder: string): void {
  writeFileSync(join(folder, 'lines.txt'), 'one\ntwo\n');
  const sink = ['topics = lines', 'value.converter = string', 'connector.class = '];
  const write = (file: string, lines: readonly string[]): void =>
    writeFileSync(join(folder, 'connectors', file), lines.join('\n'));
  write('a.json', [JSON.stringify({ name: 'closed', config: { ...SQL_SINK, 'connection.url': 'sqlite:${env:DB_PATH}' } })]);
  write('b.yaml', [
    'name: lines',
    'config: { connector.class: file-source, topic: lines, value.converter: string, topic.creation.default.partitions: 1,',
    `  file: ${join(folder, 'lines.txt')} }`,
    '---',
    'name: refused',
    'config: { connector.class: file-stream-sink, topics: lines, file: "${env:PATH}" }',
  ]);
  write('c.properties', [...sink.slice(0, 2), `${sink[2]}file-stream-sink`, 'name = writer', 'format = raw', fileOf(folder)]);
}

const SQL_SINK = { 'connector.class': 'sql-sink', topics: 'lines' };

function fileOf(folder: string): string {
  return `file = \${file:${join(folder, 'secrets', 'paths.properties')}:target}`;
}

async function started(folder: string, invoker: string) {
  const environment = {
    SORTIE_CONFIG: 'worker.properties',
    SORTIE_PORT: '2',
    SORTIE_LOG_LEVEL: 'debug',
    SORTIE_INVOKER: invoker,
    SORTIE_SECRETS_ENV: 'DB_*',
    DB_PATH: join(folder, SECRET, 'shop.db'),
  };
  const child = spawn(process.execPath, [MAIN, 'start', '--port', '0', '--json'], { cwd: folder, env: environment });
  onTestFinished(() => void child.kill('SIGKILL'));
  const log: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => log.push(chunk));
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { url, data } = JSON.parse(line) as { readonly url: string; readonly data: string };
  return { child: child as ChildProcess, url, data, log: () => log.join('') };
}

async function sortie(folder: string, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  return textOf(child.stdout);
}

async function stateOf(url: string, name: string): Promise<string | undefined> {
  const status = (await (await fetch(`${url}/connectors/${name}/status`)).json()) as { tasks: { state: string }[] };
  return status.tasks[0]?.state;
}

/** Everything that the API says of the connectors. */
async function answersOf(url: string): Promise<string> {
  const ofEach = ['', '/config', '/status', '/tasks', '/offsets'];
  const paths = ['closed', 'writer', 'refused'].flatMap((name) => ofEach.map((path) => `/connectors/${name}${path}`));
  const all = ['/connectors?expand=info&expand=status', '/sortie/v1/runs', ...paths];
  return (await Promise.all(all.map(async (path) => (await fetch(`${url}${path}`)).text()))).join('\n');
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}
