/** Change logs of other connectors that grow: nobody tells this database when a connector is deleted. */
import type { DatabaseSync } from 'node:sqlite';
import { quoted } from '../../../clients/sqlite/quoted.ts';
import type { OwnNames } from './own-names.ts';

/** A connector at work leaves some 15,000 behind; one that cannot keep up for a while leaves more. */
const UNREAD_CHANGES = 100_000;

export interface UnreadLog {
  readonly table: string;
  readonly changes: number;
  /** When its oldest change happened, epoch ms. */
  readonly sinceMs: number;
}

export function unreadLogs(database: DatabaseSync, own: OwnNames): readonly UnreadLog[] {
  const tables = database
    .prepare(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE '\\_sortie\\_changes:%' ESCAPE '\\' AND name <> ?`,
    )
    .all(own.changes) as unknown as readonly { readonly name: string }[];
  return tables.map(({ name }) => unreadLog(database, name)).filter(({ changes }) => changes > UNREAD_CHANGES);
}

/** Numbers of changes have no gaps, so that nothing is counted. Largest and smallest are asked for apart, for together they take a look at each row. */
function unreadLog(database: DatabaseSync, table: string): UnreadLog {
  const row = database
    .prepare(
      `SELECT (SELECT max(seq) FROM ${quoted(table)}) - (SELECT min(seq) FROM ${quoted(table)}) + 1 AS changes,
              (SELECT at_ms FROM ${quoted(table)} ORDER BY seq LIMIT 1) AS at`,
    )
    .get();
  return { table, changes: Number(row?.['changes'] ?? 0), sinceMs: Number(row?.['at'] ?? 0) };
}
