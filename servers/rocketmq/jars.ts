/** RocketMQ's servers as Maven has them: fetched once for each user, some 90 MB. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const ROCKETMQ_VERSION = '5.3.3';

/** How often a fetch says that it still runs. */
const PROGRESS_EVERY_MS = 5_000;

/**
 * The folder with the jars.
 *
 * @throws {Error} with Maven's own words when it cannot fetch them.
 */
export async function rocketmqJars(say: (text: string) => void): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sortie', 'servers');
  const folder = join(cache, `rocketmq-${ROCKETMQ_VERSION}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const partial = mkdtempSync(join(cache, 'fetching-'));
  try {
    await fetchInto(partial, say);
    // Whoever else fetched them at the same time has the same.
    if (!existsSync(folder)) renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return folder;
}

async function fetchInto(folder: string, say: (text: string) => void): Promise<void> {
  const startedAtMs = Date.now();
  say(`fetching RocketMQ ${ROCKETMQ_VERSION} with Maven, some 90 MB, once ...`);
  const timer = setInterval(() => say(`still fetching, for ${seconds(startedAtMs)}`), PROGRESS_EVERY_MS);
  try {
    await maven(folder);
  } finally {
    clearInterval(timer);
  }
  say(`fetched in ${seconds(startedAtMs)}`);
}

function maven(folder: string): Promise<void> {
  const pom = join(import.meta.dirname, 'pom.xml');
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}`];
  const child = spawn('mvn', ['-q', '-B', '-f', pom, ...goal], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-2_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`Maven could not fetch RocketMQ (exit ${code}):\n${output}`));
    });
  });
}

function seconds(sinceMs: number): string {
  return `${((Date.now() - sinceMs) / 1_000).toFixed(0)} s`;
}
