import { boundsOf, messageFilter, readRecords } from '../../clients/rocketmq/records/read-records.ts';
import { sendRecords } from '../../clients/rocketmq/records/send-records.ts';
import type { RocketmqClient } from '../../clients/rocketmq/rocketmq-client.ts';
import { ConnectError } from '../../core/errors.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import { type Offset, offset } from '../../core/offset.ts';
import type {
  CancelSignal,
  Clock,
  GroupOffset,
  LogBroker,
  OutgoingRecord,
  QueueBounds,
  QueueUse,
  ReadLimits,
  ReadResult,
  RecordFilter,
  SendResult,
} from '../../core/ports.ts';
import { queueMissing } from '../../core/topic-missing.ts';
import { watchQueues } from './watch-queues.ts';

export interface RocketmqLogBrokerDeps {
  /** Closed with the broker. */
  readonly client: RocketmqClient;
  readonly clock: Clock;
}

/**
 * Topics of a RocketMQ cluster as a log. `clients/rocketmq/records/record-properties.ts` says how a record lies in a message.
 *
 * What a `send` has appended is as durable as the cluster makes what it acknowledges: `flushDiskType=SYNC_FLUSH` outlives a loss of
 * power, the default outlives a death of the broker's process.
 */
export class RocketmqLogBroker implements LogBroker {
  /**
   * A request that nobody waits for any more may be in the network, or in the broker's queue of them: there for as long as its
   * `waitTimeMillsInSendQueue` says, 200 ms where nobody has set it, and then it is turned away. A broker that lets requests wait for
   * longer than most of a second breaks this; docs/rocketmq.md says so.
   */
  readonly sendLandsWithinMs = 1_000;
  readonly #client: RocketmqClient;
  readonly #clock: Clock;

  constructor({ client, clock }: RocketmqLogBrokerDeps) {
    this.#client = client;
    this.#clock = clock;
  }

  topicProblem(topic: string): string | null {
    return this.#client.topics.problem(topic);
  }

  filterProblem(filter: RecordFilter): Promise<string | null> {
    return this.#client.filterProblem(messageFilter(filter));
  }

  queues(topic: string, use: QueueUse = 'reading'): Promise<readonly MessageQueue[]> {
    return use === 'writing' ? this.#client.writableQueues(topic) : this.#client.queues(topic);
  }

  topics(): Promise<readonly string[]> {
    return this.#client.topics.list();
  }

  async bounds(queues: readonly MessageQueue[]): Promise<readonly (QueueBounds | null)[]> {
    return (await this.#client.spans(queues)).map((span) => (span === null ? null : boundsOf(span)));
  }

  read(queue: MessageQueue, from: Offset, limits: ReadLimits, signal?: CancelSignal): Promise<ReadResult> {
    return readRecords({ client: this.#client, clock: this.#clock }, { queue, from }, limits, signal);
  }

  async send(queue: MessageQueue, records: readonly OutgoingRecord[]): Promise<SendResult> {
    const { end, refused } = await sendRecords(this.#client, queue, records);
    return { endOffset: end === null ? await this.#endOf(queue) : offset(end), refused };
  }

  async ensureTopic(topic: string, { queues }: { readonly queues: number }): Promise<void> {
    if (!(await this.#client.topics.exists(topic))) await this.#client.topics.create(topic, queues);
  }

  async offsetAt(queue: MessageQueue, atMs: number): Promise<Offset> {
    const found = await this.#client.searchOffset(queue, atMs);
    if (found === null) throw queueMissing(queue);
    return offset(found);
  }

  async noteGroup(group: string, offsets: readonly GroupOffset[]): Promise<void> {
    await Promise.all(
      offsets.map(async ({ queue, offset: at }) => {
        try {
          await this.#client.groups.note(queue, groupName(group), at);
        } catch (error) {
          if (!(error instanceof ConnectError) || error.code !== 'broker.topic_missing') throw error;
        }
      }),
    );
  }

  async groups(topic: string): Promise<ReadonlyMap<string, readonly GroupOffset[]>> {
    const [queues, groups] = await Promise.all([this.#client.queues(topic), this.#client.groups.of(topic)]);
    const noted = groups.map(async (group): Promise<readonly [string, readonly GroupOffset[]]> => {
      const offsets = await Promise.all(queues.map((queue) => this.#client.groups.offset(queue, group)));
      return [group, queues.flatMap((queue, index) => groupOffset(queue, offsets[index] ?? null))];
    });
    return new Map((await Promise.all(noted)).filter(([, offsets]) => offsets.length > 0));
  }

  watch(
    queues: readonly { readonly queue: MessageQueue; readonly from: Offset }[],
    signal: CancelSignal,
  ): AsyncIterable<MessageQueue> {
    return watchQueues({ client: this.#client, clock: this.#clock }, queues, signal);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #endOf(queue: MessageQueue): Promise<Offset> {
    const [bounds] = await this.bounds([queue]);
    if (bounds === null || bounds === undefined) throw queueMissing(queue);
    return bounds.max;
  }
}

/** What RocketMQ takes for the name of a group: at most 120 letters, digits, `%`, `_` and `-`. 5.3.3, `Validators.java`. */
function groupName(group: string): string {
  return group.replace(/[^%\w-]/g, '_').slice(0, 120);
}

function groupOffset(queue: MessageQueue, at: bigint | null): readonly GroupOffset[] {
  return at === null ? [] : [{ queue, offset: offset(at) }];
}
