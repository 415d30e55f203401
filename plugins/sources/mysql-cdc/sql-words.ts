/** The words of a statement, as far as it takes to see what it does, and to what. */

export interface SqlWord {
  readonly text: string;
  /** It stood between the quotes of names. */
  readonly isQuoted: boolean;
  /** It is one character that no name has without quotes. */
  readonly isSign: boolean;
}

/** Blanks; comments, and of those that servers read what stands around them; text; names, with quotes and without; single signs. */
const WORD =
  /\s+|\/\*(?!M?!)[\s\S]*?\*\/|\/\*M?!\d*|\*\/|--(?=\s|$)[^\n]*|#[^\n]*|'(?:[^'\\]|\\[\s\S]|'')*'|`((?:[^`]|``)*)`|"((?:[^"]|"")*)"|([\w$\u0080-\uffff]+)|([\s\S])/g;

/** Text and comments are left out. At most `most`. */
export function sqlWords(sql: string, most: number): readonly SqlWord[] {
  const words: SqlWord[] = [];
  for (const [, ticked, quoted, plain, sign] of sql.matchAll(WORD)) {
    const text = ticked?.replaceAll('``', '`') ?? quoted?.replaceAll('""', '"') ?? plain ?? sign;
    if (text === undefined) continue;
    words.push({ text, isQuoted: plain === undefined && sign === undefined, isSign: sign !== undefined });
    if (words.length === most) break;
  }
  return words;
}
