import type { Pulled } from '../../clients/rocketmq/commands/pull-message.ts';
import { messageBytes, type OutgoingMessage } from '../../clients/rocketmq/outgoing-message.ts';
import type { RocketmqClient } from '../../clients/rocketmq/rocketmq-client.ts';
import { assert } from '../../core/assert.ts';
import { ConnectError, type RecordError } from '../../core/errors.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import { maxOffset, type Offset, offset } from '../../core/offset.ts';
import type {
  CancelSignal,
  Clock,
  GroupOffset,
  LogBroker,
  OutgoingRecord,
  QueueBounds,
  ReadLimits,
  ReadResult,
  SendResult,
} from '../../core/ports.ts';
import { recordTooLarge } from '../record-limit.ts';
import { queueMissing } from '../topic-missing.ts';
import { RecordCollector } from './record-collector.ts';
import { propertiesTooLarge, toMessage } from './record-properties.ts';
import { watchQueues } from './watch-queues.ts';

export interface RocketmqLogBrokerDeps {
  /** Closed with the broker. */
  readonly client: RocketmqClient;
  readonly clock: Clock;
}

type Refused = { readonly index: number; readonly error: RecordError };

/**
 * Topics of a RocketMQ cluster as a log. `record-properties.ts` says how a record lies in a message.
 *
 * What a `send` has appended is as durable as the cluster makes what it acknowledges: `flushDiskType=SYNC_FLUSH` outlives a loss of
 * power, the default outlives a death of the broker's process.
 */
export class RocketmqLogBroker implements LogBroker {
  readonly #client: RocketmqClient;
  readonly #clock: Clock;

  constructor({ client, clock }: RocketmqLogBrokerDeps) {
    this.#client = client;
    this.#clock = clock;
  }

  topicProblem(topic: string): string | null {
    return this.#client.topics.problem(topic);
  }

  queues(topic: string): Promise<readonly MessageQueue[]> {
    return this.#client.queues(topic);
  }

  topics(): Promise<readonly string[]> {
    return this.#client.topics.list();
  }

  async bounds(queues: readonly MessageQueue[]): Promise<readonly (QueueBounds | null)[]> {
    return (await this.#client.spans(queues)).map((span) => (span === null ? null : rangeOf(span)));
  }

  async read(queue: MessageQueue, from: Offset, limits: ReadLimits, signal?: CancelSignal): Promise<ReadResult> {
    assert(limits.records >= 1, 'a read asks for at least one record');
    const untilMs = this.#clock.monotonicMs() + limits.waitMs;
    // Whoever read up to the end, and comes again to wait there, need not hear again that there is nothing.
    if (limits.waitMs > 0 && this.#client.knownEnd(queue) !== from) {
      const result = await this.#readNow(queue, from, limits);
      if (result.next !== from || result.bounds.max !== from) return result;
    }
    if (limits.waitMs > 0) {
      const durationMs = Math.max(untilMs - this.#clock.monotonicMs(), 1);
      const polled = await this.#client.poll(queue, from, { durationMs, signal });
      if (polled?.status === 'found') return taken(queue, from, limits, polled);
    }
    return this.#readNow(queue, from, limits);
  }

  async send(queue: MessageQueue, records: readonly OutgoingRecord[]): Promise<SendResult> {
    const refused: Refused[] = [];
    const accepted: number[] = [];
    const messages: OutgoingMessage[] = [];
    const bornAtMs = wholeTime(records[0]?.bornAtMs ?? 0);
    for (const [index, record] of records.entries()) {
      const message = toMessage(record, bornAtMs);
      const error = this.#tooLarge(message);
      if (error !== null) refused.push({ index, error });
      else {
        accepted.push(index);
        messages.push(message);
      }
    }
    const sent = await this.#client.send(queue, messages, bornAtMs);
    for (const { index, error } of sent.refused) refused.push({ index: accepted[index] ?? 0, error });
    const endOffset = sent.end === null ? await this.#endOf(queue) : offset(sent.end);
    return { endOffset, refused: refused.sort((a, b) => a.index - b.index) };
  }

  async ensureTopic(topic: string, { queues }: { readonly queues: number }): Promise<void> {
    if ((await this.#client.queues(topic)).length === 0) await this.#client.topics.create(topic, queues);
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
          await this.#client.noteGroupOffset(queue, groupName(group), at);
        } catch (error) {
          if (!(error instanceof ConnectError) || error.code !== 'broker.topic_missing') throw error;
        }
      }),
    );
  }

  async groups(topic: string): Promise<ReadonlyMap<string, readonly GroupOffset[]>> {
    const [queues, groups] = await Promise.all([this.#client.queues(topic), this.#client.groups(topic)]);
    const noted = groups.map(async (group): Promise<readonly [string, readonly GroupOffset[]]> => {
      const offsets = await Promise.all(queues.map((queue) => this.#client.groupOffset(queue, group)));
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

  async #readNow(queue: MessageQueue, from: Offset, limits: ReadLimits): Promise<ReadResult> {
    const collector = new RecordCollector(queue, limits);
    const { last, next } = await this.#client.read(
      queue,
      from,
      { messages: limits.records, bytes: limits.bytes },
      (answer, wanted) => collector.take(answer.body, wanted),
    );
    return { records: collector.records, next: collector.stoppedAt ?? offset(next), bounds: rangeOf(last) };
  }

  #tooLarge(message: OutgoingMessage): RecordError | null {
    const bytes = messageBytes(message);
    const { batchBytesMax } = this.#client;
    return bytes > batchBytesMax ? recordTooLarge(bytes, batchBytesMax) : propertiesTooLarge(message);
  }

  async #endOf(queue: MessageQueue): Promise<Offset> {
    const [bounds] = await this.bounds([queue]);
    if (bounds === null || bounds === undefined) throw queueMissing(queue);
    return bounds.max;
  }
}

function taken(queue: MessageQueue, from: Offset, limits: ReadLimits, polled: Pulled): ReadResult {
  const collector = new RecordCollector(queue, limits);
  collector.take(polled.body, from);
  return {
    records: collector.records,
    next: collector.stoppedAt ?? maxOffset(from, offset(polled.next)),
    bounds: rangeOf(polled),
  };
}

/** A message's time is a whole number; another is kept beside it, as that of each record is where it differs. */
function wholeTime(atMs: number): number {
  return Number.isSafeInteger(atMs) ? atMs : 0;
}

/** A queue without a file yet says -1. */
function rangeOf({ min, max }: { readonly min: bigint; readonly max: bigint }): QueueBounds {
  const lowest = offset(min < 0n ? 0n : min);
  return { min: lowest, max: maxOffset(lowest, offset(max < 0n ? 0n : max)) };
}

/** What RocketMQ takes for the name of a group: at most 120 letters, digits, `%`, `_` and `-`. 5.3.3, `Validators.java`. */
function groupName(group: string): string {
  return group.replace(/[^%\w-]/g, '_').slice(0, 120);
}

function groupOffset(queue: MessageQueue, at: bigint | null): readonly GroupOffset[] {
  return at === null ? [] : [{ queue, offset: offset(at) }];
}
