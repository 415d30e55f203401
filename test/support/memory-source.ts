/**
 * A source of rows in plain sight: a shard for each list, a row's index as its checkpoint and position.
 */
import { z } from 'zod';
import type { Json } from '../../core/json.ts';
import type { Schema } from '../../core/record/schema.ts';
import {
  defineSource,
  type PolledRecord,
  type PollLimits,
  type PollResult,
  type SourcePlugin,
  type SourceReader,
} from '../../plugins/api/source.ts';

const STRING: Schema = { type: 'string', optional: false };

export interface Row {
  readonly key: string | null;
  readonly value: string;
  readonly queueIndex?: number;
}

export interface MemorySystem {
  /** Of each shard, by name. Rows may be added at any time. */
  readonly shards: Map<string, Row[]>;
  /** Each shard ends with its last row. */
  finite: boolean;
  /** How long a reader at the end wants to be left alone. */
  idleForMs: number;
  /** Awaited before each poll; a throw is the reader's. */
  beforePoll: (limits: PollLimits) => Promise<void>;
  /** What was asked, in order: `open 0`, `poll 0`, `close`. */
  readonly calls: string[];
}

/** One shard, `0`, unless a test gives more. */
export function memorySystem({
  rows = [],
  ...fields
}: Partial<MemorySystem> & { readonly rows?: readonly Row[] } = {}): MemorySystem {
  return {
    shards: new Map([['0', [...rows]]]),
    finite: false,
    idleForMs: 1_000,
    beforePoll: () => Promise.resolve(),
    calls: [],
    ...fields,
  };
}

/** Rows whose values are `0`, `1`, ..., each with a key of its own. */
export function rows(count: number, from = 0): Row[] {
  return Array.from({ length: count }, (_, index) => ({ key: `key-${from + index}`, value: String(from + index) }));
}

interface SourceFields {
  readonly exactlyOnce?: boolean;
  readonly topic?: string;
}

export function memorySource(system: MemorySystem, { exactlyOnce = false, topic = 'rows' }: SourceFields = {}): SourcePlugin {
  return defineSource({
    name: 'memory-source',
    version: '1.0.0',
    exactlyOnce,
    discoverEveryMs: 60_000,
    config: z.object({}),
    discover: async () => [...system.shards.keys()].map((name) => ({ names: [name], finite: system.finite })),
    open: async (_config, [name = ''], checkpoint) => {
      system.calls.push(`open ${indexOf(checkpoint)}`);
      return reader(system, { name, topic, from: indexOf(checkpoint), positions: exactlyOnce });
    },
  });
}

function reader(
  system: MemorySystem,
  {
    name,
    topic,
    from,
    positions,
  }: { readonly name: string; readonly topic: string; readonly from: number; readonly positions: boolean },
): SourceReader {
  let next = from;
  return {
    async poll(limits): Promise<PollResult> {
      system.calls.push(`poll ${next}`);
      await system.beforePoll(limits);
      const all = system.shards.get(name) ?? [];
      const taken = all.slice(next, next + limits.records);
      const records = taken.map((row, index) => polled(row, topic, positions ? [BigInt(next + index)] : undefined));
      next += taken.length;
      const isAtEnd = next >= all.length;
      return { records, checkpoint: { row: next }, ...(isAtEnd ? endOf(system) : {}) };
    },
    close: async () => {
      system.calls.push('close');
    },
  };
}

function endOf({ finite, idleForMs }: MemorySystem): Pick<PollResult, 'finished' | 'idleForMs'> {
  return finite ? { finished: true } : { idleForMs };
}

function polled({ key, value, queueIndex }: Row, topic: string, position: readonly bigint[] | undefined): PolledRecord {
  return {
    topic,
    key: { schema: key === null ? null : STRING, value: key },
    value: { schema: STRING, value },
    timestampMs: null,
    ...(queueIndex === undefined ? {} : { queueIndex }),
    ...(position === undefined ? {} : { position }),
  };
}

function indexOf(checkpoint: Json): number {
  return checkpoint === null ? 0 : (checkpoint as { readonly row: number }).row;
}
