/** SQL in the log. */
import type { Statement } from '../../../clients/binlog/binlog-events.ts';
import { UnreadableBinlog } from '../../../clients/binlog/unreadable.ts';
import { sqlWords } from './sql-words.ts';

const CHANGES_ROWS: ReadonlySet<string> = new Set(['insert', 'update', 'delete', 'replace', 'load', 'call', 'do', 'with']);

/** @throws {UnreadableBinlog} for a change of rows that was logged as the statement that made it: nobody knows which rows those are. */
export function demandLoggedAsRows({ sql }: Statement): void {
  const [first] = sqlWords(sql, 1);
  if (first === undefined || !CHANGES_ROWS.has(first.text.toLowerCase())) return;
  throw new UnreadableBinlog(
    `a change was logged as the statement that made it (${first.text.toUpperCase()})`,
    'SET GLOBAL binlog_format = ROW, and let no session change it; then reset the offsets of the connector to read its tables anew',
  );
}
