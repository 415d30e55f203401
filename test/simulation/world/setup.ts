/** What a seed is about: connectors, their topics and targets, and what flows through them. */
import type { Offset } from '../../../core/offset.ts';
import type { LogRecord } from '../../../core/record/connect-record.ts';
import type { Effect } from '../../../plugins/api/sink.ts';
import { type MemoryTarget, memoryTarget } from '../../support/memory-target.ts';
import type { SeededRandom } from './seeded-random.ts';

interface Common {
  readonly name: string;
  config: Record<string, string>;
  readonly topic: string;
}

export interface SinkSetup extends Common {
  readonly kind: 'sink';
  readonly effect: Effect;
  target: MemoryTarget;
  readonly tolerance: 'none' | 'all';
}

/** A row of a simulated source; its index is its position. */
export interface SourceRow {
  readonly key: string;
  readonly id: number;
  /** Larger than the log takes. */
  readonly tooLarge: boolean;
  /** Moves the checkpoint, and is no record: as a transaction of a table that nobody asked for. */
  readonly silent: boolean;
}

/** Rows of one part have ids of their own. */
const ROWS_MAX = 1_000_000;

export function rowId(part: string, seq: number): number {
  return Number(part) * ROWS_MAX + seq;
}

/** The row a record in a source's topic came from; `null` for one of another producer. */
export function rowOf(value: Uint8Array | null): { readonly part: string; readonly seq: number } | null {
  const { id } = JSON.parse(new TextDecoder().decode(value ?? new Uint8Array())) as { readonly id?: number };
  if (id === undefined) return null;
  return { part: String(Math.floor(id / ROWS_MAX)), seq: id % ROWS_MAX };
}

export interface SourceSetup extends Common {
  readonly kind: 'source';
  readonly exactlyOnce: boolean;
  /** By shard part. */
  readonly rows: Map<string, SourceRow[]>;
  /** Its shards end with their last row. */
  readonly finite: boolean;
  /** A direct connector's. */
  readonly target: MemoryTarget | null;
}

export type Setup = SinkSetup | SourceSetup;

/** Every record that was ever appended to a sink's topic, by queue and offset; a topic created anew adds to them. */
export type History = Map<string, Map<Offset, LogRecord[]>>;

const EFFECTS: readonly Effect[] = ['transactional', 'versioned', 'append', 'overwrite'];

/** Refused records need somebody to look at them; keeping most seeds on `all` lets them run to their end. */
const TOLERATES_ALL = 0.7;

/** Two or three connectors; at least three shards between them, for each sink has two queues or more. */
export function drawSetups(random: SeededRandom, limits: SeededRandom): Setup[] {
  const setups: Setup[] = [drawSink(random, 'sink-a')];
  const second = random.pick(['sink', 'source', 'source', 'direct'] as const);
  if (second === 'sink') setups.push(drawSink(random, 'sink-b'));
  else setups.push(drawSource(random, 'source-b', second === 'direct'));
  if (random.chance(0.3)) setups.push(drawSource(random, 'source-c', random.chance(0.3)));
  for (const setup of setups) setup.config = { ...setup.config, ...drawLimits(limits) };
  return setups;
}

function drawSink(random: SeededRandom, name: string): SinkSetup {
  const effect = random.pick(EFFECTS);
  const tolerance = random.chance(TOLERATES_ALL) ? 'all' : 'none';
  return {
    kind: 'sink',
    name,
    effect,
    tolerance,
    topic: `topic-${name}`,
    target: memoryTarget(effect),
    config: {
      'connector.class': `plugin-${name}`,
      topics: `topic-${name}`,
      'value.converter': 'json',
      'value.converter.schemas.enable': 'false',
      'errors.tolerance': tolerance,
      ...(tolerance === 'all' && random.chance(0.7) ? { 'errors.deadletterqueue.topic.name': `refused-${name}` } : {}),
      'log.gap.policy': random.chance(0.6) ? 'skip' : 'fail',
      'consumer.override.auto.offset.reset': random.chance(0.25) ? 'latest' : 'earliest',
      'consumer.override.max.poll.records': String(random.int(3, 12)),
      'queue.slices.max': String(random.int(2, 4)),
      'delivery.order': random.chance(0.5) ? 'none' : 'queue',
      'put.timeout.ms': '3000',
      transforms: 'drop',
      'transforms.drop.type': 'org.apache.kafka.connect.transforms.Filter',
      'transforms.drop.predicate': 'empty',
      predicates: 'empty',
      'predicates.empty.type': 'org.apache.kafka.connect.transforms.predicates.RecordIsTombstone',
    },
  };
}

function drawLimits(random: SeededRandom): Record<string, string> {
  return {
    'tasks.max': String(random.int(1, 6)),
    'auto.restart.max.attempts': String(random.int(0, 2)),
    'freshness.ms': random.pick(['0', '0', '500']),
  };
}

function drawSource(random: SeededRandom, name: string, direct: boolean): SourceSetup {
  const exactlyOnce = random.chance(0.7);
  const effect = random.pick(['transactional', 'append', 'overwrite'] as const);
  const parts = random.chance(0.5) ? ['0'] : ['0', '1'];
  return {
    kind: 'source',
    name,
    exactlyOnce,
    topic: `topic-${name}`,
    finite: random.chance(0.3),
    rows: new Map(parts.map((part) => [part, []])),
    target: direct ? memoryTarget(effect) : null,
    config: {
      'connector.class': `plugin-${name}`,
      'value.converter': 'json',
      'value.converter.schemas.enable': 'false',
      'errors.tolerance': 'all',
      'consumer.override.max.poll.records': String(random.int(3, 12)),
      'topic.creation.default.partitions': '3',
      'put.timeout.ms': '3000',
      ...(direct ? { 'sink.connector.class': `target-${name}` } : {}),
    },
  };
}
