/**
 * Decimals of Kafka Connect: an unscaled integer of any size, in memory as big-endian two's complement bytes, with its scale
 * in the schema: 12345 at scale 2 is 123.45. No step goes through a `number`.
 */
import type { Schema } from './schema.ts';
import { ShapeError } from './shape-error.ts';

export interface Decimal {
  readonly unscaled: bigint;
  readonly scale: number;
}

/** Zeros that may be appended to reach a scale; a number as long as this is the longest Jackson reads, too. */
const ZEROS_MAX = 1_000;

/** A Java `int`, which a scale is. */
const SCALE_MAX = 2 ** 31 - 1;

/** @throws {ShapeError} when the schema of a decimal does not say its scale. */
export function decimalScale(schema: Schema): number {
  const text = schema.parameters?.['scale'] ?? '';
  const scale = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(Math.abs(scale) <= SCALE_MAX)) throw new ShapeError('the schema of a decimal has no scale');
  return scale;
}

/** `undefined` when the text is not a number as JSON writes it. */
export function parseDecimal(text: string): Decimal | undefined {
  const parts = /^(-?\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (parts === null) return undefined;
  const [, whole = '', fraction = '', exponent = '0'] = parts;
  return { unscaled: BigInt(whole + fraction), scale: fraction.length - Number(exponent) };
}

/** The unscaled integer of the same number at another scale. @throws {ShapeError} when that would lose digits. */
export function unscaledAt(scale: number, decimal: Decimal): bigint {
  if (decimal.unscaled === 0n) return 0n;
  const zeros = scale - decimal.scale;
  if (Math.abs(zeros) > ZEROS_MAX) throw new ShapeError(`the decimal does not fit scale ${scale}`);
  if (zeros >= 0) return decimal.unscaled * 10n ** BigInt(zeros);
  const divisor = 10n ** BigInt(-zeros);
  if (decimal.unscaled % divisor !== 0n) throw new ShapeError(`the decimal has more digits than scale ${scale} keeps`);
  return decimal.unscaled / divisor;
}

/** As Java's `BigDecimal.toString`: plain, or with an exponent where that is much shorter (`5E+3`, `1E-7`). */
export function decimalText({ unscaled, scale }: Decimal): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString();
  const sign = unscaled < 0n ? '-' : '';
  const exponent = digits.length - 1 - scale;
  if (scale === 0) return sign + digits;
  if (scale > 0 && exponent >= -6) {
    const padded = digits.padStart(scale + 1, '0');
    return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
  }
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  return `${sign}${digits.charAt(0)}${fraction}E${exponent >= 0 ? '+' : ''}${exponent}`;
}

/** As few bytes as hold the number and its sign. */
export function unscaledBytes(unscaled: bigint): Uint8Array {
  const magnitude = unscaled < 0n ? ~unscaled : unscaled;
  const hex = magnitude.toString(16);
  const bits = 4 * hex.length - Math.clz32(Number.parseInt(hex.charAt(0), 16)) + 28;
  const length = Math.floor(bits / 8) + 1;
  const digits = BigInt.asUintN(8 * length, unscaled)
    .toString(16)
    .padStart(2 * length, '0');
  return Uint8Array.from({ length }, (_, index) => Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16));
}

/** @throws {ShapeError} for no bytes, which are no number. */
export function unscaledOf(bytes: Uint8Array): bigint {
  if (bytes.length === 0) throw new ShapeError('a decimal has at least one byte');
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x${digits}`));
}
