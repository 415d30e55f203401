/**
 * Sends that come to an end: all requests of one together have `SEND_WITHIN_MS`. Whoever waits is told then, whatever is under way,
 * and no request begins any more, so that what may still land is in the broker's hands by then.
 */
import { ConnectError, type RetryableError } from '../../core/errors.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import type { Clock } from '../../core/ports.ts';
import type { Cluster } from './cluster.ts';
import type { Command } from './command.ts';
import { unavailable } from './failure.ts';
import type { OutgoingMessage } from './outgoing-message.ts';
import { type Sent, sendMessages } from './send-messages.ts';

/** Enough for two requests that are answered late; a log has thirty seconds, and may have to ask where a queue ends besides. */
const SEND_WITHIN_MS = 20_000;

/** A busy broker stored nothing. Altogether not longer than a broker's own patience with a full queue, five times over. */
const BUSY_PAUSES_MS = [50, 100, 200, 400];

/** A reason of its own spares each end an exception with a stack. */
const OVER = 'over';

export interface SenderParts {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly group: string;
  /** What a broker takes at once, `maxMessageSize`. */
  readonly bytesMax: number;
}

export class Sender {
  readonly #parts: SenderParts;
  /** Some hosted brokers take single messages only. */
  #takesBatches = true;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /** To a queue by its name on the wire. @throws {RetryableError} `broker.unavailable` also when it takes too long. */
  send(queue: MessageQueue, messages: readonly OutgoingMessage[], bornAtMs: number): Promise<Sent> {
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
    return this.#inTime(sending, queue);
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

  async #inTime(sending: Promise<Sent>, queue: MessageQueue): Promise<Sent> {
    const done = new AbortController();
    const late = this.#parts.clock.sleep(SEND_WITHIN_MS, done.signal).then((): Promise<Sent> => {
      if (done.signal.aborted) return sending;
      throw tookTooLong(queue);
    });
    try {
      return await Promise.race([sending, late]);
    } finally {
      done.abort(OVER);
      late.catch(() => undefined);
    }
  }
}

function tookTooLong({ topic, brokerName }: MessageQueue): RetryableError {
  return unavailable(`broker ${brokerName}`, `send to topic ${topic}, which took more than ${SEND_WITHIN_MS} ms in all`);
}
