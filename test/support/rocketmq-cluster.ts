/** Real servers for the tests of one file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { missingJavaTools } from '../../servers/java-tools.ts';
import { RocketmqServers, type RocketmqServersOptions } from '../../servers/rocketmq/rocketmq-servers.ts';

/** Fetching the servers included. */
export const START_TIMEOUT_MS = 300_000;

/** Defines tests that need real servers; where these cannot run, one test that is skipped says why. */
export function withRealServers(what: string, define: () => void): void {
  const missing = missingJavaTools();
  if (missing === null) define();
  else test(what, ({ skip }) => skip(missing));
}

/** Started before the tests of this file or `describe`, ended after them. */
export function aCluster({
  brokers,
  ...options
}: { readonly brokers: readonly string[] } & Omit<RocketmqServersOptions, 'folder' | 'say'>): () => RocketmqServers {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-test-'));
  let servers: RocketmqServers | null = null;
  const started = (): RocketmqServers => {
    if (servers === null) throw new Error('the servers are there once tests run');
    return servers;
  };

  beforeAll(async () => {
    servers = await RocketmqServers.start({ ...options, folder, say: (text) => process.stderr.write(`${text}\n`) });
    for (const broker of brokers) await servers.startBroker(broker);
  }, START_TIMEOUT_MS);

  afterAll(async () => {
    await servers?.stop();
    rmSync(folder, { recursive: true });
  });

  return started;
}
