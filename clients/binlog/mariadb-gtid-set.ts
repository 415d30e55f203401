import type { Gtid, GtidSet } from './gtid.ts';

/** MariaDB's: the last transaction of each domain, `0-11-6,1-12-90`. https://mariadb.com/kb/en/gtid/, read 2026-11-26 */
export class MariadbGtidSet implements GtidSet {
  readonly #last = new Map<string, string>();

  /** @throws {TypeError} for what is no such set. */
  static parse(text: string): MariadbGtidSet {
    const set = new MariadbGtidSet();
    for (const part of text.split(',').map((piece) => piece.trim())) {
      if (part === '') continue;
      const [, domain] = /^(\d+)-\d+-\d+$/.exec(part) ?? [];
      if (domain === undefined) throw new TypeError(`not a set of GTIDs: ${text}`);
      set.#last.set(domain, part);
    }
    return set;
  }

  add({ source, text }: Gtid): void {
    this.#last.set(source, text);
  }

  toString(): string {
    return [...this.#last.entries()]
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([, text]) => text)
      .join(',');
  }
}
