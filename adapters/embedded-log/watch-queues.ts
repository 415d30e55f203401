import { type MessageQueue, queueKey } from '../../core/message-queue.ts';
import type { Offset } from '../../core/offset.ts';
import type { CancelSignal, Clock } from '../../core/ports.ts';
import type { LogDatabase } from './log-database.ts';
import type { LogWatch } from './log-watch.ts';
import type { QueueState } from './topic-catalog.ts';

/** Of its time a watch spends at most one part in so many on looking, however often it is woken and however much it watches. */
const REST_PER_LOOK = 10;

/** A watched queue: which one it was when last seen, and up to where its records have been announced. */
interface Watched {
  readonly queue: MessageQueue;
  readonly from: Offset;
  id: number | undefined;
  seen: Offset;
}

/** Yields a queue again only when it has grown since. A queue that does not exist holds no record, and may come to exist. */
export async function* watchQueues(
  { database, watch, clock }: { readonly database: LogDatabase; readonly watch: LogWatch; readonly clock: Clock },
  queues: readonly { readonly queue: MessageQueue; readonly from: Offset }[],
  signal: CancelSignal,
): AsyncIterable<MessageQueue> {
  const watched = queues.map(({ queue, from }): Watched => ({ queue, from, id: undefined, seen: from }));
  const keys = queues.map(({ queue }) => queueKey(queue));
  let grown: Watched[] = [];
  watch.start();
  while (!signal.aborted) {
    const next = grown.shift();
    if (next !== undefined) {
      yield next.queue;
      continue;
    }
    const startedAtMs = clock.monotonicMs();
    grown = database.readTogether((catalog) => watched.filter((entry) => lookAgain(entry, catalog.state(entry.queue))));
    if (grown.length > 0) continue;
    const restMs = Math.floor((clock.monotonicMs() - startedAtMs) * REST_PER_LOOK);
    await watch.wait({ keys, signal });
    if (restMs > 0) await clock.sleep(restMs, signal);
  }
}

/** Whether records lie behind what was seen of the queue; from then on they count as seen. */
function lookAgain(entry: Watched, state: QueueState | undefined): boolean {
  if (state?.id !== entry.id) Object.assign(entry, { id: state?.id, seen: entry.from });
  if (state === undefined) return false;
  const hasGrown = state.next > entry.seen && state.next > state.min;
  if (hasGrown) entry.seen = state.next;
  return hasGrown;
}
