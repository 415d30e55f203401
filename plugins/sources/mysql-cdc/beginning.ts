/** Where a connector begins, by its `snapshot.mode`. */
import type { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import { capturedLists } from './captured-lists.ts';
import { type CdcCheckpoint, FIRST_TABLE, type SnapshotProgress } from './cdc-checkpoint.ts';
import type { CdcSettings } from './cdc-config.ts';
import { logBeginning, logEnd, serverIdentity } from './server-facts.ts';
import { settleLog } from './settled-read.ts';

/** All tables that are captured. */
const ALL: SnapshotProgress = { ...FIRST_TABLE, scope: { beside: null } };

/** Of tables, beside their changes. */
export function readsRows(config: Pick<CdcSettings, 'snapshot.mode'>): boolean {
  return config['snapshot.mode'] === 'initial' || config['snapshot.mode'] === 'when_needed';
}

/** `before`: where it stood, where the log does not reach back to that any more. */
export async function beginning(
  connection: MysqlConnection,
  config: CdcSettings,
  before: CdcCheckpoint | null,
): Promise<CdcCheckpoint> {
  const server = await serverIdentity(connection);
  const mode = config['snapshot.mode'];
  const at = mode === 'never' ? await logBeginning(connection) : await logEnd(connection);
  // Nobody gives what is in the log before that, so rows that are read must have it.
  if (mode !== 'never') await settleLog(connection, at);
  const isRead = readsRows(config);
  return {
    server,
    era: before === null ? 0 : before.era + 1,
    ...at,
    inside: null,
    snapshot: isRead ? ALL : null,
    rows: before?.rows ?? 0,
    lists: isRead ? capturedLists(config) : null,
    again: before?.again ?? null,
    beatAtMs: before?.beatAtMs ?? 0,
    waits: null,
  };
}

/**
 * The same as long as tables are read; then with those to read that an operator names, and at last with those that the configuration
 * captures by now, and others before did not.
 */
export function withNextTables(at: CdcCheckpoint, config: CdcSettings): CdcCheckpoint {
  if (at.snapshot !== null) return at;
  if (at.again !== null) return { ...at, again: null, snapshot: { ...FIRST_TABLE, scope: { tables: at.again } } };
  const lists = capturedLists(config);
  if (at.lists === null || at.lists === lists) return at;
  return { ...at, lists, snapshot: { ...FIRST_TABLE, scope: { beside: at.lists } } };
}
