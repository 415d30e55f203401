/**
 * Decimals as MySQL packs them: nine digits in four bytes, fewer in fewer; the sign is the first bit, and a negative number has all
 * others turned. https://dev.mysql.com/doc/refman/9.4/en/precision-math-decimal-characteristics.html, read 2026-11-26
 */
import type { ByteReader } from '../mysql/byte-reader.ts';

const GROUP_DIGITS = 9;
const GROUP_BYTES = 4;

/** Of so many digits that are left over. */
const BYTES_OF_DIGITS = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4] as const;

export function decimalReader(precision: number, scale: number): (bytes: ByteReader) => string {
  const whole = groups(precision - scale, 'first');
  const fraction = groups(scale, 'last');
  return (bytes) => {
    const isNegative = ((bytes.buffer[bytes.at] ?? 0) & 0x80) === 0;
    let signBit = 0x80;
    let text = '';
    for (const { digits, size } of whole) {
      const group = magnitude(bytes.bigEndian(size), { size, signBit, isNegative });
      signBit = 0;
      if (text !== '') text += String(group).padStart(digits, '0');
      else if (group !== 0) text = String(group);
    }
    if (text === '') text = '0';
    for (const [index, { digits, size }] of fraction.entries()) {
      const group = magnitude(bytes.bigEndian(size), { size, signBit, isNegative });
      signBit = 0;
      text += (index === 0 ? '.' : '') + String(group).padStart(digits, '0');
    }
    return isNegative ? `-${text}` : text;
  };
}

function magnitude(
  value: number,
  { size, signBit, isNegative }: { readonly size: number; readonly signBit: number; readonly isNegative: boolean },
): number {
  const all = 256 ** size - 1;
  const sign = signBit * 256 ** (size - 1);
  return isNegative ? all - value - sign : value - sign;
}

/** Where the group with fewer digits stands. */
function groups(digits: number, short: 'first' | 'last'): readonly { readonly digits: number; readonly size: number }[] {
  const full = Array.from({ length: Math.floor(digits / GROUP_DIGITS) }, () => ({ digits: GROUP_DIGITS, size: GROUP_BYTES }));
  const rest = digits % GROUP_DIGITS;
  if (rest === 0) return full;
  const part = { digits: rest, size: BYTES_OF_DIGITS[rest] as number };
  return short === 'first' ? [part, ...full] : [...full, part];
}
