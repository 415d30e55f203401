/** Tables by the numbers that the log gives them before the changes of their rows. */
import type { ByteReader } from '../mysql/byte-reader.ts';
import { TableLayout } from './table-layout.ts';
import { UnreadableBinlog } from './unreadable.ts';

/** A server gives a table a new number whenever it opens it; those of old are not used again. */
const NUMBERS_MAX = 10_000;

export class TableMaps {
  readonly #isMariadb: boolean;
  readonly #byNumber = new Map<number, TableLayout>();
  /** So that a table that looks the same is the same object, under whatever number. */
  readonly #byName = new Map<string, TableLayout>();

  constructor(isMariadb: boolean) {
    this.#isMariadb = isMariadb;
  }

  /** Of a table map. */
  read(bytes: ByteReader): void {
    const number = bytes.uint48();
    const { buffer, at, end } = bytes;
    if (this.#byNumber.get(number)?.isSame(buffer, at, end) === true) return;
    const layout = this.#known(new TableLayout(Buffer.from(buffer.subarray(at, end)), this.#isMariadb), bytes);
    if (this.#byNumber.size >= NUMBERS_MAX) this.#byNumber.clear();
    this.#byNumber.set(number, layout);
  }

  of(number: number): TableLayout {
    const layout = this.#byNumber.get(number);
    if (layout !== undefined) return layout;
    throw new UnreadableBinlog(
      `changes of table number ${number}, which was not described before`,
      'start at the beginning of a transaction',
    );
  }

  #known(layout: TableLayout, { buffer, at, end }: ByteReader): TableLayout {
    const name = `${layout.database}\0${layout.table}`;
    const known = this.#byName.get(name);
    if (known?.isSame(buffer, at, end) === true) return known;
    if (this.#byName.size >= NUMBERS_MAX) this.#byName.clear();
    this.#byName.set(name, layout);
    return layout;
  }
}
