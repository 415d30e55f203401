/** What every `StateStore` does. A new implementation is one more call of `stateStoreContract`. */
import type { Clock } from '../../core/ports.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { contractSuite, type Skip } from './cases.ts';
import { deletes } from './state-store/deletes.ts';
import { expiry } from './state-store/expiry.ts';
import { lists } from './state-store/lists.ts';
import { puts } from './state-store/puts.ts';
import { races } from './state-store/races.ts';
import type { OpenStore, StoreUnderTest } from './state-store/store-under-test.ts';
import { values } from './state-store/values.ts';

interface StateStoreContract {
  readonly name: string;
  /** A store without documents, that takes the time from `clock`. */
  newStore(deps: { readonly clock: Clock }): Promise<OpenStore>;
  readonly skip?: readonly Skip[];
}

export function stateStoreContract({ name, newStore, skip }: StateStoreContract): void {
  contractSuite<StoreUnderTest>({
    title: name,
    skip,
    async start() {
      const clock = new ManualClock();
      return { ...(await newStore({ clock })), clock };
    },
    groups: { put: puts, delete: deletes, concurrency: races, list: lists, expiry, values },
  });
}
