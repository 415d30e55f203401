import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CliError } from '../../../cli/cli-error.ts';
import { readWorkerSettings } from '../../../cli/read-worker-settings.ts';
import { flagOf, variableOf, type WorkerKey, WorkerSettings, workerKeys } from '../../../cli/worker-settings.ts';
import { DEFAULT_SCHEDULER_SETTINGS } from '../../../scheduler/settings.ts';
import { aTemporaryFolder } from '../../support/temporary-folder.ts';

const DEFAULTS = WorkerSettings.parse({});

describe('WorkerSettings', () => {
  test("have the scheduler's own settings as their defaults", () => {
    expect(DEFAULTS).toMatchObject({
      'invocations.max': DEFAULT_SCHEDULER_SETTINGS.invocationsMax,
      'slice.target.ms': DEFAULT_SCHEDULER_SETTINGS.sliceTargetMs,
      'watches.max': DEFAULT_SCHEDULER_SETTINGS.watchesMax,
      'topic.looks.per.second': DEFAULT_SCHEDULER_SETTINGS.topicLooksPerSecond,
      'sweep.ms': DEFAULT_SCHEDULER_SETTINGS.sweepMs,
    });
  });

  test('have one name in three spellings, which no other has', () => {
    expect([flagOf('slice.target.ms'), variableOf('slice.target.ms')]).toEqual(['--slice-target-ms', 'SORTIE_SLICE_TARGET_MS']);
    for (const spelling of [flagOf, variableOf]) expect(new Set(workerKeys.map(spelling)).size).toBe(workerKeys.length);
  });
});

describe('readWorkerSettings', () => {
  test('answers the defaults where nothing is set', async () => {
    expect(await read({})).toEqual(DEFAULTS);
  });

  test('puts a flag before the environment, that before the file, and that before the default', async () => {
    const config = aFile('worker.properties', 'port=1\ndata=file\nlog.level=warn\nsweep.ms=5000');
    const environment = { SORTIE_PORT: '2', SORTIE_DATA: 'environment', SORTIE_JSON: 'true', OTHER: 'x' };

    const settings = await read({ config, environment, flags: { port: '3', json: 'false' } });

    expect(settings).toEqual({ ...DEFAULTS, port: 3, data: 'environment', 'log.level': 'warn', 'sweep.ms': 5_000, json: false });
  });

  test.each([
    ['w.properties', 'secrets.env = DB_*, TOKEN\nsecrets.folders=/run/secrets\nport=0\njson=true'],
    ['w.yaml', 'secrets:\n  env: [DB_*, TOKEN]\n  folders: [/run/secrets]\nport: 0\njson: true\n'],
    ['w.yml', 'secrets.env: DB_*,TOKEN\nsecrets.folders: /run/secrets\nport: 0\njson: true\n'],
    ['w.json', '{ "secrets": { "env": ["DB_*", "TOKEN"], "folders": "/run/secrets" }, "port": 0, "json": true }'],
  ])('reads %s', async (name, text) => {
    const settings = await read({ config: aFile(name, text) });

    const secrets = { 'secrets.env': ['DB_*', 'TOKEN'], 'secrets.folders': ['/run/secrets'] };
    expect(settings).toEqual({ ...DEFAULTS, ...secrets, port: 0, json: true });
  });

  test('reads the file that the environment names, unless a flag names another', async () => {
    const [one, other] = [aFile('one.properties', 'port=1'), aFile('other.properties', 'port=2')];

    expect((await read({ environment: { SORTIE_CONFIG: one } })).port).toBe(1);
    expect((await read({ environment: { SORTIE_CONFIG: one }, config: other })).port).toBe(2);
  });

  test('takes an empty file and empty variables for nothing', async () => {
    const config = aFile('empty.yaml', '# nothing yet\n');

    expect(await read({ config, environment: { SORTIE_PORT: '', SORTIE_DATA: '' } })).toEqual(DEFAULTS);
  });

  test('lets a flag take back a list', async () => {
    expect((await read({ environment: { SORTIE_SECRETS_ENV: 'A' }, flags: { 'secrets.env': '' } }))['secrets.env']).toEqual([]);
  });

  test('is not confused by a service of Kubernetes that has its name', async () => {
    const environment = {
      SORTIE_PORT: 'tcp://10.0.0.1:8083',
      SORTIE_PORT_8083_TCP: 'tcp://10.0.0.1:8083',
      SORTIE_SERVICE_HOST: '10.0.0.1',
    };

    expect(await read({ environment })).toEqual(DEFAULTS);
  });

  test('says all that is wrong, each where it was said', async () => {
    const config = aFile('w.yaml', 'data: ""\nlog:\n  level: loud\n');

    expect((await faultOf({ config, environment: { SORTIE_JSON: 'perhaps' }, flags: { port: '70000' } })).sort()).toEqual([
      '--port must be a whole number from 0 to 65535, not "70000"',
      `${config}:1: data must not be empty`,
      `${config}:3: log.level must be one of debug, info, warn, error, not "loud"`,
      'SORTIE_JSON must be true or false, not "perhaps"',
    ]);
  });

  test.each([
    ['an unknown key', 'w.properties', 'port=1\nprot=2', ':2: prot is no setting'],
    [
      'a key of Kafka Connect',
      'w.properties',
      'listeners=http://:8083',
      ':1: listeners is no setting: its address is host, and its port is port',
    ],
    ['another one', 'w.properties', 'config.providers.file.param.allowed.paths=/x', 'is no setting: it is secrets.folders here'],
    [
      'one that would switch off what cannot be',
      'w.properties',
      'topic.tracking.enable=false',
      'the topics of each connector are always told',
    ],
    ['a key without a value', 'w.yaml', 'port:\n', ':1: port has no value'],
    ['a map where a text belongs', 'w.yaml', 'port: { of: api }\n', ':1: port.of is no setting'],
    ['a list', 'w.yaml', '- port: 1\n', ':1: settings are one map of keys'],
    ['two documents', 'w.yaml', 'port: 1\n---\nport: 2\n', ':3: settings are one map of keys'],
    ['no JSON', 'w.json', '{', ':1: is not JSON from here on'],
  ])('refuses %s', async (_, name, text, message) => {
    const config = aFile(name, text);

    const [fault] = await faultOf({ config });

    expect(fault).toContain(config);
    expect(fault).toContain(message);
  });

  test('refuses a file that is not there', async () => {
    const [fault] = await faultOf({ config: '/nowhere/w.yaml' });

    expect(fault).toContain('/nowhere/w.yaml: cannot be read: ENOENT');
  });
});

interface Sources {
  readonly flags?: Partial<Record<WorkerKey, string>>;
  readonly config?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

function read({ flags = {}, config, environment = {} }: Sources): Promise<WorkerSettings> {
  return readWorkerSettings({ flags: new Map(Object.entries(flags) as [WorkerKey, string][]), config, environment });
}

async function faultOf(sources: Sources): Promise<string[]> {
  try {
    await read(sources);
  } catch (error) {
    if (error instanceof CliError) return error.message.split('\n');
    throw error;
  }
  throw new Error('nothing was refused');
}

function aFile(name: string, text: string): string {
  const path = join(aTemporaryFolder(), name);
  writeFileSync(path, text);
  return path;
}
