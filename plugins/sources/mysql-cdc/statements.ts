/** SQL in the log. */
import type { Statement } from '../../../clients/binlog/binlog-events.ts';
import { UnreadableBinlog } from '../../../clients/binlog/unreadable.ts';

/** Comments may stand before the first word. */
const FIRST_WORD = /^(?:\s|\/\*(?!!)[\s\S]*?\*\/|--\s[^\n]*\n|#[^\n]*\n)*(\w+)/;

const CHANGES_ROWS: ReadonlySet<string> = new Set(['insert', 'update', 'delete', 'replace', 'load', 'call', 'do', 'with']);

/** @throws {UnreadableBinlog} for a change of rows that was logged as the statement that made it: nobody knows which rows those are. */
export function demandLoggedAsRows({ sql }: Statement): void {
  const [, word = ''] = FIRST_WORD.exec(sql) ?? [];
  if (!CHANGES_ROWS.has(word.toLowerCase())) return;
  throw new UnreadableBinlog(
    `a change was logged as the statement that made it (${word.toUpperCase()})`,
    'SET GLOBAL binlog_format = ROW, and let no session change it; then reset the offsets of the connector to read its tables anew',
  );
}
