/** Dead-lettering: a refused record, as it was read, with where and why in its headers. */
import { FatalTaskError, RetryableError } from '../core/errors.ts';
import type { OutgoingRecord, SendResult } from '../core/ports.ts';
import type { ConnectRecord, LogHeaders } from '../core/record/connect-record.ts';
import { parseShardId } from '../core/shard-id.ts';
import type { SliceIdentity } from '../plugins/api/sink.ts';
import { TIMED_OUT, within } from './deadline.ts';
import type { Host } from './host.ts';
import { queuesOf } from './log-writer.ts';
import type { Refusal } from './pipeline.ts';

export interface DeadLetterTopic {
  readonly topic: string;
  /** Also Kafka Connect's `__connect.errors.*`. */
  readonly contextHeaders: boolean;
  readonly connector: string;
}

export interface DeadLetters {
  readonly identity: SliceIdentity;
  readonly refusals: readonly Refusal[];
  /** How long the broker may take. */
  readonly forMs: number;
}

/** One queue keeps refused records in the order they were refused. */
const DEAD_LETTER_QUEUES = 1;

/** Longer messages are cut: a broker bounds all properties of a record together (RocketMQ: 32 KB). */
const MESSAGE_CHARACTERS_MAX = 1_024;

/**
 * Resolves when all are durable (I5).
 *
 * @throws {RetryableError} when the broker does not answer; {FatalTaskError} when it refuses a record for good.
 */
export async function deadLetter(host: Host, to: DeadLetterTopic, { identity, refusals, forMs }: DeadLetters): Promise<void> {
  const records = refusals.map((refusal) => deadLetterRecord(refusal, to, identity, messageIn(host, refusal)));
  const sent = await within(host.clock, forMs, () => send(host, to, records));
  if (sent === TIMED_OUT) {
    throw new RetryableError(`the broker took no dead letter within ${Math.round(forMs)} ms`, { code: 'broker.unavailable' });
  }
  const [first] = sent.refused;
  if (first !== undefined) {
    throw new FatalTaskError(`the dead-letter topic ${to.topic} refused a record: ${first.error.message}`, {
      code: 'record.too_large',
      cause: first.error,
    });
  }
}

async function send(host: Host, { topic }: DeadLetterTopic, records: readonly OutgoingRecord[]): Promise<SendResult> {
  const [queue] = await queuesOf(host, topic, DEAD_LETTER_QUEUES);
  if (queue === undefined) throw new RetryableError(`topic ${topic} has no queues`, { code: 'broker.unavailable' });
  return host.broker.send(queue, records);
}

/** The same record always has the same id, so that equal ones fold into one. */
export function deadLetterId({ shard, generation }: SliceIdentity, record: ConnectRecord): string {
  return `${shard}/${generation}/${record.log?.offset ?? record.position?.join('.') ?? ''}`;
}

function deadLetterRecord(refusal: Refusal, to: DeadLetterTopic, identity: SliceIdentity, message: string): OutgoingRecord {
  const { record, stage, error } = refusal;
  const own: LogHeaders = [
    ['sortie.errors.id', deadLetterId(identity, record)],
    ['sortie.errors.connector', to.connector],
    ['sortie.errors.topic', record.log?.queue.topic ?? record.topic],
    ['sortie.errors.stage', stage],
    ['sortie.errors.code', error.code],
    ['sortie.errors.message', message],
  ];
  return {
    key: record.log?.key ?? null,
    value: record.log?.value ?? null,
    tag: record.log?.tag ?? null,
    headers: [
      ...(record.log?.headers ?? []),
      ...own,
      ...(to.contextHeaders ? contextHeaders(refusal, to, identity, message) : []),
    ],
    bornAtMs: record.log?.bornAtMs ?? record.timestampMs ?? 0,
  };
}

/** Kafka Connect's names and stages, for tools that read them. The stack trace stays here. */
function contextHeaders(
  { record, stage, error }: Refusal,
  { connector }: DeadLetterTopic,
  { shard }: SliceIdentity,
  message: string,
): LogHeaders {
  const stages: Record<string, string> = { convert: 'VALUE_CONVERTER', transform: 'TRANSFORMATION', put: 'TASK_PUT' };
  return [
    ['__connect.errors.topic', record.log?.queue.topic ?? record.topic],
    ['__connect.errors.partition', String(record.log?.queue.queueId ?? '')],
    ['__connect.errors.offset', String(record.log?.offset ?? '')],
    ['__connect.errors.connector.name', connector],
    ['__connect.errors.task.id', parseShardId(shard).parts.join('/')],
    ['__connect.errors.stage', stages[stage] ?? stage],
    ['__connect.errors.class.name', ''],
    ['__connect.errors.exception.class.name', error.name],
    ['__connect.errors.exception.message', message],
  ];
}

/** RocketMQ separates properties by 0x01 and 0x02; no control character belongs into a header. */
function messageIn({ sandbox }: Host, { error }: Refusal): string {
  return sandbox.redaction
    .text(error.message)
    .replace(/\p{Cc}/gu, ' ')
    .slice(0, MESSAGE_CHARACTERS_MAX);
}
