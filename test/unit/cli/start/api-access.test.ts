import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { keyLine } from '../../../../cli/key-file.ts';
import { apiAccess } from '../../../../cli/start/api-access.ts';
import { WorkerSettings } from '../../../../cli/worker-settings.ts';
import { aTemporaryFolder } from '../../../support/temporary-folder.ts';

describe('apiAccess', () => {
  test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1'])('takes %s without keys', (host) => {
    const { access, tls } = apiAccess(settings({ host }));

    expect({ access, tls }).toEqual({ access: { keys: [], takesBasic: true }, tls: null });
  });

  test.each(['0.0.0.0', '::', '10.0.0.1', 'sortie.example', '127.0.0.1.example', 'localhost.example'])(
    'refuses %s without keys, in one line',
    (host) => {
      const open = (): unknown => apiAccess(settings({ host }));

      expect(open).toThrow(expect.objectContaining({ exitCode: 2, message: expect.stringMatching(/^host .* without keys .*$/) }));
    },
  );

  test('takes any address with keys, and then no password without TLS', () => {
    const { access } = apiAccess(settings({ host: '0.0.0.0', 'keys.file': aKeyFile() }));

    expect(access).toMatchObject({ keys: [{ name: 'ci', role: 'read' }], takesBasic: false });
  });

  test.each([
    [{ 'tls.certificate': 'a.pem' }, 'TLS needs both a certificate and its key'],
    [{ 'tls.key': 'a.pem' }, 'TLS needs both a certificate and its key'],
    [{ 'tls.certificate': 'a.pem', 'tls.key': 'b.pem' }, 'a.pem and b.pem cannot be used for TLS: ENOENT'],
    [{ 'tls.certificate': import.meta.filename, 'tls.key': import.meta.filename }, 'cannot be used for TLS: '],
    [{ 'keys.file': 'nowhere' }, 'nowhere: cannot be read: ENOENT'],
  ])('refuses %j', (given, message) => {
    const open = (): unknown => apiAccess(settings(given));

    expect(open).toThrow(expect.objectContaining({ exitCode: 2, message: expect.stringContaining(message) }));
  });
});

function settings(given: Readonly<Record<string, string>>): WorkerSettings {
  return WorkerSettings.parse(given);
}

function aKeyFile(): string {
  const file = join(aTemporaryFolder(), 'keys');
  writeFileSync(file, keyLine({ name: 'ci', role: 'read', key: 'sortie_key' }));
  return file;
}
