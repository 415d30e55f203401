/**
 * Copies how far consumer groups have come, so that a group that moves to the target goes on there with what it has not consumed.
 *
 * Copies do not have the offsets of their records. A group is put at the first copy, in each queue of the target, whose record it has
 * not consumed: what lies before is consumed, and of what lies behind, it may have consumed some. That copy is looked for from the
 * time on when the oldest record was stored that the group has not consumed, for no copy is older than its record.
 *
 * Offsets are only ever moved forward: a group that consumes at the target has its own.
 */
import type { RecordReading } from '../../../clients/rocketmq/records/read-records.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import { maxOffset, type Offset } from '../../../core/offset.ts';
import type { GroupOffset } from '../../../core/ports.ts';
import type { LogRecord } from '../../../core/record/connect-record.ts';
import type { PluginContext } from '../../api/context.ts';
import type { PollResult, SourceReader } from '../../api/source.ts';
import { asSourceError } from '../../replication/other-cluster.ts';
import { topicFor } from '../../replication/replication-keys.ts';
import { consumedBy, isConsumed } from './consumed.ts';
import { queuesOf, topicsToCopy } from './queues-to-copy.ts';
import type { SourceSettings } from './source-config.ts';

/** Most by which the clocks of the two clusters may differ. Twice as much would only mean that more is read for nothing. */
const SKEW_MAX_MS = 30_000;

/** How long one poll works, and one look for a copy lasts: a claim has twenty seconds. What is not done then is done next. */
const POLL_FOR_MS = 5_000;

const READ_LIMITS = { records: 1_000, bytes: 4 * 1024 * 1024, waitMs: 0 };

/** One group in one topic of the target. */
interface Task {
  readonly group: string;
  readonly target: string;
  /** All that are copied to that topic. */
  readonly queues: readonly MessageQueue[];
}

export class GroupReader implements SourceReader {
  readonly #reading: RecordReading;
  readonly #config: SourceSettings;
  readonly #context: PluginContext;
  #tasks: readonly Task[] = [];
  #dueAtMs = 0;

  /** The client is closed with the reader. */
  constructor(reading: RecordReading, { config, context }: { readonly config: SourceSettings; readonly context: PluginContext }) {
    this.#reading = reading;
    this.#config = config;
    this.#context = context;
  }

  async poll(): Promise<PollResult> {
    const { clock } = this.#reading;
    const startedAtMs = clock.monotonicMs();
    if (this.#tasks.length === 0 && startedAtMs < this.#dueAtMs) return nothing(this.#dueAtMs - startedAtMs);
    try {
      if (this.#tasks.length === 0) await this.#begin(startedAtMs);
      const untilMs = startedAtMs + POLL_FOR_MS;
      for (let task = this.#tasks[0]; task !== undefined && clock.monotonicMs() < untilMs; task = this.#tasks[0]) {
        await this.#copy(task, untilMs);
        this.#tasks = this.#tasks.slice(1);
      }
    } catch (error) {
      throw asSourceError(error);
    }
    return this.#tasks.length > 0 ? nothing(0) : nothing(Math.max(0, this.#dueAtMs - clock.monotonicMs()));
  }

  close(): Promise<void> {
    return this.#reading.client.close();
  }

  // -------------------------------------------------------------------------------------------------------------------

  async #begin(nowMs: number): Promise<void> {
    const { client } = this.#reading;
    const queues = await queuesOf(client, await topicsToCopy(client, this.#config));
    const byTarget = new Map<string, MessageQueue[]>();
    for (const [topic, found] of queues) {
      const target = topicFor(this.#config, topic);
      byTarget.set(target, [...(byTarget.get(target) ?? []), ...found]);
    }
    const groups = this.#config['sync.groups'];
    this.#tasks = [...byTarget].flatMap(([target, of]) => groups.map((group) => ({ group, target, queues: of })));
    this.#dueAtMs = nowMs + this.#config['sync.groups.interval.ms'];
  }

  async #copy({ group, target, queues }: Task, untilMs: number): Promise<void> {
    const { broker, shard, count } = this.#context;
    const consumed = await consumedBy(this.#reading, group, queues);
    if (consumed === null) return;
    const known = (await broker.groups(target)).get(group) ?? [];
    const isPast = isConsumed(consumed, shard);
    const sinceMs = Math.max(0, consumed.sinceMs - SKEW_MAX_MS);
    const moved = await Promise.all(
      (await broker.queues(target)).map(async (queue): Promise<readonly GroupOffset[]> => {
        const noted = known.find((each) => isSame(each.queue, queue))?.offset ?? null;
        const since = await broker.offsetAt(queue, sinceMs);
        const from = noted === null ? since : maxOffset(noted, since);
        const at = await this.#firstNot(isPast, { queue, from, untilMs });
        return noted !== null && at <= noted ? [] : [{ queue, offset: at }];
      }),
    );
    const offsets = moved.flat();
    if (offsets.length === 0) return;
    await broker.noteGroup(group, offsets);
    count('group_offsets_copied', offsets.length);
  }

  /** Where the first record lies that is not past, or the end; or how far it was looked at in the time there is. */
  async #firstNot(
    isPast: (record: LogRecord) => boolean,
    { queue, from, untilMs }: { readonly queue: MessageQueue; readonly from: Offset; readonly untilMs: number },
  ): Promise<Offset> {
    const { broker, clock } = this.#context;
    for (let at = from; ; ) {
      const { records, next } = await broker.read(queue, at, READ_LIMITS);
      const found = records.find((record) => !isPast(record));
      if (found !== undefined) return found.offset;
      if (next <= at || clock.monotonicMs() >= untilMs) return maxOffset(at, next);
      at = next;
    }
  }
}

function isSame(a: MessageQueue, b: MessageQueue): boolean {
  return a.brokerName === b.brokerName && a.queueId === b.queueId;
}

function nothing(idleForMs: number): PollResult {
  return { records: [], checkpoint: null, idleForMs };
}
