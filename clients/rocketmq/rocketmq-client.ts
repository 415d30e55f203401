/**
 * RocketMQ over its remoting protocol, addressed by offset: who reads says where, and keeps what is finished to itself.
 *
 * It registers nowhere and does nothing by itself: no heartbeat, no background work, no timer while nobody waits. That makes it fit for
 * functions that run for a moment, and makes its groups show as offline in the broker's tools.
 *
 * Calls throw `RetryableError` (`broker.unavailable`: nobody answered, or a broker is away; `broker.throttled`: the broker has too much to do) or
 * `FatalTaskError` (`broker.topic_missing`, `broker.topic_refused`, `broker.unauthorized`, and `broker.refused` for all else). Every one answers or throws within
 * thirty seconds, a send within twenty (`sender.ts`), a wait so much after its time.
 */
import type { ConnectError } from '../../core/errors.ts';
import { type MessageQueue, queueKey } from '../../core/message-queue.ts';
import type { Clock } from '../../core/ports.ts';
import { checkCluster } from './check-cluster.ts';
import { Cluster, type ClusterSettings } from './cluster.ts';
import type { Command } from './command.ts';
import { checkClient } from './commands/check-client.ts';
import type { QueueSpan } from './commands/get-topic-stats.ts';
import { type MessageFilter, type Pulled, pullMessage } from './commands/pull-message.ts';
import { searchOffset } from './commands/search-offset.ts';
import { ConsumerGroups } from './consumer-groups.ts';
import { failureOf, unavailable } from './failure.ts';
import { LongPolls, POLL_MS, type Poll, type PollWait } from './long-polls.ts';
import { Names } from './names.ts';
import type { OutgoingMessages } from './outgoing-messages.ts';
import { QueueSpans } from './queue-spans.ts';
import { type QueueUse, queuesOfRoute } from './route.ts';
import type { KnownRoutes } from './routes.ts';
import type { Sent } from './send-messages.ts';
import { Sender } from './sender.ts';
import { sqlProblem } from './sql-check.ts';
import { TopicAdmin } from './topic-admin.ts';
import { FIRST_PACE, type Pace, pullStretch, type Stretch, type StretchEnd } from './windowed-pull.ts';

/** RocketMQ's default, `maxMessageSize`. 5.3.3, `MessageStoreConfig.java`. */
const BATCH_BYTES_MAX = 4 * 1024 * 1024;

export interface RocketmqSettings extends ClusterSettings {
  /** The instance of a hosted cluster: stands before each name of a topic or group there, and nowhere here. */
  readonly namespace?: string | undefined;
  /** Under which name messages are read and sent; a broker makes it where it may. */
  readonly group: string;
  /** Of a batch, and so of a message: the brokers' `maxMessageSize`. Absent: RocketMQ's default. */
  readonly batchBytesMax?: number | undefined;
}

export interface PullLimits {
  readonly messages: number;
  readonly filter?: MessageFilter;
}

export interface ReadLimits {
  readonly messages: number;
  /** About; how much a message has is guessed from earlier ones. */
  readonly bytes: number;
}

/** As many as some 500 messages take. Whoever reads comes again, and has noted meanwhile how far it came. */
const FILTERED_PULLS_MAX = 16;

/** Queues whose pace is remembered; beyond that all are learned anew. */
const PACES_MAX = 10_000;

export class RocketmqClient {
  readonly batchBytesMax: number;
  readonly topics: TopicAdmin;
  readonly groups: ConsumerGroups;
  readonly #clock: Clock;
  readonly #sender: Sender;
  readonly #spans: QueueSpans;
  readonly #cluster: Cluster;
  readonly #names: Names;
  readonly #group: string;
  readonly #polls: LongPolls;
  readonly #paces = new Map<string, Pace>();

  constructor(settings: RocketmqSettings, clock: Clock) {
    this.#clock = clock;
    this.#cluster = new Cluster(settings, clock);
    this.#names = new Names(settings.namespace);
    const parts = { cluster: this.#cluster, names: this.#names, clock, group: this.#names.onWire(settings.group) };
    this.topics = new TopicAdmin(parts);
    this.groups = new ConsumerGroups(parts);
    this.#spans = new QueueSpans(parts);
    this.#group = parts.group;
    this.batchBytesMax = settings.batchBytesMax ?? BATCH_BYTES_MAX;
    this.#sender = new Sender({ ...parts, bytesMax: this.batchBytesMax });
    this.#polls = new LongPolls(clock, (queue, at) => this.#beginPoll(queue, at));
  }

  /** For another client, which then asks nobody where topics lie. */
  knownRoutes(): KnownRoutes {
    return this.#cluster.knownRoutes();
  }

  /** Whether the cluster can be used from here; answers and throws as `checkCluster`. */
  check(): Promise<readonly ConnectError[]> {
    return checkCluster(this.#cluster, this.#group);
  }

  /**
   * Why messages cannot be read by this filter; `null` where they can. Every broker is asked: one that cannot parse an expression
   * would let everything pass.
   */
  async filterProblem(filter: MessageFilter): Promise<string | null> {
    if (filter.type === 'TAG') return null;
    if (this.#cluster.hasProxies)
      return 'cannot be checked through a proxy, and a broker lets everything pass that it cannot parse';
    const brokers = await this.#cluster.brokers();
    return sqlProblem(filter.expression, async (expression) => {
      const command = checkClient(this.#group, { ...filter, expression });
      const answers = await Promise.all(brokers.map(({ address }) => this.#cluster.askBroker(address, command)));
      return answers.find((problem) => problem !== null) ?? null;
    });
  }

  /** The queues of a topic that can be read, by broker name and number; none where it does not exist. */
  queues(topic: string): Promise<readonly MessageQueue[]> {
    return this.#queues(topic, 'readQueues');
  }

  /** Those that can be written to: they lie on a master, and are not read to their end only, as of a topic that is to have fewer. */
  writableQueues(topic: string): Promise<readonly MessageQueue[]> {
    return this.#queues(topic, 'writeQueues');
  }

  /** Whether anybody tells of the queue: of one that does not exist, or whose broker is away, nobody does. */
  knows(queue: MessageQueue): Promise<boolean> {
    return this.#cluster.knows(this.#names.queueOnWire(queue), 'readQueues');
  }

  /** What each queue holds, in the order asked; `null` where nobody tells of it. */
  spans(queues: readonly MessageQueue[]): Promise<readonly (QueueSpan | null)[]> {
    return this.#spans.of(queues);
  }

  /** One pull, answered at once: for filtered messages, among which nobody knows how many lie. */
  pull(queue: MessageQueue, offset: bigint, { messages, filter }: PullLimits): Promise<Pulled> {
    return this.#ask(queue, (wire) => pullMessage(wire, { group: this.#group, offset, messages, waitMs: 0, filter }));
  }

  /**
   * Several pulls at once, and what is there; does not wait. Hands over answers with messages in order, and where the wanted ones
   * begin, until `take` says `false`. Answers where to read on, and what the queue held with the last answer.
   */
  async read(queue: MessageQueue, from: bigint, limits: ReadLimits, take: Stretch['take']): Promise<StretchEnd> {
    const key = queueKey(queue);
    const pull: Stretch['pull'] = (offset, messages) => this.pull(queue, offset, { messages });
    const end = await pullStretch({ from, ...limits, pull, take }, this.#paces.get(key) ?? FIRST_PACE);
    this.#notePace(key, end.pace);
    return end;
  }

  /**
   * Messages that a filter lets pass: one pull after the other, for nobody knows how far the next one will have come. Answers as `read`
   * does, and may answer before it has come to the end, without a message.
   */
  async readFiltered(
    queue: MessageQueue,
    from: bigint,
    limits: PullLimits,
    take: Stretch['take'],
  ): Promise<Pick<StretchEnd, 'last' | 'next'>> {
    const key = queueKey(queue);
    let next = from;
    for (let pulls = 1; ; pulls += 1) {
      const last = await this.pull(queue, next, limits);
      const isEnough = last.status === 'found' && !take(last, next);
      const hasMoved = last.status !== 'moved' && last.next > next;
      if (hasMoved) next = last.next;
      if (!isEnough && hasMoved && next < last.max && pulls < FILTERED_PULLS_MAX) continue;
      this.#notePace(key, { ...(this.#paces.get(key) ?? FIRST_PACE), max: last.max });
      return { last, next };
    }
  }

  /** Where the queue ended when it was last read; `null` where nobody knows. */
  knownEnd(queue: MessageQueue): bigint | null {
    return this.#paces.get(queueKey(queue))?.max ?? null;
  }

  /** An answer once there is something at `at`, or something is wrong there; `null` when the wait is over. */
  async poll(queue: MessageQueue, at: bigint, wait: PollWait): Promise<Pulled | null> {
    const pulled = await this.#polls.wait(queue, at, wait);
    const pace = this.#paces.get(queueKey(queue));
    if (pulled !== null && pace !== undefined) this.#paces.set(queueKey(queue), { ...pace, max: pulled.max });
    return pulled;
  }

  /** The first message stored at or after `atMs`, the end of the queue where there is none; `null` where nobody tells of it. */
  async searchOffset(queue: MessageQueue, atMs: number): Promise<bigint | null> {
    // A broker finds 0 in whatever does not exist.
    const [span] = await this.spans([queue]);
    if (span === null || span === undefined) return null;
    const found = await this.#ask(queue, (wire) => searchOffset(wire, atMs));
    return found >= span.min ? found : span.min;
  }

  /** In order, appended when this resolves, durable as far as the broker makes it; what it refuses is left out. */
  send(queue: MessageQueue, messages: OutgoingMessages, bornAtMs: number): Promise<Sent> {
    return this.#sender.send(this.#names.queueOnWire(queue), messages, bornAtMs);
  }

  /** Everything in flight ends. */
  close(): Promise<void> {
    return this.#cluster.close();
  }

  #notePace(key: string, pace: Pace): void {
    if (this.#paces.size >= PACES_MAX) this.#paces.clear();
    this.#paces.set(key, pace);
  }

  async #queues(topic: string, use: QueueUse): Promise<readonly MessageQueue[]> {
    const route = await this.#cluster.route(this.#names.onWire(topic));
    return route === null ? [] : queuesOfRoute(topic, route, use);
  }

  #ask<Answer>(queue: MessageQueue, command: (wire: MessageQueue) => Command<Answer>): Promise<Answer> {
    const wire = this.#names.queueOnWire(queue);
    return this.#cluster.askOf(wire, 'readQueues', command(wire));
  }

  async #beginPoll(queue: MessageQueue, offset: bigint): Promise<Poll> {
    const wire = this.#names.queueOnWire(queue);
    const command = pullMessage(wire, { group: this.#group, offset, messages: 32, waitMs: POLL_MS });
    const connection = await this.#cluster.reach(wire, 'readQueues');
    const { address } = connection;
    const begunAtMs = this.#clock.monotonicMs();
    const answer = connection.request(command, null).then(
      (response) => {
        try {
          return command.answer(response);
        } catch (error) {
          throw failureOf(error, { address, what: command.what });
        }
      },
      (error: unknown) => {
        throw unavailable(address, command.what, error);
      },
    );
    const giveUp = (): boolean => {
      const isSilent = connection.receivedAtMs <= begunAtMs;
      if (isSilent) connection.fail('nothing came back while a poll was to be answered');
      return isSilent;
    };
    return { answer, giveUp };
  }
}
