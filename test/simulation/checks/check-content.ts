/** At the end, when everything is drained: what each target holds is what its effect promises, record by record and key by key. */

import { connectorKey, decodeConnector } from '../../../core/connector.ts';
import type { LogCursor } from '../../../core/cursor/cursor.ts';
import { type MessageQueue, queueKey } from '../../../core/message-queue.ts';
import { advance, type Offset, offset } from '../../../core/offset.ts';
import type { LogRecord } from '../../../core/record/connect-record.ts';
import { POSITION_HEADER, SOURCE_HEADER } from '../../../core/record/position-headers.ts';
import { queueShardId, type ShardId, sourceShardId } from '../../../core/shard-id.ts';
import { type HeldRecord, heldRecords, type MemoryTarget } from '../../support/memory-target.ts';
import { rowOf, type SinkSetup, type SourceSetup } from '../world/setup.ts';
import type { World } from '../world/world.ts';

export async function checkContent(world: World): Promise<void> {
  for (const setup of world.setups) {
    const uid = world.uids.get(setup.name) ?? '';
    if (setup.kind === 'source') await checkSource(world, setup, uid);
    else
      for (const queue of await world.broker.queues(setup.topic))
        await checkQueue(world, { setup, queue, shard: queueShardId(uid, queue) });
  }
}

interface QueueCheck {
  readonly setup: SinkSetup;
  readonly queue: MessageQueue;
  readonly shard: ShardId;
}

async function checkQueue(world: World, check: QueueCheck): Promise<void> {
  const { setup, queue, shard } = check;
  const cursor = world.cursors.get(shard) as LogCursor;
  const document = await world.store.get(connectorKey(setup.name));
  const createdAtMs = document === null ? 0 : decodeConnector(document.value, setup.name).createdAtMs;
  const owed = await recordsOf(
    world,
    queue,
    (record) =>
      cursor.generation > 1 ||
      setup.config['consumer.override.auto.offset.reset'] === 'earliest' ||
      record.storedAtMs >= createdAtMs,
  );
  for (const record of owed) {
    if (record.value !== null && !world.isFinished(shard, cursor.generation, record)) {
      return world.violate(
        'I1',
        `${queueKey(queue)}@${record.offset} of ${setup.name} was never delivered (generation ${cursor.generation})`,
      );
    }
  }
  // A record that deadly ones were mistaken for, or that was set aside, is finished and yet not in the target.
  const good = owed.filter((record) => isGood(record) && !isSetAside(world, check, record));
  const ours = heldRecords(setup.target).filter(({ slice }) => slice.shard === shard && slice.generation === cursor.generation);
  const byId = Map.groupBy(ours, ({ id }) => id);
  if (setup.effect === 'transactional' || setup.effect === 'append') {
    for (const record of good) {
      const held = byId.get(idOf(record)) ?? [];
      if (held.length === 0) return world.violate('content', `${idOf(record)} is missing in ${setup.name}`);
      if (setup.effect === 'transactional' && held.length > 1)
        return world.violate('content', `${idOf(record)} is ${held.length} times in ${setup.name}`);
      checkValue(world, record, held[0] as HeldRecord);
    }
    checkOrder(world, setup, ours);
    if (setup.effect === 'append') checkDuplicates(world, { shard, generation: cursor.generation }, ours.length - byId.size);
    return;
  }
  checkLastOfKeys(world, setup.target, good);
}

/** What the log holds now and the connector has to deliver. */
async function recordsOf(world: World, queue: MessageQueue, isOwed: (record: LogRecord) => boolean): Promise<LogRecord[]> {
  const [bounds] = await world.broker.bounds([queue]);
  const records: LogRecord[] = [];
  for (let at: Offset = bounds?.min ?? offset(0); at < (bounds?.max ?? offset(0)); at = advance(at, 1)) {
    const record = world.recordsAt(queue, at).at(-1);
    if (record !== undefined && isOwed(record)) records.push(record);
  }
  return records;
}

function isGood({ value }: LogRecord): boolean {
  return payload(value) !== undefined;
}

interface Payload {
  readonly id: number;
  readonly refuse?: boolean;
  readonly deadly?: boolean;
}

function payload(value: Uint8Array | null): Payload | undefined {
  try {
    const parsed = JSON.parse(new TextDecoder().decode(value ?? new Uint8Array())) as Payload;
    return parsed.refuse === true || parsed.deadly === true ? undefined : parsed;
  } catch {
    return undefined;
  }
}

/** Retention may take a record while it is being delivered: what the cursor counts as skipped is not owed. */
function isSetAside(world: World, { shard }: QueueCheck, record: LogRecord): boolean {
  const { gaps } = world.cursors.get(shard) as LogCursor;
  return gaps !== null && record.offset < gaps.end;
}

function idOf({ queue, offset: at }: LogRecord): string {
  return `${queueKey(queue)}@${at}`;
}

/** I8: no digit of a 64-bit number is lost. */
function checkValue(world: World, record: LogRecord, held: HeldRecord): void {
  const text = new TextDecoder().decode(record.value ?? new Uint8Array());
  const large = /"large":(\d+)/.exec(text)?.[1];
  const value = held.value as { readonly large?: bigint };
  if (String(value.large) !== large) world.violate('I8', `${held.id} arrived with ${String(value.large)} instead of ${large}`);
}

/**
 * I7: a shard's records were taken in order. Where a slice was delivered again its records come again; but the first time a
 * record comes, all before it have come: of the whole queue, or, where several slices of a queue run at once, of its slice.
 * What a zombie still appends counts where its epoch belongs: an append target cannot keep it away.
 */
function checkOrder(world: World, { effect, config }: SinkSetup, held: readonly HeldRecord[]): void {
  const isOrdered = effect === 'transactional' || config['delivery.order'] === 'queue';
  const newest = new Map<number, bigint>();
  const seen = new Set<string>();
  for (const { id, slice } of effect === 'append' ? held.toSorted((a, b) => a.slice.epoch - b.slice.epoch) : held) {
    const stream = isOrdered ? 0 : slice.epoch;
    const at = BigInt(id.split('@')[1] ?? id);
    const before = newest.get(stream) ?? -1n;
    if (!seen.has(`${stream} ${id}`) && at < before) return world.violate('I7', `${id} was first taken after ${before}`);
    seen.add(`${stream} ${id}`);
    newest.set(stream, at > before ? at : before);
  }
}

/** Only what was put and not committed when its slice changed hands may be there again. */
function checkDuplicates(world: World, of: { readonly shard: ShardId; readonly generation: number }, duplicates: number): void {
  const max = world.slices.duplicatesMax(of);
  if (duplicates > max) world.violate('content', `${duplicates} duplicates of ${of.shard}, ${max} can be explained`);
}

function checkLastOfKeys(world: World, target: MemoryTarget, good: readonly LogRecord[]): void {
  const last = new Map(good.map((record) => [new TextDecoder().decode(record.key ?? new Uint8Array()), record]));
  for (const [key, record] of last) {
    const held =
      target.effect === 'versioned'
        ? target.documents.get(key)
        : target.effect === 'overwrite'
          ? target.values.get(key)
          : undefined;
    if (held === undefined) return world.violate('content', `key ${key} is missing in the ${target.effect} target`);
    const id = Number((held.value as { readonly id: number }).id);
    if (id !== payload(record.value)?.id) {
      return world.violate(
        'content',
        `key ${key} of the ${target.effect} target is record ${id} (${held.id}), the last one is ${payload(record.value)?.id} (${idOf(record)})`,
      );
    }
    checkValue(world, record, held);
  }
}

// ---------------------------------------------------------------------------------------------------------------------

async function checkSource(world: World, setup: SourceSetup, uid: string): Promise<void> {
  for (const part of setup.rows.keys()) {
    const shard = sourceShardId(uid, ['rows', part]);
    const generation = world.cursors.get(shard)?.generation ?? 1;
    if (setup.target === null) await checkTopic(world, setup, { part, shard, generation });
    else checkDirect(world, setup, setup.target, { part, shard, generation });
  }
}

interface Part {
  readonly part: string;
  readonly shard: ShardId;
  readonly generation: number;
}

async function checkTopic(world: World, setup: SourceSetup, { part, shard, generation }: Part): Promise<void> {
  const counts = new Map<number, number>();
  // What was in a topic that somebody deleted is gone with it, the first time a row appeared included.
  const isIncomplete = world.lostTopics.has(setup.topic);
  for (const queue of await world.broker.queues(setup.topic)) {
    const lastOfKey = new Map<string, number>();
    const seen = new Set<number>();
    for (const record of await readAll(world, queue)) {
      const source = record.headers.find(([name]) => name === SOURCE_HEADER)?.[1];
      const row = rowOf(record.value);
      if (row === null || row.part !== part || (setup.exactlyOnce && source !== `${shard}#${generation}`)) continue;
      counts.set(row.seq, (counts.get(row.seq) ?? 0) + 1);
      const key = new TextDecoder().decode(record.key ?? new Uint8Array());
      // The first time a row appears, all earlier ones of its key have appeared.
      if (!isIncomplete && !seen.has(row.seq) && row.seq < (lastOfKey.get(key) ?? -1))
        world.violate('I7', `row ${row.seq} of ${key} came after row ${lastOfKey.get(key)}`);
      seen.add(row.seq);
      lastOfKey.set(key, Math.max(row.seq, lastOfKey.get(key) ?? -1));
      const position = record.headers.find(([name]) => name === POSITION_HEADER)?.[1];
      if (setup.exactlyOnce && position !== String(row.seq))
        world.violate('content', `row ${row.seq} bears position ${position}`);
    }
  }
  for (const [seq, row] of (setup.rows.get(part) ?? []).entries()) {
    const count = counts.get(seq) ?? 0;
    if (row.tooLarge || row.silent) continue;
    // It was there once, or no checkpoint would cover it (I1).
    if (count === 0 && !isIncomplete) return world.violate('content', `row ${seq} of ${setup.name} ${part} is not in the topic`);
    if (setup.exactlyOnce && count > 1)
      return world.violate('content', `row ${seq} of ${setup.name} ${part} is ${count} times in the topic`);
  }
}

async function readAll(world: World, queue: MessageQueue): Promise<readonly LogRecord[]> {
  const { records } = await world.broker.read(queue, offset(0), {
    records: 1_000_000,
    bytes: Number.MAX_SAFE_INTEGER,
    waitMs: 0,
  });
  return records;
}

function checkDirect(world: World, setup: SourceSetup, target: MemoryTarget, { part, shard, generation }: Part): void {
  const ours = heldRecords(target).filter(({ slice }) => slice.shard === shard && slice.generation === generation);
  const rows = setup.rows.get(part) ?? [];
  if (target.effect === 'overwrite') {
    const last = new Map(rows.filter(({ silent }) => !silent).map((row) => [row.key, row.id]));
    for (const [key, id] of last) {
      const held = target.values.get(key)?.value as { readonly id: number } | undefined;
      if (Number(held?.id) !== id)
        return world.violate('content', `key ${key} of ${setup.name} is row ${held?.id}, the last one is ${id}`);
    }
    return;
  }
  const counts = Map.groupBy(ours, ({ id }) => id);
  for (const [seq, { silent }] of rows.entries()) {
    if (silent) continue;
    const count = counts.get(String(seq))?.length ?? 0;
    if (count === 0) return world.violate('content', `row ${seq} of ${setup.name} ${part} is missing in the target`);
    if (target.effect === 'transactional' && count > 1)
      return world.violate('content', `row ${seq} of ${setup.name} ${part} is ${count} times in the target`);
  }
}
