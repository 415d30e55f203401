import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameReader } from '../../../../clients/rocketmq/frame-reader.ts';

function withLength(frame: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(frame.length);
  return Buffer.concat([length, frame]);
}

function framesOf(chunks: readonly Uint8Array[]): readonly Buffer[] {
  const frames: Buffer[] = [];
  const reader = new FrameReader((frame) => frames.push(frame));
  for (const chunk of chunks) reader.push(chunk);
  return frames;
}

describe('FrameReader', () => {
  test('gives the same frames wherever the stream is cut', () => {
    const frame = fc.uint8Array({ minLength: 4, maxLength: 60 });
    const property = fc.property(fc.array(frame, { maxLength: 5 }), fc.array(fc.nat({ max: 400 })), (frames, cuts) => {
      const stream = Buffer.concat(frames.map(withLength));
      const places = [0, ...cuts.filter((cut) => cut < stream.length).sort((a, b) => a - b), stream.length];
      const chunks = places.slice(1).map((end, index) => stream.subarray(places[index], end));

      expect(framesOf(chunks).map((each) => Uint8Array.from(each))).toEqual(frames);
    });

    fc.assert(property);
  });

  test('keeps nothing of the buffer that it was given', () => {
    const buffer = withLength(Buffer.from('first'));
    const frames: Buffer[] = [];
    const reader = new FrameReader((frame) => frames.push(frame));

    reader.push(buffer);
    buffer.fill(0);

    expect(frames.map(String)).toEqual(['first']);
  });

  test('refuses a length that no answer has', () => {
    expect(() => framesOf([Buffer.from('HTTP/1.1 400 Bad Request')])).toThrow('none of RocketMQ');
    expect(() => framesOf([Buffer.from([0, 0, 0, 3])])).toThrow('an answer of 3 bytes');
    expect(() => framesOf([Buffer.from([0xff, 0, 0, 0])])).toThrow('none of RocketMQ');
  });
});
