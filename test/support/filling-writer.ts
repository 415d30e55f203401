/** A process that writes documents until the store refuses, and prints how many there are and why: `filling-writer.ts PATH`. */
import process from 'node:process';
import { SqliteStateStore } from '../../adapters/sqlite/sqlite-state-store.ts';
import { systemClock, systemRandom } from '../../adapters/system.ts';
import { ConnectError } from '../../core/errors.ts';

/** Far more than the limit under which the test runs this. */
const DOCUMENTS_MAX = 100_000;

const store = new SqliteStateStore({ path: process.argv[2] ?? '', clock: systemClock, random: systemRandom });
let written = 0;
try {
  while (written < DOCUMENTS_MAX) {
    await store.put({ partition: 'filling', sort: String(written) }, 'x'.repeat(1_000), { ifAbsent: true });
    written += 1;
  }
} catch (error) {
  const refusal = error instanceof ConnectError ? { name: error.name, code: error.code, message: error.message } : String(error);
  process.stdout.write(JSON.stringify({ written, refusal }));
}
