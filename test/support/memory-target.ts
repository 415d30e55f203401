/**
 * Reference targets, one for each effect, that keep in plain sight what was written; `memorySink(target)` is the plugin that
 * writes to one. Any number of writers share a target, those of dead invocations included.
 */
import { unreachable } from '../../core/assert.ts';
import type { RecordError, RetryableError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import type { ConnectRecord } from '../../core/record/connect-record.ts';
import type { Schema, Value } from '../../core/record/schema.ts';
import type { ShardId } from '../../core/shard-id.ts';
import type { Effect, SliceIdentity } from '../../plugins/api/sink.ts';

/** A record as a target took it. */
export interface HeldRecord {
  /** `topic/broker/queue@offset`, or a source's position: the same whenever the record is delivered again. */
  readonly id: string;
  readonly key: Value;
  readonly schema: Schema | null;
  readonly value: Value;
  /** The slice that wrote it. */
  readonly slice: SliceIdentity;
}

interface TargetFaults {
  /** Awaited before each write: of one record, or of a transaction. May be slow, and a throw is the writer's. */
  beforeWrite: (slice: SliceIdentity) => Promise<void>;
  /** What the target has against a record. */
  refusal: (record: ConnectRecord) => RecordError | RetryableError | undefined;
}

export interface ShardRow {
  readonly generation: number;
  readonly epoch: number;
  readonly position: Json;
}

export interface TransactionalTarget extends TargetFaults {
  readonly effect: 'transactional';
  readonly rows: Map<ShardId, ShardRow>;
  /** Everything that was applied, in the order of the transactions. */
  readonly applied: HeldRecord[];
  /** Shards of which something is applied, and shown to nobody before a writer of theirs rests. */
  readonly unshown: Set<ShardId>;
}

export interface VersionedTarget extends TargetFaults {
  readonly effect: 'versioned';
  /** By key. A tombstone stays as a `null` value, for it has a version too. */
  readonly documents: Map<string, HeldRecord & { readonly version: bigint }>;
  /** Writes that met a newer version. */
  stale: number;
}

export interface AppendTarget extends TargetFaults {
  readonly effect: 'append';
  readonly entries: HeldRecord[];
}

export interface OverwriteTarget extends TargetFaults {
  readonly effect: 'overwrite';
  /** By key. A tombstone removes its key. */
  readonly values: Map<string, HeldRecord>;
}

export type MemoryTarget = TransactionalTarget | VersionedTarget | AppendTarget | OverwriteTarget;

/** An empty target that is well and takes everything. */
export function memoryTarget<Chosen extends Effect>(effect: Chosen): Extract<MemoryTarget, { readonly effect: Chosen }>;
export function memoryTarget(effect: Effect): MemoryTarget {
  const faults: TargetFaults = { beforeWrite: () => Promise.resolve(), refusal: () => undefined };
  switch (effect) {
    case 'transactional':
      return { effect, ...faults, rows: new Map(), applied: [], unshown: new Set() };
    case 'versioned':
      return { effect, ...faults, documents: new Map(), stale: 0 };
    case 'append':
      return { effect, ...faults, entries: [] };
    case 'overwrite':
      return { effect, ...faults, values: new Map() };
    default:
      return unreachable(effect);
  }
}

/** What the target holds of each record: every one that was written, or the newest of each key. */
export function heldRecords(target: MemoryTarget): readonly HeldRecord[] {
  switch (target.effect) {
    case 'transactional':
      return target.applied;
    case 'versioned':
      return [...target.documents.values()];
    case 'append':
      return target.entries;
    case 'overwrite':
      return [...target.values.values()];
    default:
      return unreachable(target);
  }
}
