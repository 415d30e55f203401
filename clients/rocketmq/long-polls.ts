/**
 * Waits for messages at the ends of queues: the broker holds a pull until one comes. It goes on holding it when nobody waits any more,
 * and looks at the time only every five seconds: so one poll for each queue and offset serves all who wait there, those who come
 * later included.
 */
import { type MessageQueue, queueKey } from '../../core/message-queue.ts';
import type { CancelSignal, Clock } from '../../core/ports.ts';
import type { Pulled } from './commands/pull-message.ts';

/** How long a broker holds a pull: Java's `brokerSuspendMaxTimeMillis`. */
export const POLL_MS = 15_000;

/** A broker answers up to five seconds late, and may be slow besides. */
const OVERDUE_AFTER_MS = POLL_MS + 15_000;

const OVER = 'over';

export interface Poll {
  readonly answer: Promise<Pulled>;
  /** The answer is overdue. `true`: nothing else came either, and all that waits on this connection fails, the answer too. */
  giveUp(): boolean;
}

interface Held extends Poll {
  readonly overdueAtMs: number;
}

export interface PollWait {
  /** Absent: as long as it takes. */
  readonly durationMs?: number;
  readonly signal?: CancelSignal | undefined;
}

export class LongPolls {
  readonly #clock: Clock;
  readonly #begin: (queue: MessageQueue, at: bigint) => Promise<Poll>;
  readonly #held = new Map<string, Promise<Held>>();

  constructor(clock: Clock, begin: (queue: MessageQueue, at: bigint) => Promise<Poll>) {
    this.#clock = clock;
    this.#begin = begin;
  }

  /**
   * What the broker answered once there was something at `at`; `null` when the wait is over before, or aborted.
   *
   * @throws what `begin` and its answer throw.
   */
  async wait(
    queue: MessageQueue,
    at: bigint,
    { durationMs = Number.POSITIVE_INFINITY, signal }: PollWait,
  ): Promise<Pulled | null> {
    const untilMs = this.#clock.monotonicMs() + durationMs;
    for (;;) {
      if (signal?.aborted === true || this.#clock.monotonicMs() >= untilMs) return null;
      const poll = await this.#poll(queue, at);
      const nowMs = this.#clock.monotonicMs();
      const forMs = Math.max(Math.min(untilMs, poll.overdueAtMs) - nowMs, 0);
      const pulled = await this.#orLater(poll.answer, forMs, signal);
      if (pulled !== null && pulled.status !== 'end') return pulled;
      if (pulled === null && this.#clock.monotonicMs() >= poll.overdueAtMs) {
        if (poll.giveUp()) return poll.answer;
        // A broker that answers others has forgotten it, and is asked anew.
        this.#held.delete(keyOf(queue, at));
      }
    }
  }

  #poll(queue: MessageQueue, at: bigint): Promise<Held> {
    const key = keyOf(queue, at);
    const known = this.#held.get(key);
    if (known !== undefined) return known;
    const held = this.#begin(queue, at).then((poll) => ({ ...poll, overdueAtMs: this.#clock.monotonicMs() + OVERDUE_AFTER_MS }));
    this.#held.set(key, held);
    const end = (): void => {
      if (this.#held.get(key) === held) this.#held.delete(key);
    };
    held.then(({ answer }) => answer).then(end, end);
    return held;
  }

  #orLater(answer: Promise<Pulled>, durationMs: number, signal: CancelSignal | undefined): Promise<Pulled | null> {
    return new Promise((resolve, reject) => {
      const over = new AbortController();
      const settle = (): void => {
        over.abort(OVER);
        signal?.removeEventListener('abort', settle);
        resolve(null);
      };
      if (signal?.aborted === true) settle();
      signal?.addEventListener('abort', settle, { once: true });
      answer.then(resolve, reject).finally(settle);
      void this.#clock.sleep(durationMs, over.signal).then(settle);
    });
  }
}

function keyOf(queue: MessageQueue, at: bigint): string {
  return `${queueKey(queue)}@${at}`;
}
