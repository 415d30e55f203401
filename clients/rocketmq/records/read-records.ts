/** Reads records of a queue: what is there at once, and else waits for the first one at its end. */
import { assert } from '../../../core/assert.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import { maxOffset, type Offset, offset } from '../../../core/offset.ts';
import type { CancelSignal, Clock, QueueBounds, ReadLimits, ReadResult, RecordFilter } from '../../../core/ports.ts';
import type { MessageFilter, Pulled } from '../commands/pull-message.ts';
import type { RocketmqClient } from '../rocketmq-client.ts';
import type { Stretch } from '../windowed-pull.ts';
import type { PulledRecord } from './pulled-record.ts';
import { RecordCollector } from './record-collector.ts';

export interface RecordReading {
  readonly client: RocketmqClient;
  readonly clock: Clock;
}

/** What was read of a broker. */
export interface PulledResult extends ReadResult {
  readonly records: readonly PulledRecord[];
}

/** @throws as the client; {FatalTaskError} `broker.topic_missing` where the queue does not exist. */
export async function readRecords(
  { client, clock }: RecordReading,
  { queue, from }: { readonly queue: MessageQueue; readonly from: Offset },
  limits: ReadLimits,
  signal?: CancelSignal,
): Promise<PulledResult> {
  assert(limits.records >= 1, 'a read asks for at least one record');
  const untilMs = clock.monotonicMs() + limits.waitMs;
  // Whoever read up to the end, and comes again to wait there, need not hear again that there is nothing.
  if (limits.waitMs > 0 && client.knownEnd(queue) !== from) {
    const result = await readNow(client, queue, from, limits);
    if (result.next !== from || result.bounds.max !== from) return result;
  }
  if (limits.waitMs > 0) {
    const durationMs = Math.max(untilMs - clock.monotonicMs(), 1);
    const polled = await client.poll(queue, from, { durationMs, signal });
    // Nobody filtered that.
    if (polled?.status === 'found' && limits.filter === undefined) return taken(queue, from, limits, polled);
  }
  return readNow(client, queue, from, limits);
}

async function readNow(client: RocketmqClient, queue: MessageQueue, from: Offset, limits: ReadLimits): Promise<PulledResult> {
  const collector = new RecordCollector(queue, limits);
  const { records: messages, bytes, filter } = limits;
  const take: Stretch['take'] = (answer, wanted) => collector.take(answer.body, wanted);
  const { last, next } = await (filter === undefined
    ? client.read(queue, from, { messages, bytes }, take)
    : client.readFiltered(queue, from, { messages, filter: messageFilter(filter) }, take));
  return { records: collector.records, next: collector.stoppedAt ?? offset(next), bounds: boundsOf(last) };
}

/** As brokers have it. */
export function messageFilter(filter: RecordFilter): MessageFilter {
  return filter.kind === 'tags'
    ? { type: 'TAG', expression: filter.tags.join(' || ') }
    : { type: 'SQL92', expression: filter.expression };
}

function taken(queue: MessageQueue, from: Offset, limits: ReadLimits, polled: Pulled): PulledResult {
  const collector = new RecordCollector(queue, limits);
  collector.take(polled.body, from);
  return {
    records: collector.records,
    next: collector.stoppedAt ?? maxOffset(from, offset(polled.next)),
    bounds: boundsOf(polled),
  };
}

/** A queue without a file yet says -1. */
export function boundsOf({ min, max }: { readonly min: bigint; readonly max: bigint }): QueueBounds {
  const lowest = offset(min < 0n ? 0n : min);
  return { min: lowest, max: maxOffset(lowest, offset(max < 0n ? 0n : max)) };
}
