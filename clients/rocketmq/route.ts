/**
 * Where the queues of a topic lie: plain data, so that it can be stored and handed on.
 *
 * A queue is named by topic, broker name and number; each broker numbers its own from 0. The brokers are in the order of their
 * names, so that every client knows the same order of queues.
 */
import { z } from 'zod';
import type { MessageQueue } from '../../core/message-queue.ts';
import { type LenientJson, parseLenientJson } from './lenient-json.ts';

export interface BrokerRoute {
  readonly brokerName: string;
  /** `host:port` of the master; empty while there is none. A slave may lack what its master has acknowledged. */
  readonly address: string;
  /** Queues that can be read, and that can be written to: from 0 on. */
  readonly readQueues: number;
  readonly writeQueues: number;
}

export interface TopicRoute {
  readonly brokers: readonly BrokerRoute[];
}

const PERMISSION_READ = 4;
const PERMISSION_WRITE = 2;

const whole = z.coerce.number();

const routeSchema = z.object({
  brokerDatas: z.array(z.object({ brokerName: z.string(), brokerAddrs: z.record(z.string(), z.string()) })),
  queueDatas: z.array(z.object({ brokerName: z.string(), perm: whole, readQueueNums: whole, writeQueueNums: whole })),
});

/** @throws {Error} where the body is no route. */
export function parseRoute(body: Buffer): TopicRoute {
  const { brokerDatas, queueDatas } = routeSchema.parse(plain(body));
  const addresses = new Map(brokerDatas.map(({ brokerName, brokerAddrs }) => [brokerName, masterOf(brokerAddrs)]));
  const brokers = queueDatas.map(({ brokerName, perm, readQueueNums, writeQueueNums }) => ({
    brokerName,
    address: addresses.get(brokerName) ?? '',
    readQueues: (perm & PERMISSION_READ) === 0 ? 0 : readQueueNums,
    writeQueues: (perm & PERMISSION_WRITE) === 0 ? 0 : writeQueueNums,
  }));
  return { brokers: brokers.sort((a, b) => (a.brokerName < b.brokerName ? -1 : 1)) };
}

/** A broker has a queue for reading, or for writing. */
export type QueueUse = 'readQueues' | 'writeQueues';

export function queuesOfRoute(topic: string, { brokers }: TopicRoute, use: QueueUse): readonly MessageQueue[] {
  return brokers
    .filter(({ address }) => use === 'readQueues' || address !== '')
    .flatMap(({ brokerName, [use]: queues }) => Array.from({ length: queues }, (_, queueId) => ({ topic, brokerName, queueId })));
}

const clusterSchema = z.object({
  brokerAddrTable: z.record(z.string(), z.object({ brokerAddrs: z.record(z.string(), z.string()) })),
});

export interface BrokerAddress {
  readonly brokerName: string;
  readonly address: string;
}

/** Every broker that can be written to, in the order of their names. */
export function parseCluster(body: Buffer): readonly BrokerAddress[] {
  const { brokerAddrTable } = clusterSchema.parse(plain(body));
  return Object.entries(brokerAddrTable)
    .map(([brokerName, { brokerAddrs }]) => ({ brokerName, address: masterOf(brokerAddrs) }))
    .filter(({ address }) => address !== '')
    .sort((a, b) => (a.brokerName < b.brokerName ? -1 : 1));
}

/** Number 0; where a slave acts as the master, NameServers say that it is number 0, and that nothing can be written. */
function masterOf(addresses: Readonly<Record<string, string>>): string {
  return addresses['0'] ?? '';
}

function plain(body: Buffer): LenientJson {
  return parseLenientJson(body.toString());
}
