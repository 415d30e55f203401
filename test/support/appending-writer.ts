/**
 * A process or thread that appends batches to every queue of a topic, each queue from a sender of its own:
 * `appending-writer.ts FOLDER TOPIC NAME RECORDS [BATCHES [interval]]`. Says `ready`, starts with the next message, tells each batch that
 * was acknowledged as `QUEUE/BATCH`, and ends after BATCHES; without a number it goes on until it is killed. The value of a
 * record is `NAME/BATCH/INDEX`, filled up to about 1 KB.
 */
import { once } from 'node:events';
import process from 'node:process';
import { parentPort } from 'node:worker_threads';
import { EmbeddedLogBroker } from '../../adapters/embedded-log/embedded-log-broker.ts';
import { MemoryTelemetry } from '../../adapters/memory/memory-telemetry.ts';
import { systemClock } from '../../adapters/system.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import type { OutgoingRecord } from '../../core/ports.ts';

const VALUE_CHARACTERS = 1_000;

const [folder = '', topic = '', name = '', records = '', batches = 'Infinity', fsync = 'group'] = process.argv.slice(2);
const encoder = new TextEncoder();

const log = new EmbeddedLogBroker({
  folder,
  clock: systemClock,
  telemetry: new MemoryTelemetry(),
  segmentBytes: 500_000,
  fsync: fsync === 'interval' ? { intervalMs: 50 } : 'group',
});
await say('ready');
await (parentPort === null ? once(process, 'message') : once(parentPort, 'message'));
await Promise.all((await log.queues(topic)).map(append));
await log.close();
if (parentPort === null) process.disconnect();
else parentPort.close();

async function append(queue: MessageQueue): Promise<void> {
  for (let batch = 0; batch < Number(batches); batch += 1) {
    await log.send(
      queue,
      Array.from({ length: Number(records) }, (_, index) => aRecord(`${name}/${batch}/${index}`)),
    );
    await say(`${queue.queueId}/${batch}`);
  }
}

/** Waits until it is handed over, so that the parent knows all but the last one of whom it kills. */
async function say(message: string): Promise<void> {
  if (parentPort === null) await new Promise((resolve) => process.send?.(message, resolve));
  else parentPort.postMessage(message);
}

function aRecord(text: string): OutgoingRecord {
  const value = encoder.encode(text.padEnd(VALUE_CHARACTERS));
  return { key: null, value, tag: null, headers: [], bornAtMs: systemClock.nowMs() };
}
