/** A RocketMQ of its own, and the product on it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../adapters/system.ts';
import { RocketmqClient } from '../../clients/rocketmq/rocketmq-client.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import { RocketmqServers } from '../../servers/rocketmq/rocketmq-servers.ts';
import type { Report } from '../figure.ts';
import type { Sortie } from '../whole/sortie.ts';
import { type Whole, withWhole } from '../whole/whole.ts';

export interface OnRocketmq {
  readonly whole: Whole;
  /** Started once, for all that is measured. */
  readonly sortie: Sortie;
  /** For raw loops, and to look on. */
  readonly client: RocketmqClient;
  /** One that has no connection yet. */
  newClient(): RocketmqClient;
}

/** Of every topic. */
export const QUEUES = 8;

/** Nobody looks at keys and values. */
export const UNTOUCHED = { 'key.converter': 'bytes', 'value.converter': 'bytes' };

export async function withRocketmq({ note }: Report, body: (bench: OnRocketmq) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-bench-rocketmq-'));
  const servers = await RocketmqServers.start({ folder, say: note });
  try {
    await servers.startBroker('broker-a');
    await withServers(servers, body);
  } finally {
    await servers.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function withServers({ nameServer }: RocketmqServers, body: (bench: OnRocketmq) => Promise<void>): Promise<void> {
  const settings = { nameServers: [nameServer], group: 'bench' };
  const newClient = (): RocketmqClient => new RocketmqClient(settings, systemClock);
  const client = newClient();
  const env = { SORTIE_BROKER: 'rocketmq', SORTIE_ROCKETMQ_NAMESRV_ADDR: nameServer };
  try {
    await withWhole((whole) => body({ whole, sortie: whole.start(), client, newClient }), {
      settings: { kind: 'rocketmq', ...settings },
      env,
    });
  } finally {
    await client.close();
  }
}

/** Made where it is not there. */
export async function topicQueues(client: RocketmqClient, topic: string): Promise<readonly MessageQueue[]> {
  if ((await client.queues(topic)).length === 0) await client.topics.create(topic, QUEUES);
  return client.queues(topic);
}
