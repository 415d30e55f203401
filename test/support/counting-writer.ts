/**
 * A process that counts up its own entry of one shared document: `counting-writer.ts PATH NAME [TARGET]`. Says `ready`,
 * starts with the next message, tells each count that was acknowledged, and ends at TARGET; without one it goes on until
 * it is killed.
 */
import { once } from 'node:events';
import process from 'node:process';
import { SqliteStateStore } from '../../adapters/sqlite/sqlite-state-store.ts';
import { systemClock, systemRandom } from '../../adapters/system.ts';

const [path = '', name = '', target = 'Infinity'] = process.argv.slice(2);
const key = { partition: 'shared', sort: 'counts' };

process.send?.('ready');
await once(process, 'message');
const store = new SqliteStateStore({ path, clock: systemClock, random: systemRandom });
await store.put(key, '{}', { ifAbsent: true });
for (let count = 1; count <= Number(target); count += 1) {
  await countUp(count);
  // Waits until it is handed over, so that the parent knows all but the last count of a process that it kills.
  await new Promise((resolve) => process.send?.(count, resolve));
}
store.close();
process.disconnect();

async function countUp(count: number): Promise<void> {
  let current = await store.get(key);
  while (current !== null) {
    const counts = { ...(JSON.parse(current.value) as Record<string, number>), [name]: count };
    const answer = await store.put(key, JSON.stringify(counts), { ifVersion: current.version });
    if ('version' in answer) return;
    current = answer.current;
  }
  throw new Error('the shared document is gone');
}
