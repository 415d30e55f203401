/** What `file-sink` has published. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../adapters/system.ts';

const PUBLISHED_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 20;

/** So many bytes of lines, in parts that are published: soon after the last commit, as the invocations end. */
export async function demandPublished(directory: string, wanted: number): Promise<void> {
  const untilMs = performance.now() + PUBLISHED_WITHIN_MS;
  let published = 0;
  while (performance.now() < untilMs) {
    const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
    const parts = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.txt'));
    published = parts.reduce((bytes, { parentPath, name }) => bytes + statSync(join(parentPath, name)).size, 0);
    if (published === wanted) return;
    await systemClock.sleep(LOOK_EVERY_MS);
  }
  throw new Error(`${published} of ${wanted} bytes were published in ${directory}`);
}
