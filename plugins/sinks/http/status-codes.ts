/** Lists of HTTP status codes and their ranges, as Confluent's HTTP sink writes them: `408,425,429,500-` or `500-504`. */
export interface StatusRange {
  readonly first: number;
  readonly last: number;
}

const LAST = 599;

/** `undefined`: the text is no such list. */
export function parseStatusCodes(text: string): readonly StatusRange[] | undefined {
  const ranges: StatusRange[] = [];
  for (const item of text.split(',')) {
    const parts = /^\s*(\d{3})\s*(?:(-)\s*(\d{3})?)?\s*$/.exec(item);
    if (parts === null) return undefined;
    const first = Number(parts[1]);
    const last = parts[2] === undefined ? first : Number(parts[3] ?? LAST);
    if (first < 400 || last > LAST || last < first) return undefined;
    ranges.push({ first, last });
  }
  return ranges;
}

export function includesStatus(ranges: readonly StatusRange[], status: number): boolean {
  return ranges.some(({ first, last }) => status >= first && status <= last);
}
