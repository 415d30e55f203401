/**
 * A JSON parser that keeps every digit. `parseJson` calls it for the few texts that `JSON.parse` would round or refuse.
 * It walks the text once; depth is bounded by the stack, whose end the caller meets as a `RangeError`.
 */
import {
  BACKSLASH,
  BRACE,
  BRACE_END,
  BRACKET,
  BRACKET_END,
  COLON,
  COMMA,
  DOT,
  isBlank,
  isDigit,
  isExponent,
  LETTER_F,
  LETTER_N,
  LETTER_T,
  MINUS,
  PLUS,
  QUOTE,
  SPACE,
} from './json-characters.ts';
import { ShapeError } from './shape-error.ts';
import { setField } from './struct.ts';

type JsonWith<Numeric> = null | boolean | string | Numeric | readonly JsonWith<Numeric>[] | JsonObjectWith<Numeric>;

interface JsonObjectWith<Numeric> {
  readonly [key: string]: JsonWith<Numeric>;
}

export type LosslessJson = JsonWith<number | bigint>;
export type ExactJson = JsonWith<number | bigint | ExactNumber>;

/** A fraction that a double would not hold, as it was written. */
export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Whatever is longer is refused, as Jackson refuses it: making an integer of a megabyte of digits takes seconds. */
const NUMBER_CHARACTERS_MAX = 1_000;

/** Decimals of up to 15 digits survive a double; one more character is the dot. */
const DIGITS_SURE = 16;

interface Cursor {
  readonly text: string;
  readonly exact: boolean;
  at: number;
}

/** `exact`: fractions of more than 15 digits become `ExactNumber`. @throws {ShapeError} when the text is not JSON. */
export function readJson(text: string, exact: boolean): ExactJson {
  const cursor = { text, exact, at: 0 };
  const value = readValue(cursor);
  if (!Number.isNaN(skipBlanks(cursor))) throw fault(cursor);
  return value;
}

function readValue(cursor: Cursor): ExactJson {
  switch (skipBlanks(cursor)) {
    case BRACE:
      return readObject(cursor);
    case BRACKET:
      return readArray(cursor);
    case QUOTE:
      return readString(cursor);
    case LETTER_T:
      return readWord(cursor, 'true', true);
    case LETTER_F:
      return readWord(cursor, 'false', false);
    case LETTER_N:
      return readWord(cursor, 'null', null);
    default:
      return readNumber(cursor);
  }
}

function readObject(cursor: Cursor): ExactJson {
  const object: { [key: string]: ExactJson } = {};
  if (isEmpty(cursor, BRACE_END)) return object;
  do {
    if (skipBlanks(cursor) !== QUOTE) throw fault(cursor);
    const key = readString(cursor);
    if (skipBlanks(cursor) !== COLON) throw fault(cursor);
    cursor.at += 1;
    setField(object, key, readValue(cursor));
  } while (hasNext(cursor, BRACE_END));
  return object;
}

function readArray(cursor: Cursor): ExactJson {
  const array: ExactJson[] = [];
  if (isEmpty(cursor, BRACKET_END)) return array;
  do array.push(readValue(cursor));
  while (hasNext(cursor, BRACKET_END));
  return array;
}

/** Steps into an object or array; over its end, too, when that follows at once. */
function isEmpty(cursor: Cursor, end: number): boolean {
  cursor.at += 1;
  if (skipBlanks(cursor) !== end) return false;
  cursor.at += 1;
  return true;
}

/** Steps over a comma, or over the end. */
function hasNext(cursor: Cursor, end: number): boolean {
  const code = skipBlanks(cursor);
  if (code !== COMMA && code !== end) throw fault(cursor);
  cursor.at += 1;
  return code === COMMA;
}

function readString(cursor: Cursor): string {
  const { text, at: start } = cursor;
  let isPlain = true;
  let end = start + 1;
  for (let code = text.charCodeAt(end); code !== QUOTE; code = text.charCodeAt(end)) {
    if (!(code >= SPACE)) throw fault({ ...cursor, at: end });
    if (code === BACKSLASH) isPlain = false;
    end += code === BACKSLASH ? 2 : 1;
  }
  cursor.at = end + 1;
  return isPlain ? text.slice(start + 1, end) : unescaped(cursor, start);
}

function unescaped(cursor: Cursor, start: number): string {
  try {
    return JSON.parse(cursor.text.slice(start, cursor.at)) as string;
  } catch {
    throw fault({ ...cursor, at: start });
  }
}

function readWord<Word>(cursor: Cursor, word: string, value: Word): Word {
  if (!cursor.text.startsWith(word, cursor.at)) throw fault(cursor);
  cursor.at += word.length;
  return value;
}

function readNumber(cursor: Cursor): number | bigint | ExactNumber {
  const { text, at: start, exact } = cursor;
  if (text.charCodeAt(start) === MINUS) cursor.at += 1;
  skipDigits(cursor);
  const whole = cursor.at;
  if (text.charCodeAt(cursor.at) === DOT) {
    cursor.at += 1;
    skipDigits(cursor);
  }
  if (isExponent(text.charCodeAt(cursor.at))) {
    const sign = text.charCodeAt(cursor.at + 1);
    cursor.at += sign === PLUS || sign === MINUS ? 2 : 1;
    skipDigits(cursor);
  }
  const digits = text.slice(start, cursor.at);
  if (digits.length > NUMBER_CHARACTERS_MAX) throw new ShapeError(`a number has more than ${NUMBER_CHARACTERS_MAX} characters`);
  if (cursor.at === whole) return wholeNumber(digits);
  return exact && digits.length > DIGITS_SURE ? new ExactNumber(digits) : Number(digits);
}

function wholeNumber(digits: string): number | bigint {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : BigInt(digits);
}

function skipDigits(cursor: Cursor): void {
  const start = cursor.at;
  while (isDigit(cursor.text.charCodeAt(cursor.at), false)) cursor.at += 1;
  if (cursor.at === start) throw fault(cursor);
}

/** The code of the first character that is not a blank; NaN at the end. */
function skipBlanks(cursor: Cursor): number {
  let code = cursor.text.charCodeAt(cursor.at);
  while (isBlank(code)) {
    cursor.at += 1;
    code = cursor.text.charCodeAt(cursor.at);
  }
  return code;
}

function fault({ text, at }: Cursor): ShapeError {
  return new ShapeError(at < text.length ? `not JSON from character ${at} on` : 'the JSON text ends too early', at);
}
