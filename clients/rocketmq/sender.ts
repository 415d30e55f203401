/**
 * Sends that come to an end: all requests of one together have `SEND_WITHIN_MS`. Whoever waits is told then, whatever is under way,
 * and no request begins any more, so that what may still land is in the broker's hands by then.
 */
import { ConnectError, type RetryableError } from '../../core/errors.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import type { Clock } from '../../core/ports.ts';
import { Alarm } from './alarm.ts';
import type { Cluster } from './cluster.ts';
import type { Command } from './command.ts';
import { unavailable } from './failure.ts';
import type { OutgoingMessages } from './outgoing-messages.ts';
import { type Sent, sendMessages } from './send-messages.ts';

/** Enough for two requests that are answered late; a log has thirty seconds, and may have to ask where a queue ends besides. */
const SEND_WITHIN_MS = 20_000;

/** A busy broker stored nothing. Altogether not longer than a broker's own patience with a full queue, five times over. */
const BUSY_PAUSES_MS = [50, 100, 200, 400];

export interface SenderParts {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly group: string;
  /** What a broker takes at once, `maxMessageSize`. */
  readonly bytesMax: number;
}

interface OpenSend {
  readonly queue: MessageQueue;
  /** Monotonic. */
  readonly untilMs: number;
  readonly reject: (error: RetryableError) => void;
}

export class Sender {
  readonly #parts: SenderParts;
  /** In the order of their ends. */
  readonly #open = new Set<OpenSend>();
  readonly #alarm: Alarm;
  /** Some hosted brokers take single messages only. */
  #takesBatches = true;

  constructor(parts: SenderParts) {
    this.#parts = parts;
    this.#alarm = new Alarm(parts.clock, () => this.#endOverdue());
  }

  /** To a queue by its name on the wire. @throws {RetryableError} `broker.unavailable` also when it takes too long. */
  send(queue: MessageQueue, messages: OutgoingMessages, bornAtMs: number): Promise<Sent> {
    const { group, bytesMax, clock } = this.#parts;
    const untilMs = clock.monotonicMs() + SEND_WITHIN_MS;
    const sending = sendMessages(messages, {
      queue,
      group,
      bornAtMs,
      bytesMax,
      ask: (command) => this.#askPatiently(queue, command, untilMs),
      takesBatches: () => this.#takesBatches,
      refusedBatches: () => {
        this.#takesBatches = false;
      },
    });
    return this.#inTime(sending, queue, untilMs);
  }

  /** What was turned away because the broker is busy is sent again. */
  async #askPatiently<Answer>(queue: MessageQueue, command: Command<Answer>, untilMs: number): Promise<Answer> {
    const { cluster, clock } = this.#parts;
    for (const pauseMs of BUSY_PAUSES_MS) {
      try {
        return await cluster.askOf(queue, 'writeQueues', command, { untilMs });
      } catch (error) {
        if (!(error instanceof ConnectError) || error.code !== 'broker.throttled') throw error;
      }
      await clock.sleep(pauseMs);
    }
    return cluster.askOf(queue, 'writeQueues', command, { untilMs });
  }

  #inTime(sending: Promise<Sent>, queue: MessageQueue, untilMs: number): Promise<Sent> {
    return new Promise((resolve, reject) => {
      const open = { queue, untilMs, reject };
      this.#open.add(open);
      this.#alarm.set(untilMs);
      const isOver = (): void => {
        this.#open.delete(open);
        if (this.#open.size === 0) this.#alarm.off();
      };
      sending.finally(isOver).then(resolve, reject);
    });
  }

  #endOverdue(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const open of this.#open) {
      if (open.untilMs > nowMs) {
        this.#alarm.set(open.untilMs);
        return;
      }
      this.#open.delete(open);
      open.reject(tookTooLong(open.queue));
    }
  }
}

function tookTooLong({ topic, brokerName }: MessageQueue): RetryableError {
  return unavailable(`broker ${brokerName}`, `send to topic ${topic}, which took more than ${SEND_WITHIN_MS} ms in all`);
}
