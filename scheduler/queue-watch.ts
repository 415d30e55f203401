/**
 * Waits for the ends of queues to grow: one long poll of the log for each queue that has nothing to do, up to a number. Beyond it
 * a queue that moved lately takes the place of the one that has been waited for longest: those that get records now and then
 * are told of them at once, however many there are that get none.
 *
 * A watch that fails, or ends without a record, is begun again after a pause: a log that is away is not asked all the time.
 */
import { ConnectError } from '../core/errors.ts';
import type { MessageQueue } from '../core/message-queue.ts';
import type { Offset } from '../core/offset.ts';
import type { Clock, LogBroker } from '../core/ports.ts';
import type { ShardId } from '../core/shard-id.ts';

export interface QueueWatchDeps {
  readonly broker: LogBroker;
  readonly clock: Clock;
  readonly watchesMax: number;
  /** The queue holds a record at `from`. */
  grown(shard: ShardId, from: Offset): void;
  /** Nobody tells when the queue grows: it lost its place, or cannot be watched at present. */
  unwatched(shard: ShardId): void;
}

/** A reason of its own spares each end an exception with a stack. */
const ENDED = 'ended';

/** Doubled each time, up to the longest a scheduler leaves anything alone that may be well again. */
const AGAIN_FIRST_MS = 500;
const AGAIN_MAX_MS = 15_000;

interface Watch {
  readonly from: Offset;
  readonly sinceMs: number;
  readonly end: AbortController;
}

export class QueueWatch {
  readonly #deps: QueueWatchDeps;
  /** The longest standing first. */
  readonly #watches = new Map<ShardId, Watch>();

  constructor(deps: QueueWatchDeps) {
    this.#deps = deps;
  }

  /**
   * Calls `grown` once, when the queue holds a record at or after `from`. `movedAtMs`: when it last moved. `false`: there are as
   * many watches as there may be, and all others moved later.
   */
  watch(
    shard: ShardId,
    queue: MessageQueue,
    { from, movedAtMs }: { readonly from: Offset; readonly movedAtMs: number | null },
  ): boolean {
    const known = this.#watches.get(shard);
    if (known?.from === from) return true;
    this.end(shard);
    if (this.#watches.size >= this.#deps.watchesMax && !this.#makeRoom(movedAtMs)) return false;
    const watch: Watch = { from, sinceMs: this.#deps.clock.nowMs(), end: new AbortController() };
    this.#watches.set(shard, watch);
    void this.#wait(shard, queue, watch);
    return true;
  }

  end(shard: ShardId): void {
    this.#watches.get(shard)?.end.abort(ENDED);
    this.#watches.delete(shard);
  }

  /** Each place is taken at most once for each time a queue moved. */
  #makeRoom(movedAtMs: number | null): boolean {
    const [oldest] = this.#watches;
    if (oldest === undefined || movedAtMs === null || oldest[1].sinceMs >= movedAtMs) return false;
    this.end(oldest[0]);
    this.#deps.unwatched(oldest[0]);
    return true;
  }

  close(): void {
    for (const shard of [...this.#watches.keys()]) this.end(shard);
  }

  async #wait(shard: ShardId, queue: MessageQueue, watch: Watch): Promise<void> {
    const isOver = (): boolean => watch.end.signal.aborted;
    for (let pauseMs = AGAIN_FIRST_MS; !isOver(); pauseMs = Math.min(2 * pauseMs, AGAIN_MAX_MS)) {
      const hasGrown = await this.#hasGrown(queue, watch);
      if (isOver()) return;
      if (hasGrown) {
        this.#watches.delete(shard);
        this.#deps.grown(shard, watch.from);
        return;
      }
      // The queue's bounds are asked for meanwhile, which says what is wrong, if it lasts.
      this.#deps.unwatched(shard);
      await this.#deps.clock.sleep(pauseMs, watch.end.signal);
    }
  }

  /** `false`: the watch failed, or ended without a record. */
  async #hasGrown(queue: MessageQueue, { from, end }: Watch): Promise<boolean> {
    try {
      for await (const _ of this.#deps.broker.watch([{ queue, from }], end.signal)) return true;
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
    }
    return false;
  }
}
