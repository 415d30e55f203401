import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { brokerSettings } from '../../../servers/rocketmq/broker-settings.ts';
import { ROCKETMQ_VERSION } from '../../../servers/rocketmq/jars.ts';

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
}

interface Service {
  readonly image: string;
  readonly command: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly network_mode?: string;
}

const INFRA = join(import.meta.dirname, '..', '..', '..', 'infra');

const { services } = parse(readFileSync(join(INFRA, 'compose.yml'), 'utf8')) as Compose;

describe('infra/compose.yml', () => {
  test('runs the version that the tests run', () => {
    expect(Object.values(services).map(({ image }) => image)).toEqual(Array(3).fill(`apache/rocketmq:${ROCKETMQ_VERSION}`));
  });

  test('publishes the ports of all on this machine alone, on the network that they share', () => {
    const { namesrv, broker, proxy } = services;

    expect(namesrv?.ports?.map((port) => port.replace(/^127\.0\.0\.1:(\d+):\1$/, '$1'))).toEqual([
      '9876',
      '10911',
      '8080',
      '8081',
    ]);
    expect([broker, proxy].map((service) => service?.network_mode)).toEqual(Array(2).fill('service:namesrv'));
  });

  test('gives the broker the settings that the tests give theirs, and makes what it acknowledges durable', () => {
    const [mounted = ''] = services['broker']?.volumes ?? [];
    const [file = '', inside = ''] = mounted.split(':');
    const mine = settingsIn(readFileSync(join(INFRA, file), 'utf8'));
    const tested = settingsIn(brokerSettings({ name: 'broker-a', port: 10911, nameServer: '127.0.0.1:9876', folder: '/' }, {}));

    expect(services['broker']?.command).toContain(`-c ${inside}`);
    expect({ ...tested, flushDiskType: 'SYNC_FLUSH' }).toMatchObject(mine);
  });
});

function settingsIn(text: string): Readonly<Record<string, string>> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => line.split('=', 2) as [string, string]));
}
