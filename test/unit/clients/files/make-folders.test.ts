import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { makeFolders, makeFoldersSync } from '../../../../clients/files/make-folders.ts';
import { aTemporaryFolder } from '../../../support/temporary-folder.ts';

describe.each([
  { name: 'makeFolders', make: makeFolders },
  { name: 'makeFoldersSync', make: async (path: string) => makeFoldersSync(path) },
])('$name', ({ make }) => {
  test('makes what is missing, and leaves what is there', async () => {
    const path = join(aTemporaryFolder(), 'a', 'b', 'c');

    await make(path);
    await make(path);

    expect(existsSync(path)).toBe(true);
  });

  test('throws where a file is in the way', async () => {
    const file = join(aTemporaryFolder(), 'file');
    writeFileSync(file, '');

    await expect(make(file)).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(make(join(file, 'a'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  test.runIf(process.platform === 'linux')('throws where nothing can be made, as below /proc', async () => {
    await expect(make('/proc/a/b')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test('makeFolders answers the highest folder that it made', async () => {
  const above = aTemporaryFolder();

  const made = [await makeFolders(join(above, 'a', 'b')), await makeFolders(join(above, 'a', 'b'))];

  expect(made).toEqual([join(above, 'a'), undefined]);
});
