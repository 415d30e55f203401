import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { MemoryStateStore } from '../../adapters/memory/memory-state-store.ts';
import { SqliteStateStore } from '../../adapters/sqlite/sqlite-state-store.ts';
import { systemRandom } from '../../adapters/system.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';
import { stateStoreContract } from './state-store-contract.ts';

stateStoreContract({ name: 'MemoryStateStore', newStore: ({ clock }) => new MemoryStateStore({ clock }) });

stateStoreContract({
  name: 'SqliteStateStore',
  newStore: ({ clock }) => {
    const store = new SqliteStateStore({ path: join(aTemporaryFolder(), 'state.db'), clock, random: systemRandom });
    onTestFinished(() => store.close());
    return store;
  },
});
