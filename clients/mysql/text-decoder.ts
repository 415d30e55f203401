/** What the bytes of a character set say, as MySQL's servers convert them. */
import { upperHalves } from './upper-halves.ts';

export type DecodeText = (buffer: Buffer, from: number, to: number) => string;

const decoders = new Map<string, DecodeText>();

/** `undefined` for a set whose every byte is not known here. */
export function textDecoderOf(charset: string): DecodeText | undefined {
  const known = decoders.get(charset);
  if (known !== undefined) return known;
  const made = makeDecoder(charset);
  if (made !== undefined) decoders.set(charset, made);
  return made;
}

function makeDecoder(charset: string): DecodeText | undefined {
  const upper = upperHalves[charset];
  if (upper !== undefined) return bytewise(upper);
  switch (charset) {
    case 'utf8mb4':
    case 'utf8mb3':
    case 'ascii':
      return (buffer, from, to) => buffer.toString('utf8', from, to);
    case 'utf16le':
      return (buffer, from, to) => buffer.toString('utf16le', from, to);
    case 'ucs2':
    case 'utf16':
      return (buffer, from, to) => Buffer.from(buffer.subarray(from, to)).swap16().toString('utf16le');
    case 'utf32':
      return utf32;
    case 'gbk':
      return byTextDecoder('gbk');
    default:
      return charset in doubleByteSets ? doubleByte(doubleByteSets[charset] as DoubleByteSet) : undefined;
  }
}

function bytewise(upper: string): DecodeText {
  const control = Array.from({ length: 128 - upper.length }, (_, index) => String.fromCharCode(0x80 + index));
  const characters = [...control, ...upper];
  return (buffer, from, to) => {
    const text = buffer.toString('latin1', from, to);
    return ABOVE_ASCII.test(text)
      ? text.replace(EACH_ABOVE_ASCII, (character) => characters[character.charCodeAt(0) - 0x80] as string)
      : text;
  };
}

const ABOVE_ASCII = /[\x80-\xff]/;
const EACH_ABOVE_ASCII = /[\x80-\xff]/g;

function utf32(buffer: Buffer, from: number, to: number): string {
  let text = '';
  for (let at = from; at < to; at += 4) text += String.fromCodePoint(buffer.readUInt32BE(at));
  return text;
}

function byTextDecoder(label: string): DecodeText {
  const decoder = new TextDecoder(label, { ignoreBOM: true });
  return (buffer, from, to) => decoder.decode(buffer.subarray(from, to));
}

/** A set of which the platform and MySQL make the same, but for some characters. */
interface DoubleByteSet {
  readonly label: string;
  /** What the platform makes of a text that MySQL may read otherwise. */
  readonly suspicious: RegExp;
  /** Bytes of the character that begins with these two. */
  readonly bytesAt: (first: number, second: number) => number;
  /** Of characters that differ, by their bytes. */
  readonly differs: Readonly<Record<number, string>>;
}

function doubleByte({ label, suspicious, bytesAt, differs }: DoubleByteSet): DecodeText {
  const decode = byTextDecoder(label);
  return (buffer, from, to) => {
    const text = decode(buffer, from, to);
    if (!suspicious.test(text)) return text;
    let exact = '';
    for (let at = from; at < to; ) {
      const [first, second] = [buffer[at] ?? 0, buffer[at + 1] ?? 0];
      const bytes = bytesAt(first, second);
      const code = bytes === 2 ? first * 256 + second : first;
      exact += bytes === 1 && first < 0x80 ? String.fromCharCode(first) : (differs[code] ?? decode(buffer, at, at + bytes));
      at += bytes;
    }
    return exact;
  };
}

const shiftJisBytes = (first: number): number => ((first >= 0x81 && first <= 0x9f) || first >= 0xe0 ? 2 : 1);

const doubleByteSets: Readonly<Record<string, DoubleByteSet>> = {
  gb2312: {
    label: 'gb2312',
    suspicious: /[\u00b7\u2014]/,
    bytesAt: (first) => (first >= 0xa1 ? 2 : 1),
    differs: { 0xa1a4: '\u30fb', 0xa1aa: '\u2015' },
  },
  // Characters that have numbers of their own since Unicode 4.1 are private ones in MySQL.
  gb18030: {
    label: 'gb18030',
    suspicious: /[\u3000\ufe10-\ufe19\u9fb4-\u9fbb]/,
    bytesAt: (first, second) => (first < 0x81 ? 1 : second >= 0x30 && second <= 0x39 ? 4 : 2),
    differs: {
      0xa3a0: '\ue5e5',
      0xa6d9: '\ue78d',
      0xa6da: '\ue78e',
      0xa6db: '\ue78f',
      0xa6dc: '\ue790',
      0xa6dd: '\ue791',
      0xa6de: '\ue792',
      0xa6df: '\ue793',
      0xa6ec: '\ue794',
      0xa6ed: '\ue795',
      0xa6f3: '\ue796',
      0xfe59: '\ue81e',
      0xfe61: '\ue826',
      0xfe66: '\ue82b',
      0xfe67: '\ue82c',
      0xfe6d: '\ue832',
      0xfe7e: '\ue843',
      0xfe90: '\ue854',
      0xfea0: '\ue864',
    },
  },
  // The platform swaps three control characters.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the three
  cp932: { label: 'shift_jis', suspicious: /[\x1a\x1c\x7f]/, bytesAt: shiftJisBytes, differs: {} },
  sjis: {
    label: 'shift_jis',
    // biome-ignore lint/suspicious/noControlCharactersInRegex: as above
    suspicious: /[\x1a\x1c\x7f\uff3c\uff5e\u2225\uff0d\uffe0-\uffe2]/,
    bytesAt: shiftJisBytes,
    differs: {
      0x815f: '\\',
      0x8160: '\u301c',
      0x8161: '\u2016',
      0x817c: '\u2212',
      0x8191: '\u00a2',
      0x8192: '\u00a3',
      0x81ca: '\u00ac',
    },
  },
};
