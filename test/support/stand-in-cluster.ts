/**
 * A name server and a broker in one that keep topics in memory and answer what `clients/rocketmq` asks of them. It stands in for a
 * real cluster where that would be no more than slower; `test/real` shows the same on real servers.
 */
import { EventEmitter, once } from 'node:events';
import { RequestCode, ResponseCode } from '../../clients/rocketmq/codes.ts';
import { findProperty } from '../../clients/rocketmq/properties.ts';
import type { OutgoingRecord } from '../../core/ports.ts';
import { type RemotingAnswer, type RemotingRequest, RemotingServer, type Reply } from './remoting-server.ts';
import { messageOf, type StoredMessage, storedMessage } from './stored-message.ts';

export const BROKER = 'broker-a';

/** What a broker gives for one pull by default. */
const PULL_MESSAGES_MAX = 32;

const TAGS = Buffer.from('TAGS');

type KeptMessage = Omit<StoredMessage, 'offset'> & { readonly storedAtMs: number };

interface StandInQueue {
  /** Retention removed those before. */
  min: number;
  readonly messages: KeptMessage[];
  readonly groups: Map<string, number>;
}

export class StandInCluster {
  /** When what is appended counts as stored, epoch ms. */
  nowMs: number;
  /** Said in the place of what would be; `null`: as usual. */
  answerFirst: (request: RemotingRequest) => Reply | Promise<Reply> | null = () => null;
  readonly #topics = new Map<string, StandInQueue[]>();
  /** That once read something. */
  readonly #groups = new Set<string>();
  readonly #grown = new EventEmitter().setMaxListeners(0);
  #server: RemotingServer | null = null;

  private constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  /** Ends with the test. */
  static async start({ nowMs = 1_700_000_000_000 }: { readonly nowMs?: number } = {}): Promise<StandInCluster> {
    const cluster = new StandInCluster(nowMs);
    cluster.#server = await RemotingServer.start((request) => cluster.answerFirst(request) ?? cluster.#answer(request));
    return cluster;
  }

  get server(): RemotingServer {
    if (this.#server === null) throw new Error('it is started');
    return this.#server;
  }

  createTopic(topic: string, { queues }: { readonly queues: number }): void {
    const found = this.#topics.get(topic) ?? [];
    while (found.length < queues) found.push({ min: 0, messages: [], groups: new Map() });
    this.#topics.set(topic, found.slice(0, queues));
  }

  deleteTopic(topic: string): void {
    this.#topics.delete(topic);
  }

  append(topic: string, queueId: number, records: readonly OutgoingRecord[]): void {
    const kept = records.map((record) => ({
      ...messageOf(record, record.bornAtMs),
      bornAtMs: record.bornAtMs,
      storedAtMs: this.nowMs,
    }));
    this.appendMessages(topic, queueId, kept);
  }

  /** As other producers write them. */
  appendMessages(topic: string, queueId: number, messages: readonly KeptMessage[]): void {
    this.queue(topic, queueId).messages.push(...messages);
    this.#grown.emit('grown');
  }

  messages(topic: string): readonly (readonly KeptMessage[])[] {
    return (this.#topics.get(topic) ?? []).map(({ messages }) => messages);
  }

  /** Retention takes all before `min`. */
  trim(topic: string, queueId: number, min: number): void {
    this.queue(topic, queueId).min = min;
  }

  queue(topic: string, queueId: number): StandInQueue {
    const queue = this.#topics.get(topic)?.[queueId];
    if (queue === undefined) throw new Error(`there is no queue ${queueId} of ${topic}`);
    return queue;
  }

  async #answer(request: RemotingRequest): Promise<Reply> {
    const { code, fields } = request;
    const topic = fields['topic'] ?? fields['b'] ?? '';
    switch (code) {
      case RequestCode.GET_ROUTE:
        return this.#topics.has(topic) ? this.#route(topic) : { code: ResponseCode.TOPIC_NOT_EXIST };
      case RequestCode.GET_CLUSTER:
        return json({ brokerAddrTable: { [BROKER]: { brokerName: BROKER, brokerAddrs: { 0: this.server.address } } } });
      case RequestCode.GET_TOPICS:
        return json({ topicList: [...this.#topics.keys(), 'TBW102'] });
      case RequestCode.GET_SYSTEM_TOPICS:
        return json({ topicList: [BROKER] });
      case RequestCode.CREATE_TOPIC:
        this.createTopic(topic, { queues: Number(fields['readQueueNums']) });
        return {};
      case RequestCode.CHECK_CLIENT_CONFIG:
        return {};
      default:
        return this.#topics.has(topic) ? this.#answerOf(request, topic) : { code: ResponseCode.TOPIC_NOT_EXIST };
    }
  }

  async #answerOf({ code, fields, body }: RemotingRequest, topic: string): Promise<Reply> {
    if (code === RequestCode.GET_TOPIC_STATS) return this.#stats(topic);
    if (code === RequestCode.GET_GROUPS_OF_TOPIC)
      return json({ groupList: [...new Set(this.#topics.get(topic)?.flatMap(({ groups }) => [...groups.keys()]))] });
    const queue = this.#topics.get(topic)?.[Number(fields['queueId'] ?? fields['e'])];
    if (queue === undefined) return { code: ResponseCode.INVALID_PARAMETER };
    switch (code) {
      case RequestCode.PULL_MESSAGE:
        this.#groups.add(fields['consumerGroup'] ?? '');
        return this.#pull(queue, fields);
      case RequestCode.SEND_BATCH_MESSAGE: {
        const at = queue.messages.length;
        this.appendMessages(topic, Number(fields['e']), batchIn(body, { bornAtMs: Number(fields['g']), storedAtMs: this.nowMs }));
        return { fields: { queueOffset: at } };
      }
      case RequestCode.SEARCH_OFFSET_BY_TIMESTAMP: {
        const found = queue.messages.findIndex(({ storedAtMs }) => storedAtMs >= Number(fields['timestamp']));
        return { fields: { offset: found < 0 ? queue.messages.length : found } };
      }
      case RequestCode.QUERY_CONSUMER_OFFSET: {
        const noted = queue.groups.get(fields['consumerGroup'] ?? '');
        return noted === undefined ? { code: ResponseCode.QUERY_NOT_FOUND } : { fields: { offset: noted } };
      }
      case RequestCode.UPDATE_CONSUMER_OFFSET:
        if (!this.#groups.has(fields['consumerGroup'] ?? '')) return { code: ResponseCode.GROUP_NOT_EXIST };
        queue.groups.set(fields['consumerGroup'] ?? '', Number(fields['commitOffset']));
        return {};
      default:
        return { code: ResponseCode.REQUEST_CODE_NOT_SUPPORTED };
    }
  }

  async #pull(queue: StandInQueue, fields: RemotingRequest['fields']): Promise<RemotingAnswer> {
    const from = Number(fields['queueOffset']);
    const isHeld = (Number(fields['sysFlag']) & 2) !== 0;
    while (isHeld && from === queue.messages.length) await once(this.#grown, 'grown');
    const { min, messages } = queue;
    const max = messages.length;
    const bounds = { minOffset: min, maxOffset: max };
    if (from > max || from < min)
      return { code: ResponseCode.PULL_OFFSET_MOVED, fields: { ...bounds, nextBeginOffset: from < min ? min : max } };
    if (from === max) return { code: ResponseCode.PULL_NOT_FOUND, fields: { ...bounds, nextBeginOffset: max } };
    const count = Math.min(Number(fields['maxMsgNums']), PULL_MESSAGES_MAX);
    const end = Math.min(max, from + count);
    const wanted = messages
      .slice(from, end)
      .flatMap((message, index) =>
        passes(message, fields['subscription'] ?? '*') ? [storedMessage({ ...message, offset: from + index })] : [],
      );
    const code = wanted.length === 0 ? ResponseCode.PULL_RETRY_IMMEDIATELY : ResponseCode.SUCCESS;
    return { code, fields: { ...bounds, nextBeginOffset: end }, body: Buffer.concat(wanted) };
  }

  #route(topic: string): RemotingAnswer {
    const queues = this.#topics.get(topic)?.length ?? 0;
    const brokerDatas = [{ brokerName: BROKER, cluster: 'C', brokerAddrs: { 0: this.server.address } }];
    return json({ brokerDatas, queueDatas: [{ brokerName: BROKER, perm: 6, readQueueNums: queues, writeQueueNums: queues }] });
  }

  #stats(topic: string): RemotingAnswer {
    const entries = (this.#topics.get(topic) ?? []).map(({ min, messages }, queueId) => {
      const queue = JSON.stringify({ brokerName: BROKER, queueId, topic });
      return `${queue}:{"minOffset":${min},"maxOffset":${messages.length},"lastUpdateTimestamp":0}`;
    });
    return { body: `{"offsetTable":{${entries.join(',')}}}` };
  }
}

function json(body: unknown): RemotingAnswer {
  return { body: JSON.stringify(body) };
}

/** By its tag, as brokers do it. */
function passes({ properties }: KeptMessage, subscription: string): boolean {
  if (subscription === '*') return true;
  const bytes = Buffer.from(properties);
  const place = findProperty(bytes, { at: 0, end: bytes.length }, TAGS);
  const tag = place === null ? null : bytes.toString('utf8', place.at, place.end);
  return subscription.split('||').some((wanted) => wanted.trim() === tag);
}

/** `clients/rocketmq/outgoing-messages.ts` tells how they lie in it. */
function batchIn(batch: Buffer, times: Pick<KeptMessage, 'bornAtMs' | 'storedAtMs'>): readonly KeptMessage[] {
  const messages: KeptMessage[] = [];
  for (let at = 0; at < batch.length; at += batch.readInt32BE(at)) {
    const bodyEnd = at + 20 + batch.readInt32BE(at + 16);
    const properties = batch.toString('utf8', bodyEnd + 2, bodyEnd + 2 + batch.readInt16BE(bodyEnd));
    messages.push({ body: batch.subarray(at + 20, bodyEnd), properties, ...times });
  }
  return messages;
}
