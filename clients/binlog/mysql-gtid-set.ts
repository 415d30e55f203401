/**
 * MySQL's sets: `uuid:1-5:7,uuid:tag:1-3`. A tag has numbers of its own.
 * https://dev.mysql.com/doc/refman/9.4/en/replication-gtids-concepts.html, read 2026-11-26
 */
import type { Gtid, GtidSet } from './gtid.ts';

/** Both ends are in it. */
interface Interval {
  readonly first: number;
  last: number;
}

/** A set with a tag in it is written in another way: https://dev.mysql.com/doc/dev/mysql-server/latest/classGtid__set.html, read 2026-11-26 */
const TAGGED_FORMAT = 1;

export class MysqlGtidSet implements GtidSet {
  /** Ascending, without neighbours that touch. */
  readonly #intervals = new Map<string, Interval[]>();

  /** @throws {TypeError} for what is no such set. */
  static parse(text: string): MysqlGtidSet {
    const set = new MysqlGtidSet();
    for (const part of text.split(',').map((piece) => piece.trim())) if (part !== '') set.#addBlock(part);
    return set;
  }

  add({ source, number }: Gtid): void {
    this.#addInterval(source, number, number);
  }

  has({ source, number }: Gtid): boolean {
    return this.#intervals.get(source)?.some(({ first, last }) => number >= first && number <= last) === true;
  }

  toString(): string {
    const tagsOf = Map.groupBy([...this.#intervals.keys()].sort(), (source) => source.slice(0, UUID_CHARACTERS));
    return [...tagsOf].map(([uuid, sources]) => uuid + sources.map((source) => this.#intervalsText(source)).join('')).join(',');
  }

  /** As COM_BINLOG_DUMP_GTID takes it. */
  encode(): Buffer {
    const isTagged = [...this.#intervals.keys()].some((source) => source.length > UUID_CHARACTERS);
    const count = BigInt(this.#intervals.size);
    const head = uint64(isTagged ? (BigInt(TAGGED_FORMAT) << 56n) | (count << 8n) | BigInt(TAGGED_FORMAT) : count);
    const blocks = [...this.#intervals].map(([source, intervals]) => {
      const uuid = Buffer.from(source.slice(0, UUID_CHARACTERS).replaceAll('-', ''), 'hex');
      const tag = Buffer.from(source.slice(UUID_CHARACTERS + 1));
      // A length below 128 is packed as its double.
      const tagged = isTagged ? [Buffer.of(tag.length * 2), tag] : [];
      const spans = intervals.flatMap(({ first, last }) => [uint64(BigInt(first)), uint64(BigInt(last) + 1n)]);
      return Buffer.concat([uuid, ...tagged, uint64(BigInt(intervals.length)), ...spans]);
    });
    return Buffer.concat([head, ...blocks]);
  }

  #addBlock(text: string): void {
    const [uuid = '', ...items] = text.split(':').map((item) => item.trim().toLowerCase());
    if (!/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(uuid)) throw new TypeError(`not a set of GTIDs: ${text}`);
    let source = uuid;
    for (const item of items) {
      const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(item) ?? [];
      if (first === undefined) source = `${uuid}:${item}`;
      else this.#addInterval(source, Number(first), Number(last));
    }
  }

  #addInterval(source: string, first: number, last: number): void {
    const intervals = this.#intervals.get(source);
    const end = intervals?.at(-1);
    if (intervals === undefined) this.#intervals.set(source, [{ first, last }]);
    else if (end !== undefined && first === end.last + 1) end.last = last;
    else this.#intervals.set(source, merged([...intervals, { first, last }]));
  }

  #intervalsText(source: string): string {
    const tag = source.length > UUID_CHARACTERS ? `:${source.slice(UUID_CHARACTERS + 1)}` : '';
    const intervals = this.#intervals.get(source) ?? [];
    return tag + intervals.map(({ first, last }) => (first === last ? `:${first}` : `:${first}-${last}`)).join('');
  }
}

const UUID_CHARACTERS = 36;

function merged(intervals: Interval[]): Interval[] {
  const result: Interval[] = [];
  for (const interval of intervals.sort((a, b) => a.first - b.first)) {
    const before = result.at(-1);
    if (before !== undefined && interval.first <= before.last + 1) before.last = Math.max(before.last, interval.last);
    else result.push({ ...interval });
  }
  return result;
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}
