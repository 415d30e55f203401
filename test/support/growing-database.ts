/**
 * A process that creates topics in a log whose database cannot grow, the first one with a name of so many characters:
 * `growing-database.ts FOLDER CHARACTERS`. Prints what became of each, and which topics there are in the end.
 */
import process from 'node:process';
import { EmbeddedLogBroker } from '../../adapters/embedded-log/embedded-log-broker.ts';
import { MemoryTelemetry } from '../../adapters/memory/memory-telemetry.ts';
import { systemClock } from '../../adapters/system.ts';
import { ConnectError } from '../../core/errors.ts';

const [folder = '', characters = ''] = process.argv.slice(2);
const log = new EmbeddedLogBroker({ folder, clock: systemClock, telemetry: new MemoryTelemetry() });
const created: unknown[] = [];
for (const name of ['large'.padEnd(Number(characters)), 'next', 'last']) {
  created.push(await log.ensureTopic(name, { queues: 1 }).then(() => 'created', refusal));
}
const topics = (await log.topics()).map((name) => name.trimEnd());
process.stdout.write(JSON.stringify({ created, topics }));
await log.close();

function refusal(error: unknown): unknown {
  return error instanceof ConnectError ? { name: error.name, code: error.code, message: error.message } : String(error);
}
