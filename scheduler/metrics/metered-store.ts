/** Tells how long each call of a store took. What the caller gets is the store's own promise: nothing is later for being measured. */
import type { Clock, Metrics, StateStore } from '../../core/ports.ts';

export function meteredStore(
  store: StateStore,
  { clock, metrics }: { readonly clock: Clock; readonly metrics: Metrics },
): StateStore {
  const metered = <T>(operation: string, call: () => Promise<T>): Promise<T> => {
    const startedAtMs = clock.monotonicMs();
    const answer = call();
    const tell = (): void =>
      metrics.observe('sortie_scheduler_store_seconds', { operation }, (clock.monotonicMs() - startedAtMs) / 1_000);
    answer.then(tell, () => metrics.count('sortie_scheduler_store_failures_total', { operation }));
    return answer;
  };
  return {
    get: (key) => metered('get', () => store.get(key)),
    put: (key, value, condition, options) => metered('put', () => store.put(key, value, condition, options)),
    delete: (key, condition) => metered('delete', () => store.delete(key, condition)),
    list: (partition, page) => metered('list', () => store.list(partition, page)),
  };
}
