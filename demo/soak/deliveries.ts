/**
 * Looks at every record: whether each change of the shop is in the log once, and each record of the log in the archive once, in
 * its order. What the rows add up to in the end would hide a change that was lost and followed by another one.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { DataFolder } from '../../adapters/data-folder.ts';
import { readConnector } from '../../core/connector.ts';
import { type MessageQueue, queueKey } from '../../core/message-queue.ts';
import type { LogRecord } from '../../core/record/connect-record.ts';
import { formatPosition, type Position, parsePosition } from '../../core/record/position.ts';
import { POSITION_HEADER } from '../../core/record/position-headers.ts';
import { queueShardId } from '../../core/shard-id.ts';
import { shardFolderName } from '../../plugins/sinks/files/shard-folder.ts';
import { ownNames } from '../../plugins/sources/sqlite-cdc/own-names.ts';
import { TABLES } from '../shop.ts';
import { compareLines, digest, linesIn, recordsOf } from './queue-comparison.ts';

export interface Deliveries {
  /** Of the log. */
  readonly records: number;
  /** Changes that are not in the log, and records that are not in the archive. */
  readonly lost: number;
  /** Changes that are in the log again, and records that are in the archive again. */
  readonly duplicated: number;
  /** Queues whose records are in the archive in another order. */
  readonly outOfOrder: number;
  /** The first few of all these, for people. */
  readonly examples: readonly string[];
}

/** The source. */
const CAPTURE = 'shop-cdc';

const EXAMPLES_MAX = 5;
/** Second part of the position of a row that was read as a whole; `plugins/sources/sqlite-cdc/change-events.ts`. */
const SNAPSHOT_PART = 4n;

interface Tally {
  records: number;
  lost: number;
  duplicated: number;
  outOfOrder: number;
  readonly examples: string[];
}

export async function checkDeliveries(folder: string, { broker, store }: DataFolder): Promise<Deliveries> {
  const tally: Tally = { records: 0, lost: 0, duplicated: 0, outOfOrder: 0, examples: [] };
  const archive = await uidOf(store, 'shop-archive');
  const positions = new Map<string, Position>();
  for (const topic of await broker.topics()) {
    const isArchived = TABLES.some((table) => topic === `shop-${table}`);
    for (const queue of await broker.queues(topic)) {
      const sent: string[] = [];
      for await (const record of recordsOf(broker, queue)) {
        sent.push(digest(record.value ?? Buffer.alloc(0)));
        notePosition(positions, record, tally, queue);
      }
      tally.records += sent.length;
      const name = shardFolderName(queueShardId(archive, queue));
      if (!isArchived) continue;
      const archived = [...linesIn(join(folder, 'archive', name))].map(digest);
      compareQueue(queueKey(queue), { sent, archived, tally });
    }
  }
  checkChanges(positions, lastChange(folder, await uidOf(store, CAPTURE)), tally);
  return tally;
}

/** Each record that the source sends has a position of its own. */
function notePosition(positions: Map<string, Position>, { headers }: LogRecord, tally: Tally, queue: MessageQueue): void {
  const text = headers.findLast(([name]) => name === POSITION_HEADER)?.[1] ?? '';
  const position = parsePosition(text);
  if (position === undefined) return example(tally, `a record of ${queueKey(queue)} has no position`);
  if (positions.has(text)) {
    tally.duplicated += 1;
    example(tally, `${text} is in the log again, in ${queueKey(queue)}`);
  }
  positions.set(text, position);
}

/**
 * Changes are numbered without a gap. One that came while its row was still to be read as a whole may be contained in that row,
 * so only those behind the last such row are all to be there.
 */
function checkChanges(positions: ReadonlyMap<string, Position>, last: bigint, tally: Tally): void {
  let behind = 0n;
  const seen = new Set<bigint>();
  for (const [seq = 0n, part] of positions.values()) {
    if (part === SNAPSHOT_PART) behind = seq > behind ? seq : behind;
    else seen.add(seq);
  }
  for (let seq = behind + 1n; seq <= last; seq += 1n) {
    if (seen.has(seq)) continue;
    tally.lost += 1;
    example(tally, `change ${formatPosition([seq])} is not in the log`);
  }
}

async function uidOf(store: DataFolder['store'], connector: string): Promise<string> {
  return (await readConnector({ store }, connector))?.uid ?? '';
}

function lastChange(folder: string, uid: string): bigint {
  const shop = new DatabaseSync(join(folder, 'shop.db'), { readOnly: true });
  try {
    const statement = shop.prepare(`SELECT max(seq) AS last FROM "${ownNames({ connector: CAPTURE, uid }).changes}"`);
    statement.setReadBigInts(true);
    return (statement.get()?.['last'] as bigint | null) ?? 0n;
  } finally {
    shop.close();
  }
}

function compareQueue(
  queue: string,
  { sent, archived, tally }: { readonly sent: readonly string[]; readonly archived: readonly string[]; readonly tally: Tally },
): void {
  const { lost, duplicated, firstAt } = compareLines(sent, archived);
  if (firstAt === -1 && lost + duplicated === 0) return;
  tally.lost += lost;
  tally.duplicated += duplicated;
  if (lost + duplicated === 0) tally.outOfOrder += 1;
  example(tally, `${queue} in archive: ${lost} lost, ${duplicated} too many, the first one that differs at offset ${firstAt}`);
}

function example(tally: Tally, text: string): void {
  if (tally.examples.length < EXAMPLES_MAX) tally.examples.push(text);
}
