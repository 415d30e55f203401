import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryStateStore } from '../../adapters/memory/memory-state-store.ts';
import { SqliteStateStore } from '../../adapters/sqlite/sqlite-state-store.ts';
import { systemRandom } from '../../adapters/system.ts';
import { stateStoreContract } from './state-store-contract.ts';

stateStoreContract({
  name: 'MemoryStateStore',
  newStore: async ({ clock }) => ({ store: new MemoryStateStore({ clock }), close: async () => undefined }),
});

stateStoreContract({
  name: 'SqliteStateStore',
  async newStore({ clock }) {
    const folder = mkdtempSync(join(tmpdir(), 'sortie-test-'));
    const store = new SqliteStateStore({ path: join(folder, 'state.db'), clock, random: systemRandom });
    return {
      store,
      async close() {
        store.close();
        rmSync(folder, { recursive: true });
      },
    };
  },
});
