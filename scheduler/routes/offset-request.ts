/** Reads the offsets that a client wants, and refuses in Kafka Connect's words what is none. */
import { z } from 'zod';
import type { Json } from '../../core/json.ts';
import type { SinkPosition, SourcePosition, StartPosition } from '../offsets.ts';
import { ApiError } from './api-error.ts';

/** Numbers that no double holds are `bigint`. */
interface WantedOffset {
  readonly partition?: Readonly<Record<string, unknown>> | null | undefined;
  readonly offset?: Readonly<Record<string, unknown>> | null | undefined;
}

const TOPIC = 'kafka_topic';
const PARTITION = 'kafka_partition';
const OFFSET = 'kafka_offset';
const BROKER = 'broker_name';
/** Instead of an offset: the words and times that a configuration starts a new connector by. */
const START = 'start_position';

/** What 64 bits with a sign hold, and 32 of a partition. */
const OFFSET_MAX = 2n ** 63n - 1n;
const QUEUE_ID_MAX = 2n ** 31n - 1n;

/** Of a checkpoint, which has at most 16 KB. */
const DEPTH_MAX = 100;

/** @throws {ApiError} 400 */
export function sinkPosition({ partition, offset = null }: WantedOffset): SinkPosition {
  if (partition === null || partition === undefined) {
    throw new ApiError(400, 'The partition for a sink connector offset cannot be null or missing');
  }
  if (!(TOPIC in partition) || !(PARTITION in partition)) {
    throw new ApiError(400, `The partition for a sink connector offset must contain the keys '${TOPIC}' and '${PARTITION}'`);
  }
  const { [TOPIC]: topic, [PARTITION]: queueId, [BROKER]: brokerName = null } = partition;
  if (typeof topic !== 'string' || topic === '') {
    throw new ApiError(400, 'Kafka topic names must be valid strings and may not be null');
  }
  if (brokerName !== null && typeof brokerName !== 'string') throw new ApiError(400, 'Broker names must be valid strings');
  return {
    topic,
    queueId: Number(integer(queueId, { what: 'partition', valueMax: QUEUE_ID_MAX })),
    brokerName,
    offset: offset === null ? null : sinkOffset(offset),
  };
}

const Names = z.array(z.string()).min(1);

/** @throws {ApiError} 400 */
export function sourcePosition({ partition, offset = null }: WantedOffset): SourcePosition {
  const names = Names.safeParse(partition?.['shard']);
  if (!names.success) {
    throw new ApiError(
      400,
      "The partition for a source connector offset must contain the key 'shard', with the names of a shard as a list",
    );
  }
  if (offset === null || offset[START] === 'earliest') return { names: names.data, checkpoint: null };
  if (START in offset) {
    throw new ApiError(400, `The ${START} of a source can only be earliest: where else it can begin, only its checkpoints say`);
  }
  if (!('checkpoint' in offset)) {
    throw new ApiError(400, "The offset for a source connector should either be null or contain the key 'checkpoint'");
  }
  const { checkpoint } = offset;
  if (!isCheckpoint(checkpoint)) {
    throw new ApiError(400, `A checkpoint nests at most ${DEPTH_MAX} deep, and holds numbers of more than 53 bits as text`);
  }
  return { names: names.data, checkpoint };
}

function sinkOffset(offset: Readonly<Record<string, unknown>>): bigint | StartPosition {
  if (START in offset) return startPosition(offset[START]);
  if (!(OFFSET in offset)) {
    throw new ApiError(400, `The offset for a sink connector should either be null or contain the key '${OFFSET}'`);
  }
  return integer(offset[OFFSET], { what: 'offset', valueMax: OFFSET_MAX });
}

/** With a time zone, for the server's own is nothing that a client knows. */
const IsoTime = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);

function startPosition(value: unknown): StartPosition {
  if (value === 'earliest' || value === 'latest') return value;
  const time = IsoTime.safeParse(value);
  if (time.success) return { fromMs: Date.parse(time.data) };
  throw new ApiError(400, `The ${START} must be earliest, latest or an ISO 8601 time such as 2026-11-26T08:00:00Z`);
}

function integer(
  value: unknown,
  { what, valueMax }: { readonly what: 'partition' | 'offset'; readonly valueMax: bigint },
): bigint {
  const text = typeof value === 'object' && value !== null ? '{...}' : String(value);
  const parsed = /^[+-]?\d{1,19}$/.test(text) ? BigInt(text.replace(/^\+/, '')) : null;
  if (parsed !== null && parsed >= 0n && parsed <= valueMax) return parsed;
  const values = `${what === 'partition' ? 'Partition' : 'Offset'} values for sink connectors need to be integers`;
  throw new ApiError(
    400,
    `Failed to parse the following Kafka ${what} value in the provided offsets: '${text.slice(0, 100)}'. ${values}.`,
  );
}

/** Level by level: a megabyte of JSON may nest deeper than the call stack holds. */
function isCheckpoint(value: unknown): value is Json {
  let level = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEPTH_MAX || level.some((item) => typeof item === 'bigint')) return false;
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return true;
}
