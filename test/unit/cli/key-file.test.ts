import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { keyLine, readKeyFile } from '../../../cli/key-file.ts';
import { aTemporaryFolder } from '../../support/temporary-folder.ts';

const LINE = keyLine({ name: 'ci', role: 'operate', key: 'sortie_key' });

function aFile(text: string): string {
  const file = join(aTemporaryFolder(), 'keys');
  writeFileSync(file, text);
  return file;
}

describe('readKeyFile', () => {
  test('takes lines of any end, comments and empty lines', () => {
    const keys = readKeyFile(aFile(`# of this team\r\n\r\n${LINE}\r\n  ${LINE.replace('ci', 'me')}`));

    expect(keys.map(({ name, role, hash }) => [name, role, hash.length])).toEqual([
      ['ci', 'operate', 32],
      ['me', 'operate', 32],
    ]);
  });

  test('says which lines are no keys, and not what is in them', () => {
    const file = aFile(`${LINE}\nsortie_secret\nci admin sha256:${'0'.repeat(64)}\na:b read sha256:${'0'.repeat(64)}\n`);

    const read = (): unknown => readKeyFile(file);

    const message = [2, 3, 4].map((line) => `${file}:${line}: is no API key`).join('\n');
    expect(read).toThrow(expect.objectContaining({ exitCode: 2, message }));
  });

  test.each(['', '# nobody\n'])('refuses a file without a key: %j', (text) => {
    const file = aFile(text);

    expect(() => readKeyFile(file)).toThrow(`${file} has no key, so nobody could ask anything`);
  });
});
