/** The registry of a simulated host: real converters, transforms and predicates; sources and sinks that call over the network. */
import { z } from 'zod';
import { FatalTaskError } from '../../../core/errors.ts';
import type { CancelSignal } from '../../../core/ports.ts';
import type { Registry } from '../../../plugins/api/registry.ts';
import {
  ALL_TAKEN,
  type Effect,
  type PutBatch,
  type PutResult,
  type SinkPlugin,
  type SinkWriter,
} from '../../../plugins/api/sink.ts';
import { defineSource, type PolledRecord, type SourcePlugin } from '../../../plugins/api/source.ts';
import { registry as realRegistry } from '../../../plugins/registry.ts';
import { memorySink } from '../../support/memory-sink.ts';
import type { MemoryTarget } from '../../support/memory-target.ts';
import { checkPut } from '../checks/check-limits.ts';
import type { Incarnation } from './incarnation.ts';
import { idOf, isDeadly, isRefused, refused } from './payload.ts';
import type { SinkSetup, SourceRow, SourceSetup } from './setup.ts';
import type { World } from './world.ts';

export function registryOf(world: World, caller: Incarnation): Registry {
  return {
    ...realRegistry,
    findSink: async (name) => {
      const setup = world.setups.find(
        (candidate) => name === (candidate.kind === 'sink' ? `plugin-${candidate.name}` : `target-${candidate.name}`),
      );
      return setup?.target ? simSink(world, caller, setup.target, setup) : undefined;
    },
    findSource: async (name) => {
      const setup = world.setups.find((candidate) => name === `plugin-${candidate.name}`);
      return setup?.kind === 'source' ? simSource(world, caller, setup) : undefined;
    },
  };
}

function simSink(world: World, caller: Incarnation, target: MemoryTarget, setup: SinkSetup | SourceSetup): SinkPlugin {
  const plugin = memorySink(target);
  return {
    ...plugin,
    name: `plugin-${setup.name}`,
    open: async (config, context) => {
      const writer = await plugin.open(config, context);
      return target.effect === 'append'
        ? bufferedWriter(world, caller, writer, setup)
        : directWriter(world, caller, writer, { name: setup.name, effect: target.effect });
    },
  };
}

/** A put lands within twice its timeout or never: that is what an `overwrite` target's claims count on. No other does. */
const LANDS_WITHIN_MS = 5_500;
const LANDS_AT_ALL_MS = 90_000;

/** From the stop before a reset to the first slice after it. */
const RESET_TAKES_MS = 31_000;

/** A remote write goes on when its caller stops waiting. */
const NOBODY_STOPS_IT: CancelSignal = new AbortController().signal;

function directWriter(world: World, caller: Incarnation, writer: SinkWriter, at: Omit<Upset, 'isLate'>): SinkWriter {
  const { begin, rest } = writer;
  const put = (batch: PutBatch): Promise<PutResult> => {
    checkPut(world, caller, batch, at.effect);
    return caller.call({ side: 'target', what: putText(batch), writes: true, mayBeLate: true }, async (isLate) => {
      await upset(world, caller, batch, { ...at, isLate });
      if (begin === undefined && batch.records.length > 1 && world.faults.strikes('put takes a part', 0.05))
        return putPart(world, writer, batch);
      const result = await writer.put(batch, NOBODY_STOPS_IT);
      if (begin !== undefined) world.checkWriter(batch);
      noteDelivered(world, batch, begin === undefined || result.failures.length === 0 ? result : null);
      return result;
    });
  };
  return {
    ...(begin === undefined
      ? {}
      : {
          begin: (slice) =>
            caller.call({ side: 'target', what: `begin epoch ${slice.epoch} of ${slice.shard}`, writes: true }, async () => {
              const position = await begin(slice, NOBODY_STOPS_IT);
              world.noteBegin(slice);
              return position;
            }),
        }),
    put,
    flush: () => Promise.resolve(),
    ...(rest === undefined
      ? {}
      : {
          rest: async () => {
            const what = { side: 'target', what: `rest of ${at.name}`, writes: true } as const;
            // What cannot be shown now is left to a later slice, and nobody is sent for it: it is shown here all the same.
            await caller.call(what, () => rest(NOBODY_STOPS_IT)).catch(() => rest(NOBODY_STOPS_IT));
          },
        }),
    close: () => Promise.resolve(),
  };
}

/** As a target with a limit of its own does: the others are put again. */
async function putPart(world: World, writer: SinkWriter, batch: PutBatch): Promise<PutResult> {
  const taken = world.random.int(1, batch.records.length - 1);
  const part = { ...batch, records: batch.records.slice(0, taken) };
  const result = await writer.put(part, NOBODY_STOPS_IT);
  noteDelivered(world, part, result);
  return { ...result, taken };
}

/** Takes records into memory and sends them with `flush`: what was put and not flushed dies with its process. */
function bufferedWriter(world: World, caller: Incarnation, writer: SinkWriter, { name }: { readonly name: string }): SinkWriter {
  let buffered: PutBatch[] = [];
  return {
    put: async (batch) => {
      checkPut(world, caller, batch, 'append');
      const failures = batch.records.flatMap((record, index) => (isRefused(record) ? [{ index, error: refused() }] : []));
      const refusedIndexes = new Set(failures.map(({ index }) => index));
      buffered.push({ ...batch, records: batch.records.filter((_, index) => !refusedIndexes.has(index)) });
      return failures.length === 0 ? ALL_TAKEN : { failures };
    },
    flush: async () => {
      try {
        for (const batch of buffered) {
          await caller.call({ side: 'target', what: `flush ${putText(batch)}`, writes: true }, async () => {
            await upset(world, caller, batch, { name, effect: 'append', isLate: false });
            noteDelivered(world, batch, await writer.put(batch, NOBODY_STOPS_IT));
          });
        }
      } catch (error) {
        for (const batch of buffered) world.slices.flushFailed(batch, batch.records.length);
        throw error;
      }
      buffered = [];
    },
    close: async () => {
      buffered = [];
    },
  };
}

function putText({ records, shard, epoch, position }: PutBatch): string {
  return `put ${records.length} of ${shard} epoch ${epoch} up to ${JSON.stringify(position)}`;
}

/** Whose write it is. */
interface Upset {
  readonly name: string;
  readonly effect: Effect;
  /** Its author was told of a timeout already. To hang on top would take longer than an `overwrite` target's claims wait for. */
  readonly isLate: boolean;
}

/** So slow that a few records a second are too many. */
const CROWDED_PUT_MS = 700;

/** What may happen to a write on its way into the target. */
async function upset(world: World, caller: Incarnation, { records }: PutBatch, { name, effect, isLate }: Upset): Promise<void> {
  if (records.some(isDeadly)) {
    world.faults.note('11 out of memory on a record');
    caller.kill('out of memory on a record');
    await new Promise(() => undefined);
  }
  if (world.time.nowMs < world.crowdedUntilMs) await world.time.delay(CROWDED_PUT_MS);
  if (!isLate && world.faults.strikes('put hangs', effect === 'overwrite' ? 0.08 : 0.03))
    await world.time.delay(world.random.between(2_000, effect === 'overwrite' ? LANDS_WITHIN_MS : LANDS_AT_ALL_MS));
  if (world.putsHang?.name === name && effect !== 'overwrite') {
    world.putsHang = null;
    world.faults.note('put hangs');
    await world.time.delay(world.random.between(RESET_TAKES_MS, LANDS_AT_ALL_MS));
  }
  if (world.faults.strikes('plugin throws the unknown', 0.005)) throw new TypeError('something is not a function');
}

function noteDelivered(world: World, { records, shard, generation }: PutBatch, result: PutResult | null): void {
  if (result === null) return;
  const failed = new Set(result.failures.map(({ index }) => index));
  for (const [index, record] of records.entries()) {
    if (failed.has(index)) continue;
    world.finish(shard, generation, record.log ?? idOf(record));
  }
}

// ---------------------------------------------------------------------------------------------------------------------

const NO_KEYS = z.object({});

/** What a source wants between two polls: while there are faults, later on, and when it will get no more rows. */
const IDLE_AMID_FAULTS_MS = 300;
const IDLE_AFTER_FAULTS_MS = 1_000;
const IDLE_FOR_MS = 20_000;

/** A seq is the index of the next row. */
interface SimCheckpoint {
  readonly seq: number;
}

function idleForMs({ faults, isDrained }: World): number {
  if (isDrained) return IDLE_FOR_MS;
  return faults.active ? IDLE_AMID_FAULTS_MS : IDLE_AFTER_FAULTS_MS;
}

function simSource(world: World, caller: Incarnation, setup: SourceSetup): SourcePlugin {
  return defineSource({
    name: `plugin-${setup.name}`,
    version: '1.0.0',
    exactlyOnce: setup.exactlyOnce,
    discoverEveryMs: 20_000,
    config: NO_KEYS,
    discover: () =>
      caller.call({ side: 'source', what: 'discover', writes: false }, () =>
        [...setup.rows.keys()].map((part) => ({ names: ['rows', part], finite: setup.finite })),
      ),
    open: async (_config, [, part = ''], checkpoint) => {
      let seq = ((checkpoint ?? { seq: 0 }) as unknown as SimCheckpoint).seq;
      const rows = setup.rows.get(part);
      if (rows === undefined) throw new FatalTaskError(`there is no ${part}`);
      return {
        poll: ({ records: limit }) =>
          caller.call({ side: 'source', what: `poll ${setup.name} ${part} from ${seq}`, writes: false }, () => {
            const taken = rows.slice(seq, seq + limit);
            const records = taken.flatMap((row, index) => (row.silent ? [] : [polled(setup, row, seq + index)]));
            if (taken.length > 0 && records.length === 0) world.faults.note('checkpoint moved without records');
            seq += taken.length;
            const atEnd = seq === rows.length;
            const finished = setup.finite && atEnd && !world.faults.active;
            return {
              records,
              checkpoint: { seq },
              ...(atEnd ? { idleForMs: idleForMs(world) } : {}),
              ...(finished ? { finished } : {}),
            };
          }),
        close: () => Promise.resolve(),
      };
    },
  });
}

function polled(setup: SourceSetup, row: SourceRow, seq: number): PolledRecord {
  const value = { id: row.id, key: row.key, ...(row.tooLarge ? { fill: 'x'.repeat(3_000) } : {}) };
  return {
    topic: setup.topic,
    key: { schema: null, value: row.key },
    value: { schema: null, value },
    timestampMs: null,
    ...(setup.exactlyOnce || setup.target !== null ? { position: [BigInt(seq)] } : {}),
  };
}
