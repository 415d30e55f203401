/**
 * Numbers through a topic of a real RocketMQ into three sinks, while the broker is killed three times and started again at once, and
 * a process that runs invocations every two seconds. What the broker acknowledged has to be in each sink: once where it
 * says so, and in the one that appends no more often than invocations that died may explain. Then a clean stop in the
 * middle, which may repeat nothing at all.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RocketmqLogBroker } from '../../../adapters/rocketmq/rocketmq-log-broker.ts';
import { systemClock } from '../../../adapters/system.ts';
import { RocketmqClient } from '../../../clients/rocketmq/rocketmq-client.ts';
import { RocketmqServers } from '../../../servers/rocketmq/rocketmq-servers.ts';
import { killNowAndThen } from '../../killer.ts';
import { type Server, sortie, startServer } from '../../server.ts';
import { NumberProducer, QUEUES, TOPIC } from './numbers.ts';
import { appended, appendedAgain, FILES, type Held, LINES, lookAt, SINKS } from './targets.ts';

const BROKER = 'broker-a';
const BROKER_KILLS = 3;
const KILL_EVERY_MS = 2_000;
/** Of what is moved after that, so much is moved before the clean stop. */
const BEFORE_STOP = 0.3;
const LOOK_EVERY_MS = 50;
/** A shard that was killed too often goes on a minute later. */
const DRAINS_WITHIN_S = 300;

export interface BrokerSoakOptions {
  readonly folder: string;
  /** Moved while everything is killed; a tenth of them more around the clean stop. */
  readonly records: number;
  readonly say: (text: string) => void;
}

export interface BrokerSoak extends Held {
  readonly brokersKilled: number;
  readonly processesKilled: number;
  readonly invocationsKilled: number;
  /** Beyond what the topic holds, in the sink that appends. */
  readonly appendedAgain: number;
  /** What those of that sink may have appended and not committed: the most that any of it committed at once, for each. */
  readonly appendedAgainMax: number;
  /** Of sends of which the producer was told nothing. */
  readonly sendsRepeated: number;
  /** Appended again after the clean stop. */
  readonly againAfterStop: number;
  readonly seconds: number;
}

export function isPassed({ lost, duplicated, outOfOrder, appendedAgain, appendedAgainMax, againAfterStop }: BrokerSoak): boolean {
  return lost + duplicated + outOfOrder + againAfterStop === 0 && appendedAgain <= appendedAgainMax;
}

export async function soakBroker({ folder, records, say }: BrokerSoakOptions): Promise<BrokerSoak> {
  const brokerSettings = { flushDiskType: 'SYNC_FLUSH' };
  const servers = await RocketmqServers.start({ folder: join(folder, 'rocketmq'), say, brokerSettings });
  const client = new RocketmqClient({ nameServers: [servers.nameServer], group: 'soak' }, systemClock);
  const log = new RocketmqLogBroker({ client, clock: systemClock });
  try {
    await servers.startBroker(BROKER);
    await log.ensureTopic(TOPIC, { queues: QUEUES });
    return await moved({ folder, records, say }, servers, log);
  } finally {
    await log.close();
    await servers.stop();
  }
}

async function moved(
  { folder, records, say }: BrokerSoakOptions,
  servers: RocketmqServers,
  log: RocketmqLogBroker,
): Promise<BrokerSoak> {
  const startedAtMs = performance.now();
  const flags = ['--broker', 'rocketmq', '--rocketmq-namesrv-addr', servers.nameServer];
  const start = (): Server => startServer(folder, { port: 0, flags });
  const producer = new NumberProducer(log, await log.queues(TOPIC), () => appended(folder));
  const first = start();
  let second: Server | null = null;
  try {
    const url = await readyAt(first);
    await applied(folder, url);
    say(`${records.toLocaleString('en-US')} records, with everything killed on the way`);
    const brokersKilled = await underFire({ folder, records, say }, { servers, producer, server: first });
    await drained(folder, url);
    const [filesUid, linesUid] = [await uidOf(url, FILES), await uidOf(url, LINES)];
    const again = await appendedAgain(folder, log, producer.sent);
    say(`${again.toLocaleString('en-US')} were appended again; now a clean stop`);

    const { sending } = await stopAmid({ folder, records, say }, { producer, server: first });
    second = start();
    const secondUrl = await readyAt(second);
    await sending;
    await drained(folder, secondUrl);
    await second.stop();
    return {
      ...(await lookAt(folder, { log, filesUid, end: producer.sent })),
      brokersKilled,
      processesKilled: first.hostsKilled(),
      invocationsKilled: first.invocationsKilled(),
      appendedAgain: again,
      appendedAgainMax: killedOf(first, linesUid) * largestCommit(first),
      sendsRepeated: producer.failures,
      againAfterStop: (await appendedAgain(folder, log, producer.sent)) - again,
      seconds: Math.round((performance.now() - startedAtMs) / 1_000),
    };
  } finally {
    await first.stop();
    await second?.stop();
  }
}

interface Stage {
  readonly producer: NumberProducer;
  readonly server: Server;
}

/** Answers how often the broker was killed. */
async function underFire(
  { folder, records, say }: BrokerSoakOptions,
  { servers, producer, server }: Stage & { readonly servers: RocketmqServers },
): Promise<number> {
  const over = new AbortController();
  const killing = killNowAndThen(server, KILL_EVERY_MS, over.signal);
  const sending = producer.sendUpTo(records);
  const failed = Promise.race([never(sending), server.ended.then(() => endedByItself(server))]);
  let kills = 0;
  while (kills < BROKER_KILLS) {
    await Promise.race([untilAppended(folder, ((kills + 1) * records) / (BROKER_KILLS + 2)), failed]);
    await servers.killBroker(BROKER);
    kills += 1;
    say(`the broker is killed at ${appended(folder).toLocaleString('en-US')} records, for the ${kills}. time`);
    await servers.restartBroker(BROKER);
  }
  await Promise.race([sending.then(() => untilAppended(folder, records)), failed]);
  over.abort();
  await killing;
  return kills;
}

/** With SIGTERM, while records are on their way. Answers what goes on: all of them are sent. */
async function stopAmid(
  { folder, records, say }: BrokerSoakOptions,
  { producer, server }: Stage,
): Promise<{ readonly sending: Promise<void> }> {
  const before = appended(folder);
  const more = Math.ceil(records / 10);
  const sending = producer.sendUpTo(producer.sent + more);
  await Promise.race([untilAppended(folder, before + more * BEFORE_STOP), never(sending)]);
  await server.stop();
  say(`stopped after ${(appended(folder) - before).toLocaleString('en-US')} of ${more.toLocaleString('en-US')} records more`);
  return { sending };
}

/** Fails as it does, and never ends otherwise. */
function never(work: Promise<unknown>): Promise<never> {
  return work.then(() => new Promise<never>(() => undefined));
}

function endedByItself(server: Server): never {
  throw new Error(`sortie ended by itself:\n${server.said()}`);
}

async function applied(folder: string, url: string): Promise<void> {
  const connectors = join(folder, 'connectors');
  mkdirSync(connectors);
  for (const [name, config] of Object.entries(SINKS)) {
    writeFileSync(join(connectors, `${name}.json`), JSON.stringify({ name, config }));
  }
  await sortie(folder, ['apply', '-f', 'connectors', '--url', url]);
}

async function untilAppended(folder: string, count: number): Promise<void> {
  while (appended(folder) < count) await sleep(LOOK_EVERY_MS);
}

async function drained(folder: string, url: string): Promise<void> {
  const options = ['--wait', '--timeout', String(DRAINS_WITHIN_S), '--url', url];
  for (const name of Object.keys(SINKS)) await sortie(folder, ['run', name, ...options]);
}

async function readyAt(server: Server): Promise<string> {
  const url = await server.ready();
  return url ?? endedByItself(server);
}

/** The API's names of shards begin with it. */
async function uidOf(url: string, name: string): Promise<string> {
  const answer = await fetch(`${url}/sortie/v1/connectors/${name}/shards`);
  return ((await answer.json()) as { readonly uid: string }).uid;
}

function killedOf({ shardsKilled }: Server, uid: string): number {
  return shardsKilled.filter((shard) => shard.includes(uid)).length;
}

function largestCommit({ runs }: Server): number {
  const largest = runs.filter(({ connector }) => connector === LINES).map(({ measures }) => measures?.commitRecords?.max ?? 0);
  return Math.max(0, ...largest);
}
