import { assert } from '../../../core/assert.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import type { Offset } from '../../../core/offset.ts';
import type { LogBroker, ReadLimits } from '../../../core/ports.ts';
import type { LogRecord } from '../../../core/record/connect-record.ts';
import type { Case, Skip } from '../cases.ts';

/** What an operator of the log can do beside the port. A log that lacks one skips the cases that need it. */
export interface LogOperator {
  readonly deleteTopic: (topic: string) => Promise<void>;
  readonly addQueue: (topic: string) => Promise<void>;
  /** Retention: afterwards the queue's `min` is `min`. */
  readonly expireBefore: (queue: MessageQueue, min: Offset) => Promise<void>;
}

export interface LogUnderTest {
  readonly broker: LogBroker;
  readonly operator: Partial<LogOperator>;
  /** Begins every topic name of this run, so that runs may share a server. */
  readonly topicPrefix: string;
  /** A name that no topic can have; absent where every name can be one. */
  readonly impossibleTopic?: string;
  /** Absent: it knows tags alone. */
  readonly knowsSql92?: true;
  /** A record whose value alone has more bytes is refused. */
  readonly recordBytesMax: number;
  /** Lets this much time pass, for store times and for waiting reads. */
  readonly elapse: (durationMs: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface LogBrokerContract {
  readonly name: string;
  /** A log of its own for each case. */
  newBroker(): Promise<LogUnderTest>;
  readonly skip?: readonly Skip[];
  /** Runs of each property; the default is fast-check's. Lower it where each call is a round trip. */
  readonly propertyRuns?: number;
  /** Of one case; absent: Vitest's own. */
  readonly timeoutMs?: number;
}

export interface CaseLog extends Partial<LogOperator>, Omit<LogUnderTest, 'operator' | 'topicPrefix'> {
  /** A name nobody has used. */
  readonly topicName: (suffix: string) => string;
  /** The queues of a new topic. */
  readonly newQueues: (count: number) => Promise<readonly MessageQueue[]>;
  readonly newQueue: () => Promise<MessageQueue>;
}

export type LogCase = Case<CaseLog>;

export function caseLog({ operator, topicPrefix, ...log }: LogUnderTest): CaseLog {
  let topics = 0;
  const topicName = (suffix: string): string => `${topicPrefix}-${suffix}`;
  const newQueues = async (count: number): Promise<readonly MessageQueue[]> => {
    topics += 1;
    const topic = topicName(`case-${topics}`);
    await log.broker.ensureTopic(topic, { queues: count });
    return log.broker.queues(topic);
  };
  return { ...log, ...operator, topicName, newQueues, newQueue: async () => only(await newQueues(1)) };
}

/** The one item there is. */
export function only<Item>(items: readonly Item[]): Item {
  const [item] = items;
  assert(item !== undefined && items.length === 1, `expected one, got ${items.length}`);
  return item;
}

/** Far above what any case sends. */
export const ALL: ReadLimits = { records: 1_000_000, bytes: 1_000_000_000, waitMs: 0 };

/** Longer than any test runs: a read that waits it out fails its test. */
export const TOO_LONG_MS = 3_600_000;

/** Reads on until the queue gives nothing more: a log may answer less than the limits allow. */
export async function readAll(broker: LogBroker, queue: MessageQueue, from: Offset): Promise<readonly LogRecord[]> {
  const records: LogRecord[] = [];
  let at = from;
  while (true) {
    const { records: some, next } = await broker.read(queue, at, ALL);
    if (next === at) return records;
    records.push(...some);
    at = next;
  }
}
