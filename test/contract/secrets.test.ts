import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LocalSecrets, localSecretsSettings, NO_SECRETS } from '../../adapters/secrets/local-secrets.ts';
import type { SecretAnswer, SecretReference } from '../../core/ports.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';
import { secretsContract } from './secrets-contract.ts';

const ENVIRONMENT = { DB_USER: 'mickey', DB_PASSWORD: 'hunter2:${env:DB_USER}', AWS_KEY: 'wonderland', DB: 'shop', EMPTY: '' };

secretsContract({
  name: 'LocalSecrets of the environment',
  async newSecrets() {
    const settings = localSecretsSettings({ env: ['DB_*', 'EMPTY', 'GONE'], folders: [], environment: ENVIRONMENT });
    return {
      secrets: new LocalSecrets(settings),
      values: [
        [variable('DB_USER'), ENVIRONMENT.DB_USER],
        [variable('DB_PASSWORD'), ENVIRONMENT.DB_PASSWORD],
        [variable('EMPTY'), ''],
      ],
      missing: [variable('GONE'), variable('DB_GONE'), { provider: 'env', path: '/a', key: 'DB_USER' }, variable('DB_')],
      refused: [variable('AWS_KEY'), variable('DB')],
      refusedAndMissing: [variable('PATH_GONE'), variable(''), variable('__proto__'), variable('constructor')],
      hidden: ['mickey', 'hunter2', 'wonderland', 'shop'],
      close: async () => undefined,
    };
  },
});

secretsContract({
  name: 'LocalSecrets of files',
  async newSecrets() {
    const folder = mkdtempSync(join(tmpdir(), 'sortie-test-'));
    const [allowed, others] = [join(folder, 'allowed'), join(folder, 'others')];
    mkdirSync(join(allowed, 'below'), { recursive: true });
    mkdirSync(`${allowed}-not`);
    mkdirSync(others);
    writeFileSync(join(allowed, 'db.properties'), '# größe\nuser=mickey\npassword = hunter2 \\u00fc\nempty=');
    writeFileSync(join(allowed, 'below', 'token'), 'wonderland\n');
    writeFileSync(join(allowed, 'broken.properties'), 'password=half\\u12');
    writeFileSync(join(allowed, 'large'), Buffer.alloc(1_048_577, 'x'));
    execFileSync('mkfifo', [join(allowed, 'pipe')]);
    for (const place of [others, `${allowed}-not`]) writeFileSync(join(place, 'db.properties'), 'password=open-sesame');
    symlinkSync(join(others, 'db.properties'), join(allowed, 'link.properties'));
    symlinkSync(others, join(allowed, 'way-out'));
    const db = join(allowed, 'db.properties');
    return {
      secrets: new LocalSecrets({ ...NO_SECRETS, folders: [allowed] }),
      values: [
        [{ provider: 'file', path: db, key: 'user' }, 'mickey'],
        [{ provider: 'file', path: db, key: 'password' }, 'hunter2 ü'],
        [{ provider: 'file', path: db, key: 'empty' }, ''],
        [{ provider: 'dir', path: join(allowed, 'below'), key: 'token' }, 'wonderland\n'],
        [{ provider: 'file', path: join(allowed, 'below', '..', 'db.properties'), key: 'user' }, 'mickey'],
      ],
      missing: [
        { provider: 'file', path: db, key: 'gone' },
        { provider: 'file', path: db, key: '__proto__' },
        { provider: 'file', path: join(allowed, 'gone.properties'), key: 'user' },
        { provider: 'file', path: join(allowed, 'broken.properties'), key: 'password' },
        { provider: 'file', path: join(allowed, 'below'), key: 'user' },
        { provider: 'file', path: join(db, 'deeper'), key: 'user' },
        { provider: 'dir', path: allowed, key: 'gone' },
        { provider: 'dir', path: allowed, key: 'below' },
        { provider: 'dir', path: allowed, key: 'large' },
        { provider: 'dir', path: allowed, key: 'pipe' },
      ],
      refused: [
        { provider: 'file', path: join(others, 'db.properties'), key: 'password' },
        { provider: 'file', path: `${allowed}/../others/db.properties`, key: 'password' },
        { provider: 'file', path: join(`${allowed}-not`, 'db.properties'), key: 'password' },
        { provider: 'file', path: join(allowed, 'link.properties'), key: 'password' },
        { provider: 'file', path: join(allowed, 'way-out', 'db.properties'), key: 'password' },
        { provider: 'dir', path: others, key: 'db.properties' },
        { provider: 'dir', path: join(allowed, 'way-out'), key: 'db.properties' },
        { provider: 'dir', path: join(allowed, 'below'), key: '../../others/db.properties' },
        { provider: 'dir', path: join(allowed, 'below'), key: '../db.properties' },
      ],
      refusedAndMissing: [
        { provider: 'file', path: join(others, 'gone.properties'), key: 'password' },
        { provider: 'file', path: 'allowed/db.properties', key: 'user' },
        { provider: 'file', path: '', key: 'user' },
        { provider: 'file', path: `${db}\0`, key: 'user' },
        { provider: 'dir', path: join(allowed, '..'), key: 'gone' },
        { provider: 'dir', path: allowed, key: '..' },
      ],
      hidden: ['mickey', 'hunter2', 'wonderland', 'open-sesame', 'half', realpathSync(others) === others ? 'nowhere' : others],
      close: async () => rmSync(folder, { recursive: true }),
    };
  },
});

describe('LocalSecrets', () => {
  test('allow nothing unless an operator says so', async () => {
    const folder = aTemporaryFolder();
    writeFileSync(join(folder, 'a'), 'x');
    const secrets = new LocalSecrets(localSecretsSettings({ env: [], folders: [], environment: ENVIRONMENT }));

    const answers = await secrets.resolve([variable('DB_USER'), { provider: 'dir', path: folder, key: 'a' }]);

    expect(answers.map((answer) => Object.keys(answer))).toEqual([['refused'], ['refused']]);
  });

  test('carry no variable that is not allowed', () => {
    const { variables } = localSecretsSettings({ env: ['DB_*'], folders: [], environment: ENVIRONMENT });

    expect(Object.keys(variables)).toEqual(['DB_USER', 'DB_PASSWORD']);
  });

  test('see a file that was replaced, and a folder that is a link, as Kubernetes mounts them', async () => {
    const folder = aTemporaryFolder();
    for (const version of ['v1', 'v2']) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'token'), version);
    }
    symlinkSync('v1', join(folder, '..data'));
    symlinkSync(join('..data', 'token'), join(folder, 'token'));
    symlinkSync(folder, join(folder, 'mounted'));
    const secrets = new LocalSecrets({ ...NO_SECRETS, folders: [join(folder, 'mounted')] });
    const token = { provider: 'dir', path: join(folder, 'mounted'), key: 'token' };

    const before = await secrets.resolve([token]);
    symlinkSync('v2', join(folder, '..next'));
    renameSync(join(folder, '..next'), join(folder, '..data'));
    const after = await secrets.resolve([token]);

    expect([before, after]).toEqual([[{ value: 'v1' }], [{ value: 'v2' }]] satisfies SecretAnswer[][]);
  });
});

function variable(key: string): SecretReference {
  return { provider: 'env', path: '', key };
}
