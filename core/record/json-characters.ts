/** Codes of the characters that mean something in JSON. */
export const QUOTE = 0x22;
export const PLUS = 0x2b;
export const COMMA = 0x2c;
export const MINUS = 0x2d;
export const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
export const COLON = 0x3a;
export const BRACKET = 0x5b;
export const BACKSLASH = 0x5c;
export const BRACKET_END = 0x5d;
export const LETTER_F = 0x66;
export const LETTER_N = 0x6e;
export const LETTER_T = 0x74;
export const BRACE = 0x7b;
export const BRACE_END = 0x7d;
export const SPACE = 0x20;

export function isDigit(code: number, orDot: boolean): boolean {
  return (code >= ZERO && code <= NINE) || (orDot && code === DOT);
}

export function isExponent(code: number): boolean {
  return code === 0x65 || code === 0x45;
}

/** Space, tab, line feed, carriage return. */
export function isBlank(code: number): boolean {
  return code === SPACE || code === 0x0a || code === 0x0d || code === 0x09;
}
