import { z } from 'zod';
import { assert, unreachable } from '../../core/assert.ts';
import { FencedError, RetryableError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { queueKey } from '../../core/message-queue.ts';
import type { CancelSignal } from '../../core/ports.ts';
import type { ConnectRecord } from '../../core/record/connect-record.ts';
import { formatPosition } from '../../core/record/position.ts';
import type { Value } from '../../core/record/schema.ts';
import { recordVersion } from '../../plugins/api/record-version.ts';
import {
  ALL_TAKEN,
  defineSink,
  newerGeneration,
  type PutBatch,
  type PutFailure,
  type PutResult,
  type SinkPlugin,
  type SinkWriter,
  type SliceIdentity,
} from '../../plugins/api/sink.ts';
import type { HeldRecord, MemoryTarget, OverwriteTarget, TransactionalTarget, VersionedTarget } from './memory-target.ts';

const NoKeys = z.object({});

/** The plugin of a target. All of its writers, of however many invocations, write to that one. */
export function memorySink(target: MemoryTarget): SinkPlugin {
  return defineSink({
    name: `memory-${target.effect}`,
    version: '1.0.0',
    effect: target.effect,
    reads: 'values',
    config: NoKeys,
    open: async () => writerOf(target),
  });
}

function writerOf(target: MemoryTarget): SinkWriter {
  const ends = { flush: () => Promise.resolve(), close: () => Promise.resolve() };
  if (target.effect !== 'transactional') return { put: (batch, signal) => writeEach(target, batch, signal), ...ends };
  let begun: SliceIdentity | null = null;
  return {
    begin: async (slice, signal) => {
      const position = await begin(target, slice, signal);
      begun = slice;
      return position;
    },
    put: (batch, signal) => transact(target, batch, signal),
    rest: async () => {
      if (begun !== null && isNewest(target, begun)) target.unshown.delete(begun.shard);
    },
    ...ends,
  };
}

async function begin(target: TransactionalTarget, slice: SliceIdentity, signal: CancelSignal): Promise<Json> {
  await mayWrite(target, slice, signal);
  const row = target.rows.get(slice.shard);
  if (row !== undefined && row.generation > slice.generation) throw newerGeneration(slice, row.generation);
  if (row?.generation === slice.generation && row.epoch > slice.epoch) throw fenced(slice);
  const position = row?.generation === slice.generation ? row.position : null;
  target.rows.set(slice.shard, { generation: slice.generation, epoch: slice.epoch, position });
  return position;
}

/** Records and position in one synchronous step, or nothing. */
async function transact(target: TransactionalTarget, batch: PutBatch, signal: CancelSignal): Promise<PutResult> {
  await mayWrite(target, batch, signal);
  if (!isNewest(target, batch)) throw fenced(batch);
  const failures = batch.records.flatMap((record, index) => failureOf(target, record, index));
  if (failures.length > 0) return { failures };
  target.applied.push(...batch.records.map((record) => held(record, batch)));
  target.rows.set(batch.shard, { generation: batch.generation, epoch: batch.epoch, position: batch.position });
  if (batch.records.length > 0) target.unshown.add(batch.shard);
  return ALL_TAKEN;
}

function isNewest({ rows }: TransactionalTarget, { shard, generation, epoch }: SliceIdentity): boolean {
  const row = rows.get(shard);
  return row?.generation === generation && row.epoch === epoch;
}

/** One record after the other, each a write of its own: whoever stops in between leaves the first ones behind. */
async function writeEach(
  target: Exclude<MemoryTarget, TransactionalTarget>,
  batch: PutBatch,
  signal: CancelSignal,
): Promise<PutResult> {
  const failures: PutFailure[] = [];
  let stale = 0;
  for (const [index, record] of batch.records.entries()) {
    await mayWrite(target, batch, signal);
    const refused = failureOf(target, record, index);
    failures.push(...refused);
    if (refused.length === 0 && !write(target, record, batch)) stale += 1;
  }
  return { failures, stale };
}

/** Whether the record was newer than what the target holds. */
function write(target: Exclude<MemoryTarget, TransactionalTarget>, record: ConnectRecord, slice: SliceIdentity): boolean {
  switch (target.effect) {
    case 'versioned':
      return writeVersion(target, record, slice);
    case 'append':
      target.entries.push(held(record, slice));
      return true;
    case 'overwrite':
      overwrite(target, record, slice);
      return true;
    default:
      return unreachable(target);
  }
}

function writeVersion(target: VersionedTarget, record: ConnectRecord, slice: SliceIdentity): boolean {
  const version = recordVersion(record, slice);
  const key = keyText(record);
  const current = target.documents.get(key);
  if (current !== undefined && current.version > version) {
    target.stale += 1;
    return false;
  }
  target.documents.set(key, { ...held(record, slice), version });
  return true;
}

function overwrite(target: OverwriteTarget, record: ConnectRecord, slice: SliceIdentity): void {
  if (record.value === null) target.values.delete(keyText(record));
  else target.values.set(keyText(record), held(record, slice));
}

/** @throws {RetryableError} when the slice has run out of time, before or while the target was busy. */
async function mayWrite(target: MemoryTarget, slice: SliceIdentity, signal: CancelSignal): Promise<void> {
  await target.beforeWrite(slice);
  if (signal.aborted) throw new RetryableError('the write was aborted');
}

function failureOf(target: MemoryTarget, record: ConnectRecord, index: number): readonly PutFailure[] {
  const error = target.refusal(record);
  return error === undefined ? [] : [{ index, error }];
}

function held(record: ConnectRecord, { shard, generation, epoch }: SliceIdentity): HeldRecord {
  return {
    id: idOf(record),
    key: record.key,
    schema: record.valueSchema,
    value: record.value,
    slice: { shard, generation, epoch },
  };
}

function idOf({ log, position }: ConnectRecord): string {
  if (log !== null) return `${queueKey(log.queue)}@${log.offset}`;
  assert(position !== null, 'a record of a source without positions has no id');
  return formatPosition(position);
}

/** A record without a key is alone under its id. */
function keyText(record: ConnectRecord): string {
  return record.key === null ? idOf(record) : textOfKey(record.key);
}

/** Text and ASCII bytes as they read, so that a test can ask for them. */
function textOfKey(key: Value): string {
  if (typeof key === 'string') return key;
  if (key instanceof Uint8Array) return Buffer.from(key).toString('latin1');
  return JSON.stringify(key, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
}

function fenced({ shard, generation, epoch }: SliceIdentity): FencedError {
  return new FencedError(`${shard} is no longer written by epoch ${epoch} of generation ${generation}`);
}
