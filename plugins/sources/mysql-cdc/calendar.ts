/** Dates and times from the text that the server prints. `undefined` for a date that no calendar has. */

const DAYS_OF_MONTH = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** Days since 1970 of `YYYY-MM-DD`. */
export function daysOf(text: string): number | undefined {
  const year = Number(text.slice(0, 4));
  const month = Number(text.slice(5, 7));
  const day = Number(text.slice(8, 10));
  const leapDay = month === 2 && isLeap(year) ? 1 : 0;
  const last = month === 0 ? 0 : (DAYS_OF_MONTH[month] ?? 0) + leapDay;
  return day === 0 || day > last ? undefined : daysFromCivil(year, month, day);
}

/** Microseconds since 1970 of `YYYY-MM-DD hh:mm:ss`, with or without a fraction. */
export function microsOfDatetime(text: string): bigint | undefined {
  const days = daysOf(text);
  if (days === undefined) return undefined;
  const seconds =
    days * 86_400 + Number(text.slice(11, 13)) * 3_600 + Number(text.slice(14, 16)) * 60 + Number(text.slice(17, 19));
  return BigInt(seconds) * 1_000_000n + BigInt(microsOfFraction(text, 19));
}

/** Microseconds of `[-]hh:mm:ss`, whose hours may have three digits; with or without a fraction. */
export function microsOfTime(text: string): number {
  const isNegative = text.startsWith('-');
  const from = isNegative ? 1 : 0;
  const colon = text.indexOf(':');
  const seconds =
    Number(text.slice(from, colon)) * 3_600 +
    Number(text.slice(colon + 1, colon + 3)) * 60 +
    Number(text.slice(colon + 4, colon + 6));
  const micros = seconds * 1_000_000 + microsOfFraction(text, colon + 6);
  return isNegative ? -micros : micros;
}

/** `YYYY-MM-DDThh:mm:ss.fZ` without zeros at its end, as Java prints it. */
export function isoTimestamp(text: string): string | undefined {
  if (daysOf(text) === undefined) return undefined;
  const time = text.slice(11);
  return `${text.slice(0, 10)}T${time.length > 8 ? time.replace(/\.?0+$/, '') : time}Z`;
}

function microsOfFraction(text: string, at: number): number {
  return text.length <= at ? 0 : Number(text.slice(at + 1).padEnd(6, '0'));
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** https://howardhinnant.github.io/date_algorithms.html (days_from_civil), read 2026-11-26 */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
