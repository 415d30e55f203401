import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type DataFolder, openDataFolder } from '../../adapters/data-folder.ts';
import { MemoryTelemetry } from '../../adapters/memory/memory-telemetry.ts';
import { systemClock, systemRandom } from '../../adapters/system.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

function open(folder: string): Promise<DataFolder> {
  return openDataFolder(folder, { clock: systemClock, random: systemRandom, telemetry: new MemoryTelemetry() });
}

describe('openDataFolder', () => {
  test('makes the folder, and those above it, where they are missing', async () => {
    const folder = join(aTemporaryFolder(), 'new', 'data');

    const opened = await open(folder);
    await opened.close();

    expect(readdirSync(folder).toSorted()).toEqual(['log', 'state.db']);
  });

  test('says where it cannot be, and makes nothing', async () => {
    const above = aTemporaryFolder();
    writeFileSync(join(above, 'file'), '');
    const folder = join(above, 'file', 'data');

    const opening = open(folder);

    await expect(opening).rejects.toMatchObject({
      code: 'store.unusable',
      message: expect.stringMatching(new RegExp(`${join(folder, 'state.db')}.*; next: `)),
    });
  });
});
