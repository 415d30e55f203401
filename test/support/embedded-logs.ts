/** Embedded logs of one test, closed when it ends. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { onTestFinished } from 'vitest';
import { EmbeddedLogBroker, type EmbeddedLogBrokerDeps } from '../../adapters/embedded-log/embedded-log-broker.ts';
import { MemoryTelemetry } from '../../adapters/memory/memory-telemetry.ts';
import { systemClock } from '../../adapters/system.ts';
import { assert } from '../../core/assert.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import { aTemporaryFolder } from './temporary-folder.ts';

type Settings = Partial<EmbeddedLogBrokerDeps>;

export interface OpenLog extends AsyncDisposable {
  readonly log: EmbeddedLogBroker;
  readonly telemetry: MemoryTelemetry;
}

/** For a moment of a test: `await using`. */
export function openLog(folder: string, settings: Settings = {}): OpenLog {
  const telemetry = new MemoryTelemetry();
  const log = new EmbeddedLogBroker({ folder, clock: systemClock, telemetry, ...settings });
  return { log, telemetry, [Symbol.asyncDispose]: () => log.close() };
}

/** For the whole test. */
export function aLog(folder = aTemporaryFolder(), settings: Settings = {}): EmbeddedLogBroker {
  const { log } = openLog(folder, settings);
  onTestFinished(() => log.close());
  return log;
}

export async function aQueue(log: EmbeddedLogBroker, topic = 'orders'): Promise<MessageQueue> {
  await log.ensureTopic(topic, { queues: 1 });
  const [queue] = await log.queues(topic);
  assert(queue !== undefined, 'the topic has a queue');
  return queue;
}

/** Paths of all segment files, in the order of their offsets. */
export function segmentsIn(folder: string): readonly string[] {
  const topics = join(folder, 'topics');
  const names = readdirSync(topics, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.segment'))
    .map((name) => join(topics, name))
    .toSorted();
}

/** As another process would: opening and closing files of a database here would release the locks that this process holds. */
export function copyFolder(from: string, to: string): void {
  execFileSync('cp', ['-R', from, to]);
}

/** Of the queue's last segment, as the log's database has it. */
export function lengthsIn(folder: string): { readonly bytes: number; readonly syncedBytes: number } {
  const database = new DatabaseSync(join(folder, 'log.db'));
  try {
    const row = database.prepare('SELECT segment_bytes AS bytes, synced_bytes AS syncedBytes FROM queue').get();
    return row as unknown as { bytes: number; syncedBytes: number };
  } finally {
    database.close();
  }
}
