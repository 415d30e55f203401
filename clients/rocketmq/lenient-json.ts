/**
 * Reads what RocketMQ's servers write as JSON: keys may be numbers without quotes, and objects.
 *
 *     {"brokerAddrs":{0:"127.0.0.1:10911"}}     {"offsetTable":{{"brokerName":"b","queueId":0,"topic":"T"}:{"maxOffset":3}}}
 *
 * An object with objects for keys comes back as entries, `[key, value]` each; every other object as one. Whole numbers of any length
 * come as `bigint`: some are 64-bit, and a `number` would round them.
 */
import { assert } from '../../core/assert.ts';

export type LenientJson =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly LenientJson[]
  | { readonly [name: string]: LenientJson };

/** A server's answers nest four deep. */
const DEPTH_MAX = 32;

/** @throws {AssertionError} where the text is no such JSON. */
export function parseLenientJson(text: string): LenientJson {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): LenientJson {
    assert(depth <= DEPTH_MAX, `the answer nests more than ${DEPTH_MAX} deep`);
    switch (this.#peek()) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      default:
        return this.#word();
    }
  }

  end(): void {
    assert(this.#peek() === '', `unexpected text behind the answer, at ${this.#at}`);
  }

  #object(depth: number): LenientJson {
    const entries: (readonly [LenientJson, LenientJson])[] = [];
    this.#skip('{');
    while (this.#peek() !== '}') {
      const key = this.value(depth + 1);
      this.#skip(':');
      entries.push([key, this.value(depth + 1)]);
      if (this.#peek() === ',') this.#at += 1;
    }
    this.#skip('}');
    if (entries.some(([key]) => typeof key === 'object')) return entries;
    return Object.fromEntries(entries.map(([key, value]) => [String(key), value]));
  }

  #array(depth: number): LenientJson {
    const items: LenientJson[] = [];
    this.#skip('[');
    while (this.#peek() !== ']') {
      items.push(this.value(depth + 1));
      if (this.#peek() === ',') this.#at += 1;
    }
    this.#skip(']');
    return items;
  }

  #string(): string {
    const from = this.#at;
    this.#at += 1;
    while (this.#text[this.#at] !== '"') {
      assert(this.#at < this.#text.length, `a text without an end, at ${from}`);
      this.#at += this.#text[this.#at] === '\\' ? 2 : 1;
    }
    this.#at += 1;
    return JSON.parse(this.#text.slice(from, this.#at)) as string;
  }

  #word(): LenientJson {
    const [word] = /^[\w.+-]+/.exec(this.#text.slice(this.#at, this.#at + 64)) ?? [''];
    assert(word !== '', `unexpected '${this.#text[this.#at] ?? 'end'}' at ${this.#at}`);
    this.#at += word.length;
    if (/^-?\d+$/.test(word)) return BigInt(word);
    return JSON.parse(word) as LenientJson;
  }

  #skip(character: string): void {
    assert(this.#peek() === character, `expected '${character}' at ${this.#at}`);
    this.#at += 1;
  }

  /** The next character that is no space; empty at the end. */
  #peek(): string {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
    return this.#text[this.#at] ?? '';
  }
}
