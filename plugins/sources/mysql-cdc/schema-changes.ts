/** What statements in the log do to tables as a whole. */
import type { Statement } from '../../../clients/binlog/binlog-events.ts';
import { type SqlWord, sqlWords } from './sql-words.ts';

export interface TableName {
  readonly database: string;
  readonly table: string;
}

/** All rows of a table went at once. */
export interface Truncation extends TableName {
  readonly kind: 'truncation';
}

export interface DatabaseChange {
  readonly kind: 'database';
  readonly database: string;
}

export interface TableChange {
  readonly kind: 'table';
  /** That it may be about: every word may be the name of one. */
  readonly tables: readonly TableName[];
}

/** What names may be is far before this. */
const WORDS_MAX = 200;

const VERBS: ReadonlySet<string> = new Set(['create', 'alter', 'drop', 'rename']);

/** What a verb may do something to, which is no table. Words of these may stand between: IF NOT EXISTS, OR REPLACE, DEFINER = ... */
const OTHERS: ReadonlySet<string> = new Set(['user', 'role', 'function', 'procedure', 'event', 'server', 'trigger', 'package']);
const WORDS_BEFORE_OBJECT = 10;

/** `null`: it does nothing to tables. `foldsNames`: the server keeps names in small letters. */
export function effectOf(
  { database, sql }: Statement,
  { foldsNames }: { readonly foldsNames: boolean },
): Truncation | DatabaseChange | TableChange | null {
  const words = sqlWords(sql, WORDS_MAX).map((word) => (foldsNames ? { ...word, text: word.text.toLowerCase() } : word));
  const [verb, object] = [keyword(words[0]), keyword(words[1])];
  if (verb === 'truncate') {
    const [name] = namesIn(words.slice(object === 'table' ? 2 : 1), database);
    return name === undefined ? null : { kind: 'truncation', ...name };
  }
  if (!VERBS.has(verb)) return null;
  if (object === 'database' || object === 'schema') {
    const name = words.slice(2).find((word) => !['if', 'not', 'exists'].includes(keyword(word)));
    return { kind: 'database', database: name?.text ?? database };
  }
  if (words.slice(1, WORDS_BEFORE_OBJECT).some((word) => OTHERS.has(keyword(word)))) return null;
  return { kind: 'table', tables: namesIn(words.slice(1), database) };
}

/** `a.b`, or a table of the database that the statement was run in. */
function namesIn(words: readonly SqlWord[], database: string): readonly TableName[] {
  return words.flatMap((word, index) => {
    if (word.isSign) return [];
    const [dot, second] = words.slice(index + 1, index + 3);
    if (isDot(dot) && second !== undefined) return [{ database: word.text, table: second.text }];
    return isDot(words[index - 1]) ? [] : [{ database, table: word.text }];
  });
}

function isDot(word: SqlWord | undefined): boolean {
  return word?.isSign === true && word.text === '.';
}

/** Names with quotes around them are none. */
function keyword(word: SqlWord | undefined): string {
  return word === undefined || word.isQuoted ? '' : word.text.toLowerCase();
}
