/**
 * Tables that are read in ranges, several at once, before changes are given.
 *
 * 1. A discovery makes the shard of the log first, at the place where the log ends by then. It waits.
 * 2. It makes a shard for each range, which may begin at once, and last of all one that says that all are there. Where it dies before
 *    that, the next one makes what is missing.
 * 3. When all of them are done, changes are given from that place on, and no range is read any more. Tables without a key, which have no
 *    order to be read on in by themselves, are read between those.
 */
import type { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import type { FoundShard } from '../../api/context.ts';
import type { SourceShard } from '../../api/source.ts';
import { beginning } from './beginning.ts';
import { filterOf } from './captured-lists.ts';
import {
  type CdcCheckpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  FIRST_TABLE,
  type RangesWaitedFor,
  type SnapshotProgress,
} from './cdc-checkpoint.ts';
import { type CdcSettings, tableFilter } from './cdc-config.ts';
import { missingRanges } from './find-ranges.ts';
import { encodeRange } from './range-checkpoint.ts';
import { isRange, LAST_FOUND, rangeNames } from './table-range.ts';
import { TableTopics } from './table-topics.ts';

const KEYLESS: SnapshotProgress = { ...FIRST_TABLE, scope: { keyless: true } };

const LOG: SourceShard = { names: ['binlog'], finite: false };

/** All shards that are to be made, in this order. */
export async function shardsFor(
  connection: MysqlConnection,
  config: CdcSettings,
  known: readonly FoundShard[],
): Promise<readonly SourceShard[]> {
  const at = await waiting(connection, config, known);
  if (at === null) return [LOG];
  const isMeant = at.lists === null ? () => true : filterOf(at.lists);
  const isWanted = tableFilter(config);
  const ranges = await missingRanges(connection, {
    isWanted: (database, table) => isWanted(database, table) && isMeant(database, table),
    parts: config['snapshot.max.threads'],
    known: known.map(({ names }) => names),
  });
  const topics = new TableTopics(config);
  // Two tables in one topic are found before a row of them is there.
  for (const { database, table } of ranges) topics.of(database, table);
  const checkpoint = encodeRange({ server: at.server, place: at.place, after: null, rows: 0 });
  return [
    { ...LOG, checkpoint: encodeCheckpoint(at) },
    ...ranges.map((range): SourceShard => ({ names: rangeNames(range), finite: true, checkpoint })),
    { names: LAST_FOUND, finite: true },
  ];
}

export function areRangesRead(shards: readonly FoundShard[]): boolean {
  const ranges = shards.filter(({ names }) => isRange(names));
  return ranges.some(isLast) && ranges.every(({ isDone }) => isDone);
}

/** What the shard of the log waits for, as it has committed it. */
export function waitOf(shards: readonly FoundShard[]): RangesWaitedFor {
  const log = shards.find(isLog);
  return log === undefined ? null : (decodeCheckpoint(log.checkpoint)?.waits ?? null);
}

/** Where changes will be given from; `null`: nobody waits with them, or all ranges are there. */
async function waiting(
  connection: MysqlConnection,
  config: CdcSettings,
  known: readonly FoundShard[],
): Promise<CdcCheckpoint | null> {
  const log = known.find(isLog);
  if (log !== undefined) {
    const at = decodeCheckpoint(log.checkpoint);
    return at?.waits === 'all' && !known.some(isLast) ? at : null;
  }
  if (config['snapshot.max.threads'] === 1) return null;
  const at = await beginning(connection, config, null);
  return at.snapshot === null ? null : { ...at, snapshot: KEYLESS, waits: 'all' };
}

function isLog({ names: [first] }: FoundShard): boolean {
  return first === LOG.names[0];
}

function isLast({ names }: FoundShard): boolean {
  return isRange(names) && names.length === LAST_FOUND.length;
}
