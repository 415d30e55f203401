/** What servers are made of: fetched once for each user, into a cache outside the repository. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** How often a fetch says that it still runs. */
const PROGRESS_EVERY_MS = 5_000;

export interface Fetch {
  /** Of the folder; another version has another name. */
  readonly name: string;
  /** What is fetched, how much of it, and how: `RocketMQ 5.3.3 with Maven, some 90 MB`. */
  readonly what: string;
  readonly say: (text: string) => void;
  readonly into: (folder: string) => Promise<void>;
}

/** The folder that holds it. @throws {Error} when it cannot be had. */
export async function fetched({ name, what, say, into }: Fetch): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sortie', 'servers');
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const partial = mkdtempSync(join(cache, 'fetching-'));
  const startedAtMs = Date.now();
  say(`fetching ${what}, once ...`);
  const timer = setInterval(() => say(`still fetching, for ${seconds(startedAtMs)}`), PROGRESS_EVERY_MS);
  try {
    await into(partial);
    // Whoever else fetched it at the same time has the same.
    if (!existsSync(folder)) renameSync(partial, folder);
  } finally {
    clearInterval(timer);
    rmSync(partial, { recursive: true, force: true });
  }
  say(`fetched in ${seconds(startedAtMs)}`);
  return folder;
}

function seconds(sinceMs: number): string {
  return `${((Date.now() - sinceMs) / 1_000).toFixed(0)} s`;
}
