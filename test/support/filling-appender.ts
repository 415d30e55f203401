/** A process that appends records until the log refuses, and prints how many were acknowledged and why: `filling-appender.ts FOLDER`. */
import process from 'node:process';
import { EmbeddedLogBroker } from '../../adapters/embedded-log/embedded-log-broker.ts';
import { MemoryTelemetry } from '../../adapters/memory/memory-telemetry.ts';
import { systemClock } from '../../adapters/system.ts';
import { ConnectError } from '../../core/errors.ts';

/** Far more than the limit under which the test runs this. */
const RECORDS_MAX = 10_000;

const log = new EmbeddedLogBroker({ folder: process.argv[2] ?? '', clock: systemClock, telemetry: new MemoryTelemetry() });
await log.ensureTopic('filling', { queues: 1 });
const [queue] = await log.queues('filling');
let acknowledged = 0;
try {
  while (queue !== undefined && acknowledged < RECORDS_MAX) {
    await log.send(queue, [{ key: null, value: new Uint8Array(3_000).fill(acknowledged), tag: null, headers: [], bornAtMs: 0 }]);
    acknowledged += 1;
  }
} catch (error) {
  const refusal = error instanceof ConnectError ? { name: error.name, code: error.code, message: error.message } : String(error);
  process.stdout.write(JSON.stringify({ acknowledged, refusal }));
}
await log.close();
