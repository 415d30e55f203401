import { z } from 'zod';
import { intKey, textKey } from '../../core/config/keys.ts';
import { FatalTaskError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import type { CancelSignal } from '../../core/ports.ts';
import { defineSource, type PollLimits, type PollResult, type SourceReader } from '../api/source.ts';
import { type Generator, generator } from './datagen/generator.ts';
import { Pace } from './datagen/pace.ts';

/** Shards are a function of the configuration, and a changed configuration is discovered anyway. */
const DISCOVER_EVERY_MS = 3_600_000;

/** Counts stay exact up to here. */
const COUNT_MAX = Number.MAX_SAFE_INTEGER;

const Config = z.object({
  topic: textKey().describe('Topic that receives the records.'),
  'record.count': intKey({ min: 0, max: COUNT_MAX }).optional().describe('Records of each shard; absent: without end.'),
  // A record must fit what a broker takes: 4 MiB, RocketMQ's maxMessageSize, with room for key and properties.
  'record.bytes': intKey({ min: 0, max: 4_000_000 })
    .default(100)
    .describe('Characters of the payload in each value; each is one byte of JSON.'),
  // Every key is made when a reader opens, and kept.
  'key.count': intKey({ min: 1, max: 1_000_000 }).default(1_000).describe('Distinct keys.'),
  seed: intKey({ min: 0, max: 0xffff_ffff })
    .default(0)
    .describe('Chooses the records: the same seed always gives the same ones.'),
  shards: intKey({ min: 1, max: 1_000 }).default(1).describe('Shards that generate side by side.'),
  rate: intKey({ min: 1, max: 10_000_000 })
    .optional()
    .describe('Records per second of each shard; absent: as fast as they are taken.'),
});

/**
 * Makes up records: to measure what is behind it, and to try out a configuration. Record number n of a shard is a function
 * of the configuration and n, so whatever is polled again is the same again, at the same position `[n]`.
 */
export const datagenSource = defineSource({
  name: 'datagen-source',
  version: '1.0.0',
  exactlyOnce: true,
  discoverEveryMs: DISCOVER_EVERY_MS,
  config: Config,

  async discover(config) {
    const finite = config['record.count'] !== undefined;
    return Array.from({ length: config.shards }, (_, shard) => ({ names: [String(shard)], finite }));
  },

  async open(config, [shard], checkpoint, { clock }) {
    const { topic, seed, shards, rate } = config;
    const records = generator({
      topic,
      payloadBytes: config['record.bytes'],
      keys: config['key.count'],
      seed,
      shard: Number(shard),
      shards,
    });
    return reader({
      records,
      from: sequenceOf(checkpoint),
      end: config['record.count'] ?? Number.POSITIVE_INFINITY,
      pace: rate === undefined ? undefined : new Pace({ perSecond: rate, clock }),
    });
  },
});

interface Stretch {
  readonly records: Generator;
  readonly from: number;
  /** Behind the last record. */
  readonly end: number;
  readonly pace: Pace | undefined;
}

function reader({ records, from, end, pace }: Stretch): SourceReader {
  let next = from;

  async function poll(limits: PollLimits, signal: CancelSignal): Promise<PollResult> {
    const first = next;
    const wanted = Math.min(Math.max(0, end - next), limits.records, fitting(limits.bytes, records.recordBytes));
    next += pace === undefined || wanted === 0 ? wanted : await pace.take(wanted, { waitMs: limits.waitMs, signal });
    return {
      records: Array.from({ length: next - first }, (_, index) => records.record(first + index)),
      checkpoint: { sequence: next },
      ...(next >= end ? { finished: true } : pace !== undefined && next === first && { idleForMs: pace.nextInMs() }),
    };
  }

  return { poll, close: () => Promise.resolve() };
}

/** The first record always fits. */
function fitting(bytes: number, recordBytes: number): number {
  return Math.max(1, Math.floor(bytes / recordBytes));
}

function sequenceOf(checkpoint: Json): number {
  if (checkpoint === null) return 0;
  const sequence = typeof checkpoint === 'object' && 'sequence' in checkpoint ? checkpoint['sequence'] : undefined;
  if (typeof sequence === 'number' && Number.isSafeInteger(sequence) && sequence >= 0) return sequence;
  throw new FatalTaskError(`not a checkpoint of datagen-source: ${JSON.stringify(checkpoint)}`);
}
