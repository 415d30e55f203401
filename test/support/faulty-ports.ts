/** Ports that do one thing otherwise than the adapter they stand before. */
import { RetryableError } from '../../core/errors.ts';
import { type MessageQueue, queueKey } from '../../core/message-queue.ts';
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
    queues: (...topic) => broker.queues(...topic),
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

/** As a cluster is whose brokers are away: nobody tells of their queues, and whether these exist shows when they are back. */
export function brokerWithout(broker: LogBroker, isAway: (queue: MessageQueue) => boolean): LogBroker {
  const reach = (queue: MessageQueue): void => {
    if (isAway(queue)) throw new RetryableError(`the broker of ${queueKey(queue)} is away`, { code: 'broker.unavailable' });
  };
  return brokerWith(broker, {
    queues: async (...asked) => (await broker.queues(...asked)).filter((queue) => !isAway(queue)),
    bounds: async (queues) => {
      const bounds = await broker.bounds(queues);
      return queues.map((queue, index) => (isAway(queue) ? null : (bounds[index] ?? null)));
    },
    read: async (queue, ...how) => {
      reach(queue);
      return broker.read(queue, ...how);
    },
    send: async (queue, records) => {
      reach(queue);
      return broker.send(queue, records);
    },
  });
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
