import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedLogBroker, type EmbeddedLogBrokerDeps } from '../../adapters/embedded-log/embedded-log-broker.ts';
import { MemoryLogBroker } from '../../adapters/memory/memory-log-broker.ts';
import { MemoryTelemetry } from '../../adapters/memory/memory-telemetry.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { LogUnderTest } from './log-broker/log-under-test.ts';
import { logBrokerContract } from './log-broker-contract.ts';

/** Small, so that records beyond it cost nothing to make. */
const RECORD_BYTES_MAX = 4_096;

logBrokerContract({ name: 'memory', newBroker: async () => memoryLog() });

logBrokerContract({
  name: 'embedded, synced with each append',
  newBroker: async () => embeddedLog({ fsync: 'group' }),
  propertyRuns: 10,
});

// Segments of a few batches, so that most cases cross their borders.
logBrokerContract({
  name: 'embedded, synced now and then, in small segments',
  newBroker: async () => embeddedLog({ fsync: { intervalMs: 1_000 }, segmentBytes: 300 }),
  propertyRuns: 50,
});

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

function embeddedLog(settings: Pick<EmbeddedLogBrokerDeps, 'fsync' | 'segmentBytes'>): LogUnderTest {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-test-'));
  const clock = new ManualClock();
  const broker = new EmbeddedLogBroker({
    folder,
    clock,
    telemetry: new MemoryTelemetry(),
    recordBytesMax: RECORD_BYTES_MAX,
    ...settings,
  });
  return {
    broker,
    operator: {
      deleteTopic: (topic) => broker.deleteTopic(topic),
      addQueue: (topic) => broker.addQueues(topic, 1),
      expireBefore: (queue, min) => broker.truncateBefore(queue, min),
    },
    topicPrefix: 'contract',
    recordBytesMax: RECORD_BYTES_MAX,
    elapse: async (durationMs) => clock.advance(durationMs),
    async close() {
      await broker.close();
      rmSync(folder, { recursive: true });
    },
  };
}
