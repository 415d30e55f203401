/** Ports that do one thing otherwise than the adapter they stand before. */
import { RetryableError } from '../../core/errors.ts';
import type { LogBroker, StateStore } from '../../core/ports.ts';

export function storeWith(store: StateStore, changed: Partial<StateStore>): StateStore {
  return {
    get: (key) => store.get(key),
    put: (...write) => store.put(...write),
    delete: (...deletion) => store.delete(...deletion),
    list: (...page) => store.list(...page),
    ...changed,
  };
}

export function brokerWith(broker: LogBroker, changed: Partial<LogBroker>): LogBroker {
  return {
    sendLandsWithinMs: broker.sendLandsWithinMs,
    topicProblem: (topic) => broker.topicProblem(topic),
    filterProblem: (filter) => broker.filterProblem(filter),
    queues: (topic) => broker.queues(topic),
    topics: () => broker.topics(),
    bounds: (queues) => broker.bounds(queues),
    read: (...read) => broker.read(...read),
    send: (...batch) => broker.send(...batch),
    ensureTopic: (...topic) => broker.ensureTopic(...topic),
    offsetAt: (...moment) => broker.offsetAt(...moment),
    noteGroup: (...offsets) => broker.noteGroup(...offsets),
    groups: (topic) => broker.groups(topic),
    watch: (...watch) => broker.watch(...watch),
    ...changed,
  };
}

/** Every write lands; the replies of the ones whose turn is in `lost` (from 1 on) do not come back. */
export function losingReplies(store: StateStore, lost: readonly number[]): StateStore {
  let writes = 0;
  return storeWith(store, {
    async put(...write) {
      const result = await store.put(...write);
      writes += 1;
      if (lost.includes(writes)) throw storeUnavailable();
      return result;
    },
  });
}

export function storeUnavailable(): RetryableError {
  return new RetryableError('the store does not answer', { code: 'store.unavailable' });
}

export function brokerUnavailable(): RetryableError {
  return new RetryableError('the broker does not answer', { code: 'broker.unavailable' });
}
