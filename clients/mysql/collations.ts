/** Character sets by the numbers of their collations, in MySQL 9.7 and MariaDB 11.8. */
import { assert } from '../../core/assert.ts';

/** `[first, last]` of each range. */
const ranges: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  big5: [one(1), one(84)],
  latin2: [one(2), one(9), one(21), one(27), one(77)],
  dec8: [one(3), one(69)],
  cp850: [one(4), one(80)],
  latin1: [one(5), one(8), one(15), one(31), [47, 49], one(94)],
  hp8: [one(6), one(72)],
  koi8r: [one(7), one(74)],
  swe7: [one(10), one(82)],
  ascii: [one(11), one(65)],
  ujis: [one(12), one(91)],
  sjis: [one(13), one(88)],
  cp1251: [one(14), one(23), [50, 52]],
  hebrew: [one(16), one(71)],
  tis620: [one(18), one(89)],
  euckr: [one(19), one(85)],
  latin7: [one(20), [41, 42], one(79)],
  koi8u: [one(22), one(75)],
  gb2312: [one(24), one(86)],
  greek: [one(25), one(70)],
  cp1250: [one(26), one(34), one(44), one(66), one(99)],
  gbk: [one(28), one(87)],
  cp1257: [one(29), [58, 59]],
  latin5: [one(30), one(78)],
  armscii8: [one(32), one(64)],
  utf8mb3: [one(33), one(76), one(83), [192, 223], [576, 607], [2048, 2303]],
  ucs2: [one(35), one(90), [128, 159], [640, 671], [2560, 2815]],
  cp866: [one(36), one(68)],
  keybcs2: [one(37), one(73)],
  macce: [one(38), one(43)],
  macroman: [one(39), one(53)],
  cp852: [one(40), one(81)],
  utf8mb4: [
    [45, 46],
    [224, 247],
    [255, 323],
    [608, 639],
    [2304, 2559],
  ],
  utf16: [
    [54, 55],
    [101, 124],
    [672, 703],
    [2816, 3071],
  ],
  utf16le: [one(56), one(62)],
  cp1256: [one(57), one(67)],
  utf32: [
    [60, 61],
    [160, 191],
    [736, 767],
    [3072, 3327],
  ],
  binary: [one(63)],
  geostd8: [[92, 93]],
  cp932: [[95, 96]],
  eucjpms: [[97, 98]],
  gb18030: [[248, 250]],
};

/** MariaDB's collations that do not pad with spaces have the numbers of their siblings, and this. */
const NO_PAD = 1_024;
const NO_PAD_END = 2_048;

const names = new Map(
  Object.entries(ranges).flatMap(([charset, spans]) =>
    spans.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => [first + index, charset] as const)),
  ),
);

/** `undefined`: neither server has such a collation. */
export function charsetOf(collation: number): string | undefined {
  assert(collation >= 0, 'collations are counted from 0');
  return names.get(collation >= NO_PAD && collation < NO_PAD_END ? collation - NO_PAD : collation);
}

function one(number: number): readonly [number, number] {
  return [number, number];
}
