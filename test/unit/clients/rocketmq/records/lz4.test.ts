import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lz4Decompress } from '../../../../../clients/rocketmq/records/lz4.ts';
import { bytesOf, textOf } from '../../../../support/log-records.ts';

const BYTES_MAX = 1_000_000;

/** Printed by `CompressorFactory.getCompressor(CompressionType.LZ4)` of RocketMQ 5.3.3. */
const FRAMES = [
  ['04224d1860707300000000', ''],
  ['04224d186070730500008068656c6c6f00000000', 'hello'],
  [
    '04224d186070731c0000003f61626303001dc92c20616e64207468656e3a203c0050626361626300000000',
    'abcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabc, and then: abcabcabcabcabcabc',
  ],
] as const;

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

describe('lz4Decompress', () => {
  test.each(FRAMES)('undoes what Java makes (%s)', (frame, text) => {
    expect(textOf(lz4Decompress(bytes(frame), BYTES_MAX))).toBe(text);
  });

  test('copies from blocks that came before, passes checksums over, and takes lengths of any size', () => {
    // Flags with a checksum for each block, and those of nobody: 8 bytes that stand there, then a copy of 4 + 15 + 255 + 1 and five more.
    const head = '04224d18707073';
    const plain = '080000806162636461626364deadbeef';
    const compressed = '0b0000000f0800ff01506566676869deadbeef';

    const text = textOf(lz4Decompress(bytes(`${head}${plain}${compressed}00000000`), BYTES_MAX));

    expect(text).toBe(`${'abcdabcd'.repeat(36).slice(0, 8 + 275)}efghi`);
  });

  test('makes no more than it may', () => {
    const frame = bytes(FRAMES[2][0]);

    expect(() => lz4Decompress(frame, 80)).toThrow('it holds more than 80 bytes');
    expect(lz4Decompress(frame, 81).length).toBe(81);
  });

  test('refuses what is no frame, and ends with any bytes', () => {
    const [, , [frame]] = FRAMES;
    const broken = fc.record({
      at: fc.nat({ max: frame.length / 2 - 1 }),
      to: fc.nat({ max: 255 }),
      end: fc.nat({ max: frame.length / 2 }),
    });

    expect(() => lz4Decompress(bytesOf('no frame at all'), BYTES_MAX)).toThrow('no LZ4 frame');
    fc.assert(
      fc.property(broken, ({ at, to, end }) => {
        const changed = bytes(frame)
          .map((byte, index) => (index === at ? to : byte))
          .subarray(0, end);
        try {
          lz4Decompress(changed, BYTES_MAX);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});
