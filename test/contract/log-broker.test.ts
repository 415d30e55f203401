import { MemoryLogBroker } from '../../adapters/memory/memory-log-broker.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { LogUnderTest } from './log-broker/log-under-test.ts';
import { logBrokerContract } from './log-broker-contract.ts';

/** Small, so that records beyond it cost nothing to make. */
const RECORD_BYTES_MAX = 4_096;

logBrokerContract({ name: 'memory', newBroker: async () => memoryLog() });

function memoryLog(): LogUnderTest {
  const clock = new ManualClock();
  const broker = new MemoryLogBroker({ clock, recordBytesMax: RECORD_BYTES_MAX });
  return {
    broker,
    operator: {
      deleteTopic: async (topic) => broker.deleteTopic(topic),
      addQueue: async (topic) => broker.addQueues(topic, { queues: 1 }),
      expireBefore: async (queue, min) => broker.truncateBefore(queue, min),
    },
    topicPrefix: 'contract',
    recordBytesMax: RECORD_BYTES_MAX,
    elapse: async (durationMs) => clock.advance(durationMs),
    close: async () => undefined,
  };
}
