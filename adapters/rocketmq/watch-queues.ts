import type { RocketmqClient } from '../../clients/rocketmq/rocketmq-client.ts';
import { ConnectError } from '../../core/errors.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import type { Offset } from '../../core/offset.ts';
import type { CancelSignal, Clock } from '../../core/ports.ts';

/** How often queues that nobody tells of are looked for. */
const LOOK_EVERY_MS = 1_000;

const OVER = 'over';

export interface WatchParts {
  readonly client: RocketmqClient;
  readonly clock: Clock;
}

export interface WatchedQueue {
  readonly queue: MessageQueue;
  readonly from: Offset;
}

/**
 * One long poll for each queue: whoever watches bounds their number. Yields a queue again only when it has grown since. A queue that
 * does not exist, or whose broker is away, holds no record, and may come to.
 *
 * @throws {ConnectError} what a poll throws; whoever watches begins again.
 */
export async function* watchQueues(
  parts: WatchParts,
  queues: readonly WatchedQueue[],
  signal: CancelSignal,
): AsyncIterable<MessageQueue> {
  const over = new AbortController();
  const end = (): void => over.abort(OVER);
  const news = new News();
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  over.signal.addEventListener('abort', () => news.end(), { once: true });
  const grown = (queue: MessageQueue): void => news.tell(queue);
  const followers = queues.map((watched) => follow(parts, watched, { signal: over.signal, grown }));
  for (const follower of followers) follower.catch((error: unknown) => news.fail(error));
  try {
    while (!over.signal.aborted) {
      const queue = await news.next();
      if (queue === null) return;
      yield queue;
    }
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

interface Following {
  readonly signal: AbortSignal;
  readonly grown: (queue: MessageQueue) => void;
}

async function follow({ client, clock }: WatchParts, { queue, from }: WatchedQueue, { signal, grown }: Following): Promise<void> {
  let at: bigint = from;
  while (!signal.aborted) {
    try {
      const answer = await client.poll(queue, at, { signal });
      if (answer === null) return;
      if (answer.max > from && answer.max > at && answer.max > answer.min) grown(queue);
      at = answer.max;
    } catch (error) {
      if (!(error instanceof ConnectError) || (await client.knows(queue))) throw error;
      at = from;
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }
}

/** Queues to be told of, each once however often it grew meanwhile; and the end. */
class News {
  readonly #queues = new Set<MessageQueue>();
  #failure: { readonly error: unknown } | null = null;
  #isOver = false;
  #wake: () => void = () => undefined;

  tell(queue: MessageQueue): void {
    this.#queues.add(queue);
    this.#wake();
  }

  fail(error: unknown): void {
    this.#failure = { error };
    this.#wake();
  }

  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  /** `null` at the end. */
  async next(): Promise<MessageQueue | null> {
    for (;;) {
      if (this.#isOver) return null;
      const [queue] = this.#queues;
      if (queue !== undefined) {
        this.#queues.delete(queue);
        return queue;
      }
      if (this.#failure !== null) throw this.#failure.error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
