import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NO_FOOTPRINT, stepped } from '../../../../../plugins/sources/files/footprint.ts';
import { type Line, LineBuffer, type LineState } from '../../../../../plugins/sources/files/line-buffer.ts';

const FROM_START: LineState = { footprint: NO_FOOTPRINT, skips: false, isOpen: false };

/** Lines of characters of one to four bytes, some of them empty, the last one perhaps without its end. */
const texts = fc
  .array(fc.array(fc.constantFrom('a', 'ß', '漢', '🚀', '\r'), { maxLength: 12 }), { maxLength: 12 })
  .map((lines) => lines.map((line) => line.join('')).join('\n'));

describe('LineBuffer', () => {
  test('gives the same lines wherever the bytes are cut', () => {
    fc.assert(
      fc.property(texts, fc.array(fc.nat({ max: 300 })), fc.integer({ min: 1, max: 30 }), (text, cuts, lineBytesMax) => {
        const bytes = Buffer.from(text);

        const atOnce = linesIn(bytes, [], { state: FROM_START, lineBytesMax });
        const inPieces = linesIn(bytes, cuts, { state: FROM_START, lineBytesMax });

        expect(inPieces.map(shown)).toEqual(atOnce.map(shown));
      }),
    );
  });

  test('gives the lines that the text has, when none is too long', () => {
    fc.assert(
      fc.property(texts, fc.array(fc.nat({ max: 300 })), (text, cuts) => {
        const lines = linesIn(Buffer.from(text), cuts, { state: FROM_START, lineBytesMax: 1_000 });

        expect(lines.map(({ bytes }) => bytes.toString())).toEqual(text.split('\n').slice(0, -1));
        for (const line of lines) expect(line.isUtf8).toBe(true);
      }),
    );
  });

  test('goes on behind each line with the lines that come after it', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 30 }), (text, lineBytesMax) => {
        const bytes = Buffer.from(text);
        const all: { readonly line: Line; readonly state: LineState }[] = [];
        const buffer = new LineBuffer(FROM_START, { lineBytesMax });
        buffer.add(bytes);
        for (let line = buffer.peek(); line !== null; line = buffer.peek()) {
          buffer.take(line);
          all.push({ line, state: buffer.state });
        }

        for (const [index, { state }] of all.entries()) {
          const rest = linesIn(bytes, [], { state, lineBytesMax });
          expect(rest.map(shown)).toEqual(all.slice(index + 1).map(({ line }) => shown(line)));
        }
      }),
    );
  });

  test('keeps no more bytes than a line may have and one piece', () => {
    const buffer = new LineBuffer(FROM_START, { lineBytesMax: 100 });
    const lines: Line[] = [];

    for (let piece = 0; piece < 1_000; piece += 1) {
      buffer.add(Buffer.alloc(64, 'x'));
      for (let line = buffer.peek(); line !== null; line = buffer.peek()) {
        buffer.take(line);
        lines.push(line);
      }
      expect(buffer.pending).toBeLessThanOrEqual(164);
    }

    expect(lines.map(({ end, isTooLong }) => [end, isTooLong])).toEqual([[100, true]]);
    expect(buffer.state).toMatchObject({ footprint: { offset: 64_000 }, skips: true, isOpen: false });
  });

  test('takes the end of a line that was taken open for no line of its own', () => {
    const buffer = new LineBuffer(FROM_START, { lineBytesMax: 100 });
    buffer.add(Buffer.from('half'));
    const open = buffer.takeOpen();
    buffer.add(Buffer.from('\nnext\n'));

    const next = buffer.peek();

    expect(open?.bytes.toString()).toBe('half');
    expect(next?.bytes.toString()).toBe('next');
  });

  test('knows both ends of what was taken and of what was read, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 2_000 })), fc.nat({ max: 2_000 }), (cuts, from) => {
        const bytes = Buffer.from(Array.from({ length: 400 }, (_, index) => `${index}`.padEnd(index % 9, 'x')).join('\n'));
        const state = { ...FROM_START, footprint: stepped(NO_FOOTPRINT, bytes.subarray(0, from)) };
        const buffer = new LineBuffer(state, { lineBytesMax: 100 });
        feed(buffer, bytes, { cuts, from });

        const { offset } = buffer.state.footprint;
        expect(buffer.state.footprint).toEqual(stepped(NO_FOOTPRINT, bytes.subarray(0, offset)));
        expect(buffer.read).toEqual(stepped(NO_FOOTPRINT, bytes));
      }),
    );
  });

  test('says of each line whether it is UTF-8', () => {
    const buffer = Buffer.concat([Buffer.from('größe\n'), Buffer.of(0xff, 0x0a), Buffer.from('漢\n')]);

    const lines = linesIn(buffer, [3, 7], { state: FROM_START, lineBytesMax: 100 });

    expect(lines.map(({ isUtf8 }) => isUtf8)).toEqual([true, false, true]);
  });
});

function linesIn(
  bytes: Buffer,
  cuts: readonly number[],
  { state, lineBytesMax }: { readonly state: LineState; readonly lineBytesMax: number },
): readonly Line[] {
  return feed(new LineBuffer(state, { lineBytesMax }), bytes, { cuts, from: state.footprint.offset });
}

function feed(
  buffer: LineBuffer,
  bytes: Buffer,
  { cuts, from }: { readonly cuts: readonly number[]; readonly from: number },
): readonly Line[] {
  const lines: Line[] = [];
  let at = from;
  for (const cut of [...cuts.filter((one) => one > at && one < bytes.length).sort((a, b) => a - b), bytes.length]) {
    if (cut > at) buffer.add(bytes.subarray(at, cut));
    at = cut;
    for (let line = buffer.peek(); line !== null; line = buffer.peek()) {
      buffer.take(line);
      lines.push(line);
    }
  }
  return lines;
}

function shown({ bytes, ...line }: Line): unknown {
  return { ...line, bytes: bytes.toString('hex') };
}
