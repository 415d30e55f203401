/** The queues of topics at the target, as long as they are not too old: a topic may get more of them, and fewer. */
import type { RocketmqClient } from '../../../clients/rocketmq/rocketmq-client.ts';
import { FatalTaskError, RetryableError } from '../../../core/errors.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import type { Clock } from '../../../core/ports.ts';
import type { SinkSettings } from './sink-config.ts';

/** A record may go to another queue than one of its key before when the list has changed, so it is not looked at all the time. */
const AGE_MAX_MS = 60_000;

/** A pattern may match thousands; each is learned anew with one request. */
const TOPICS_MAX = 1_000;

interface Known {
  readonly queues: readonly MessageQueue[];
  readonly askedAtMs: number;
}

export class TargetTopics {
  readonly #queuesOfNew: number;
  readonly #client: RocketmqClient;
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();

  constructor(config: SinkSettings, { client, clock }: { readonly client: RocketmqClient; readonly clock: Clock }) {
    this.#queuesOfNew = config['topic.queues'];
    this.#client = client;
    this.#clock = clock;
  }

  /**
   * At least one.
   *
   * @throws {FatalTaskError} `broker.topic_missing` where it does not exist and none is created.
   * @throws {RetryableError} `broker.unavailable` where none can be written to, or no broker is there.
   */
  async queues(topic: string): Promise<readonly MessageQueue[]> {
    const known = this.#known.get(topic);
    const nowMs = this.#clock.monotonicMs();
    if (known !== undefined && nowMs - known.askedAtMs < AGE_MAX_MS) return known.queues;
    const queues = await this.#ask(topic);
    if (this.#known.size >= TOPICS_MAX) this.#known.clear();
    this.#known.set(topic, { queues, askedAtMs: nowMs });
    return queues;
  }

  /** It is not what it was. */
  forget(topic: string): void {
    this.#known.delete(topic);
  }

  async #ask(topic: string): Promise<readonly MessageQueue[]> {
    const existing = await this.#client.writableQueues(topic);
    if (existing.length > 0) return existing;
    if (await this.#client.topics.exists(topic)) throw notWritable(topic);
    if (this.#queuesOfNew === 0) {
      const next = 'next: create it there, or set topic.queues, with which it is created';
      throw new FatalTaskError(`topic ${topic} does not exist at the target; ${next}`, { code: 'broker.topic_missing' });
    }
    await this.#client.topics.create(topic, this.#queuesOfNew);
    const created = await this.#client.writableQueues(topic);
    if (created.length > 0) return created;
    throw notWritable(topic);
  }
}

function notWritable(topic: string): RetryableError {
  const next = 'next: check that a broker that has it runs, and that it may be written to (`perm`, `writeQueueNums`)';
  return new RetryableError(`topic ${topic} exists at the target and has no queue that can be written to; ${next}`, {
    code: 'broker.unavailable',
  });
}
