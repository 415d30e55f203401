/** Doubles of this many characters are short enough: every float32 can be told from its neighbours by nine digits. */
const CHARACTERS_SHORT = 8;
const DIGITS_MAX = 9;

/** Decimals of up to six digits survive a float32, so fewer digits need no try; subnormal numbers come out longer than needed. */
const DIGITS_SURE = 6;

/**
 * The double with the fewest digits that rounds to the given number's float32: 1.1 for 1.10000002384185791015625. That is
 * how Java prints a float.
 */
export function float32Digits(value: number): number {
  const single = Math.fround(value);
  if (!Number.isFinite(single) || String(single).length <= CHARACTERS_SHORT) return single;
  for (let digits = DIGITS_SURE; digits < DIGITS_MAX; digits += 1) {
    const shorter = Number(single.toPrecision(digits));
    if (Math.fround(shorter) === single) return shorter;
  }
  return Number(single.toPrecision(DIGITS_MAX));
}
