/**
 * Reads JSON without losing a digit: a whole number is a `number` while it is a safe one, else a `bigint`.
 *
 * `JSON.parse` reads every text that holds no long number, which one character in 16 tells. The others, and those that
 * `JSON.parse` refuses, go through a parser that knows the difference; it takes about twice as long.
 *
 * Keys called `__proto__` become plain properties. Leading zeros (`007`) are read, as Kafka Connect reads them.
 */
import { BRACE_END, BRACKET, BRACKET_END, COLON, COMMA, isBlank, isDigit, isExponent, MINUS } from './json-characters.ts';
import { type ExactJson, type LosslessJson, readJson } from './json-parser.ts';

/** @throws {ShapeError} when the text is not JSON. */
export function parseJson(text: string): LosslessJson {
  return parse(text, false) as LosslessJson;
}

/** As `parseJson`, and fractions with more digits than a double holds stay as they are written. @throws {ShapeError} */
export function parseExactJson(text: string): ExactJson {
  return parse(text, true);
}

function parse(text: string, exact: boolean): ExactJson {
  if (!hasLongNumber(text, exact)) {
    try {
      return JSON.parse(text) as ExactJson;
    } catch {
      // Its message quotes the text. The other parser says where the fault is, or reads leading zeros after all.
    }
  }
  return readJson(text, exact);
}

/** Every whole number of fewer digits is a safe one, and every decimal of fewer digits survives a double. */
const LONG = 16;
const SAFE_MAX = String(Number.MAX_SAFE_INTEGER);

/**
 * Whether the text may hold a number that `JSON.parse` would round. A run of 16 digits covers one of every 16 characters, so
 * only those are looked at. Digits that plainly stand inside a string do not count; ones that might count do.
 */
function hasLongNumber(text: string, exact: boolean): boolean {
  for (let at = LONG - 1; at < text.length; at += LONG) {
    if (!isDigit(text.charCodeAt(at), exact)) continue;
    let start = at;
    let end = at + 1;
    while (isDigit(text.charCodeAt(start - 1), exact)) start -= 1;
    while (isDigit(text.charCodeAt(end), exact)) end += 1;
    if (end - start >= LONG && isNumber(text, start, end, exact)) return true;
    at = end;
  }
  return false;
}

function isNumber(text: string, start: number, end: number, exact: boolean): boolean {
  if (end - start === LONG && text.slice(start, end) <= SAFE_MAX) return false;
  const before = text.charCodeAt(text.charCodeAt(start - 1) === MINUS ? start - 2 : start - 1);
  const after = text.charCodeAt(end);
  const begins = Number.isNaN(before) || isBlank(before) || before === COLON || before === COMMA || before === BRACKET;
  const ends = Number.isNaN(after) || isBlank(after) || after === COMMA || after === BRACKET_END || after === BRACE_END;
  return begins && (ends || (exact && isExponent(after)));
}
