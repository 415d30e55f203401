/** Makes batches: records that follow one another, have the same URL and headers, and fit into one body. */
import type { ConnectRecord } from '../../../core/record/connect-record.ts';
import type { PutFailure } from '../../api/sink.ts';
import { type HttpSinkSettings, unescaped } from './http-config.ts';
import { type HeadOf, headOf, isSameHead, type RequestHead, refusalIn, tooLarge, withoutValue } from './request-head.ts';

export interface Gathered {
  readonly head: RequestHead;
  readonly body: Uint8Array;
  /** Indexes of the records in it: at least one. */
  readonly members: readonly number[];
}

export interface Stretch {
  /** `null`: no record of the stretch is to be sent. */
  readonly gathered: Gathered | null;
  /** Records that cannot be sent. */
  readonly refusals: readonly PutFailure[];
  /** Behind the last record that was looked at. */
  readonly end: number;
}

export class Gatherer {
  readonly #headOf: HeadOf;
  readonly #prefix: Uint8Array;
  readonly #separator: Uint8Array;
  readonly #suffix: Uint8Array;
  readonly #bytesMax: number;
  readonly #ignoresNull: boolean;

  constructor(config: HttpSinkSettings) {
    const bytes = (affix: string): Uint8Array => new TextEncoder().encode(unescaped(affix));
    this.#headOf = headOf(config);
    this.#prefix = bytes(config['batch.prefix']);
    this.#separator = bytes(config['batch.separator']);
    this.#suffix = bytes(config['batch.suffix']);
    this.#bytesMax = config['request.max.bytes'];
    this.#ignoresNull = config['behavior.on.null.values'] === 'ignore';
  }

  /** From the record at `from` on, of which there is one. */
  gather(records: readonly ConnectRecord[], { from, size }: { readonly from: number; readonly size: number }): Stretch {
    const affixes = this.#prefix.length + this.#suffix.length;
    const members: number[] = [];
    const values: Uint8Array[] = [];
    const refusals: PutFailure[] = [];
    let head: RequestHead | null = null;
    let bytes = affixes;
    let index = from;
    for (; index < records.length && members.length < size; index += 1) {
      const record = records[index] as ConnectRecord;
      const value = record.valueDatum.bytes ?? null;
      if (value === null) {
        if (!this.#ignoresNull) refusals.push({ index, error: withoutValue() });
        continue;
      }
      if (affixes + value.length > this.#bytesMax) {
        refusals.push({ index, error: tooLarge(affixes + value.length, this.#bytesMax) });
        continue;
      }
      let own: RequestHead;
      try {
        own = this.#headOf(record);
      } catch (error) {
        refusals.push({ index, error: refusalIn(error) });
        continue;
      }
      const more = (members.length === 0 ? 0 : this.#separator.length) + value.length;
      if (bytes + more > this.#bytesMax || (head !== null && !isSameHead(head, own))) break;
      head ??= own;
      bytes += more;
      members.push(index);
      values.push(value);
    }
    const gathered = head === null ? null : { head, members, body: this.#body(values, bytes) };
    return { gathered, refusals, end: index };
  }

  #body(values: readonly Uint8Array[], length: number): Uint8Array {
    const body = new Uint8Array(length);
    let at = 0;
    const add = (bytes: Uint8Array): void => {
      body.set(bytes, at);
      at += bytes.length;
    };
    add(this.#prefix);
    for (const [index, value] of values.entries()) {
      if (index > 0) add(this.#separator);
      add(value);
    }
    add(this.#suffix);
    return body;
  }
}
