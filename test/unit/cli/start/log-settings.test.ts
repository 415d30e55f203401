import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { logSettings } from '../../../../cli/start/log-settings.ts';
import { WorkerSettings } from '../../../../cli/worker-settings.ts';
import { aTemporaryFolder } from '../../../support/temporary-folder.ts';

const SERVERS = { broker: 'rocketmq', 'rocketmq.namesrv.addr': 'a:9876' };

describe('logSettings', () => {
  test('keeps topics in the embedded log unless told otherwise', async () => {
    expect(await read({ 'log.retention.ms': '60000' })).toEqual({
      kind: 'embedded',
      retention: { ageMs: 60_000 },
      fsync: 'group',
    });
  });

  test('refuses name servers that nobody would ask', async () => {
    const { broker: _, ...servers } = SERVERS;

    await expect(read(servers)).rejects.toMatchObject({ exitCode: 2, next: expect.stringContaining('broker=rocketmq') });
  });

  test('says how a RocketMQ cluster is reached', async () => {
    const settings = await read({
      ...SERVERS,
      'rocketmq.namesrv.addr': 'a:9876;b:9876, [::1]:9876',
      'rocketmq.proxy.addr': 'p:8080',
      'rocketmq.namespace': 'MQ_INST',
      'rocketmq.access.key': 'me',
      'rocketmq.secret.key': 'secret',
      'rocketmq.tls.enabled': 'true',
    });

    expect(settings).toEqual({
      kind: 'rocketmq',
      nameServers: ['a:9876', 'b:9876', '[::1]:9876'],
      proxies: ['p:8080'],
      namespace: 'MQ_INST',
      group: 'sortie',
      keys: { accessKey: 'me', secretKey: 'secret' },
      tls: {},
    });
  });

  test('takes keys from where placeholders say', async () => {
    const folder = aTemporaryFolder();
    const file = join(folder, 'mq.properties');
    writeFileSync(file, 'secret=hunter2\n');
    const keys = { 'rocketmq.access.key': '${env:MQ_USER}', 'rocketmq.secret.key': `\${file:${file}:secret}` };

    const settings = await read({ ...SERVERS, ...keys }, { MQ_USER: 'me' });

    expect(settings).toMatchObject({ keys: { accessKey: 'me', secretKey: 'hunter2' } });
  });

  test.each([
    [{}, 'rocketmq.namesrv.addr is required'],
    [{ ...SERVERS, 'rocketmq.access.key': 'me' }, 'rocketmq.secret.key is required'],
    [{ ...SERVERS, 'rocketmq.secret.key': 'x' }, 'rocketmq.access.key is required'],
    [
      { ...SERVERS, 'rocketmq.secret.key': '${env:GONE}' },
      'rocketmq.secret.key names ${env:GONE}: the environment variable GONE',
    ],
    [{ ...SERVERS, 'rocketmq.tls.insecure': 'true' }, 'rocketmq.tls.insecure means nothing without tls.enabled=true'],
    [
      { ...SERVERS, 'rocketmq.tls.enabled': 'true', 'rocketmq.tls.ca.file': '/gone.pem' },
      'rocketmq.tls.ca.file /gone.pem cannot',
    ],
    [
      { ...SERVERS, 'rocketmq.tls.enabled': 'true', 'rocketmq.tls.ca.file': import.meta.filename },
      'rocketmq.tls.ca.file .* holds no PEM certificate',
    ],
  ])('refuses %j', async (settings, message) => {
    const pattern = new RegExp(message.replace(/[${}]/g, String.raw`\$&`));

    await expect(read({ broker: 'rocketmq', ...settings })).rejects.toMatchObject({
      name: 'CliError',
      exitCode: 2,
      message: expect.stringMatching(pattern),
    });
  });
});

function read(settings: Readonly<Record<string, string>>, environment: Readonly<Record<string, string>> = {}) {
  return logSettings(WorkerSettings.parse(settings), environment);
}
