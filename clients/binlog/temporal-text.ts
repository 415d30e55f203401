/**
 * Dates and times as MySQL packs them, printed as it prints them. What its SQL modes let in is printed, too: zeros, and days that no
 * month has. https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html, read 2026-11-26
 */
import type { ByteReader } from '../mysql/byte-reader.ts';

export function readDate(bytes: ByteReader): string {
  const packed = bytes.uint24();
  return dateText(packed >> 9, (packed >> 5) & 15, packed & 31);
}

/** The fraction of a second takes a byte for each two digits. */
export function timeReader(digits: number): (bytes: ByteReader) => string {
  const fractionBytes = (digits + 1) >> 1;
  const unit = 256 ** fractionBytes;
  const zero = 0x80_0000 * unit;
  return (bytes) => {
    const packed = bytes.bigEndian(3 + fractionBytes) - zero;
    const size = Math.abs(packed);
    const whole = Math.floor(size / unit);
    const text = `${two(whole >> 12)}:${two((whole >> 6) & 63)}:${two(whole & 63)}`;
    return (packed < 0 ? '-' : '') + text + fractionText(size % unit, digits);
  };
}

export function datetimeReader(digits: number): (bytes: ByteReader) => string {
  const fractionBytes = (digits + 1) >> 1;
  return (bytes) => {
    const high = bytes.bigEndian(3) - 0x80_0000;
    const low = bytes.bigEndian(2);
    // 17 bits of year and month, 5 of the day, 5 of the hour, 6 of the minute, 6 of the second.
    const yearMonth = high >> 6;
    const day = (high >> 1) & 31;
    const hour = ((high & 1) << 4) | (low >> 12);
    const date = dateText(Math.floor(yearMonth / 13), yearMonth % 13, day);
    const time = `${two(hour)}:${two((low >> 6) & 63)}:${two(low & 63)}`;
    return `${date} ${time}${fractionText(bytes.bigEndian(fractionBytes), digits)}`;
  };
}

/** In UTC. */
export function timestampReader(digits: number): (bytes: ByteReader) => string {
  const fractionBytes = (digits + 1) >> 1;
  return (bytes) => {
    const seconds = bytes.bigEndian(4);
    return timestampText(seconds) + fractionText(bytes.bigEndian(fractionBytes), digits);
  };
}

/** Before MySQL 5.6, and of tables that were made then. */
export function readOldTimestamp(bytes: ByteReader): string {
  return timestampText(bytes.uint32());
}

export function readOldTime(bytes: ByteReader): string {
  const packed = bytes.int24();
  const size = Math.abs(packed);
  const text = `${two(Math.floor(size / 10_000))}:${two(Math.floor(size / 100) % 100)}:${two(size % 100)}`;
  return packed < 0 ? `-${text}` : text;
}

export function readOldDatetime(bytes: ByteReader): string {
  const packed = Number(bytes.uint64());
  const date = Math.floor(packed / 1_000_000);
  const time = packed % 1_000_000;
  const day = dateText(Math.floor(date / 10_000), Math.floor(date / 100) % 100, date % 100);
  return `${day} ${two(Math.floor(time / 10_000))}:${two(Math.floor(time / 100) % 100)}:${two(time % 100)}`;
}

export function readYear(bytes: ByteReader): number {
  const year = bytes.uint8();
  return year === 0 ? 0 : 1_900 + year;
}

/** Of a date, or a date and time, within JSON: as of `datetimeReader`, with six digits. */
export function packedDatetimeText(packed: bigint): string {
  const whole = Number(packed >> 24n);
  const [date, time] = [Math.floor(whole / 2 ** 17), whole % 2 ** 17];
  const yearMonth = Math.floor(date / 32);
  const clock = `${two(time >> 12)}:${two((time >> 6) & 63)}:${two(time & 63)}`;
  const day = dateText(Math.floor(yearMonth / 13), yearMonth % 13, date % 32);
  return `${day} ${clock}${fractionText(Number(packed & 0xff_ffffn), 6)}`;
}

export function packedTimeText(packed: bigint): string {
  const size = packed < 0n ? -packed : packed;
  const whole = Number(size >> 24n);
  const text = `${two((whole >> 12) & 1_023)}:${two((whole >> 6) & 63)}:${two(whole & 63)}`;
  return (packed < 0n ? '-' : '') + text + fractionText(Number(size & 0xff_ffffn), 6);
}

const SECONDS_OF_DAY = 86_400;

function timestampText(seconds: number): string {
  if (seconds === 0) return '0000-00-00 00:00:00';
  const second = seconds % SECONDS_OF_DAY;
  const time = `${two(Math.floor(second / 3_600))}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)}`;
  return `${utcDate((seconds - second) / SECONDS_OF_DAY)} ${time}`;
}

/** https://howardhinnant.github.io/date_algorithms.html (civil_from_days, days since 1970), read 2026-11-26 */
function utcDate(days: number): string {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const year = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const month = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * month + 2) / 5) + 1;
  return dateText(year + era * 400 + (month >= 10 ? 1 : 0), month < 10 ? month + 3 : month - 9, day);
}

function dateText(year: number, month: number, day: number): string {
  return `${year < 1_000 ? String(year).padStart(4, '0') : year}-${two(month)}-${two(day)}`;
}

/** Stored in an even number of digits. */
function fractionText(stored: number, digits: number): string {
  if (digits === 0) return '';
  const stands = digits % 2 === 0 ? stored : stored / 10;
  return `.${String(stands).padStart(digits, '0')}`;
}

const twoDigits = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0'));

/** Hours may have three. */
function two(number: number): string {
  return twoDigits[number] ?? String(number);
}
