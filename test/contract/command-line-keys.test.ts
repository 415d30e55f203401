/** The command line, and API keys: those it makes, and those that servers demand. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readKeyFile } from '../../cli/key-file.ts';
import { anApi } from '../support/api.ts';
import { API_KEYS, bearer, keyOf } from '../support/api-keys.ts';
import { type Said, said } from '../support/command-lines.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';
import { vaultSink } from '../support/vault-sink.ts';

const VAULT = { 'connector.class': 'vault-sink', topics: 'orders', address: 'here', token: 'open sesame' };

describe('sortie, of a server that demands keys', () => {
  test.each([
    ['one that may', { SORTIE_API_KEY: keyOf('operate') }, 0, ''],
    ['none', { SORTIE_API_KEY: '' }, 2, 'This needs an API key that is known here; next: set SORTIE_API_KEY'],
    [
      'one that may not',
      { SORTIE_API_KEY: keyOf('read') },
      2,
      'sortie: vault: This needs a key that may operate; read may read; next: ',
    ],
  ])('shows %s', async (_, environment, exitCode, err) => {
    const { run } = await aGuardedVault();

    const paused = await run(['pause', 'vault'], environment);

    expect(paused.exitCode).toBe(exitCode);
    expect(paused.err).toContain(err);
  });

  test('plans for whoever may not see secrets, and takes each of them for a change', async () => {
    const { run } = await aGuardedVault();
    const folder = aTemporaryFolder();
    writeFileSync(join(folder, 'vault.json'), JSON.stringify({ name: 'vault', config: VAULT }));

    const plans = [
      await run(['plan', '-f', folder], { SORTIE_API_KEY: keyOf('read') }),
      await run(['plan', '-f', folder], { SORTIE_API_KEY: keyOf('configure') }),
    ];

    expect(plans.map(({ out }) => out.includes('    ~ token: [hidden] -> [hidden]\n'))).toEqual([true, false]);
  });

  test.each([
    [['--ca', '/nowhere/ca.pem'], {}],
    [[], { SORTIE_CA: '/nowhere/ca.pem' }],
  ])('says that it cannot read an authority: %j %j', async (flags, environment) => {
    const { run } = await aGuardedVault();

    const { exitCode, err } = await run(['list', ...flags], environment);

    expect(exitCode).toBe(2);
    expect(err).toContain('sortie: /nowhere/ca.pem cannot be used as an authority: ENOENT');
  });
});

describe('sortie new-key', () => {
  test('prints a key, and adds to a file what recognises it', async () => {
    const file = join(aTemporaryFolder(), 'keys');
    const run = (...args: readonly string[]): Promise<Said> => said(['new-key', ...args, '--file', file], { fetch });

    const first = await run('ci', '--role', 'operate');
    const second = await run('me', '--role', 'configure', '--json');

    const keys = readKeyFile(file);
    const { key } = JSON.parse(second.out) as { readonly key: string };
    const { status } = await anApi({ deps: { access: { keys, takesBasic: false } } }).ask('GET', '/', { headers: bearer(key) });
    expect(first.out).toMatch(/^sortie_[\w-]{43}\n$/);
    expect(keys.map(({ name, role }) => [name, role])).toEqual([
      ['ci', 'operate'],
      ['me', 'configure'],
    ]);
    expect(readFileSync(file, 'utf8')).not.toContain(key);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(status).toBe(200);
  });

  test.each([
    [['new-key', 'a:b', '--role', 'read', '--file', 'keys'], 2, 'a:b cannot be the name of a key'],
    [['new-key', 'a', '--role', 'all', '--file', 'keys'], 2, 'Allowed choices are read, operate, configure'],
    [['new-key', 'a', '--role', 'read', '--file', '/nowhere/keys'], 3, '/nowhere/keys: cannot be written: ENOENT'],
  ])('refuses %j', async (args, exitCode, err) => {
    const refused = await said(args, { fetch });

    expect(refused).toMatchObject({ exitCode, out: '', err: expect.stringContaining(err) });
  });
});

async function aGuardedVault() {
  const { ask, app } = anApi({ plugins: [vaultSink], deps: { access: { keys: API_KEYS, takesBasic: true } } });
  await ask('PUT', '/connectors/vault/config', { body: VAULT, headers: bearer(keyOf('configure')) });
  const run = (args: readonly string[], environment: Readonly<Record<string, string>>): Promise<Said> =>
    said(args, { environment, fetch: async (url, init) => app.request(url, init) });
  return { run };
}
