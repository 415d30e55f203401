import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PacketReader } from '../../../../clients/mysql/packet-reader.ts';

function framed(payload: Uint8Array, sequence: number): Buffer {
  const header = Buffer.alloc(4);
  header.writeUIntLE(payload.length, 0, 3);
  header[3] = sequence;
  return Buffer.concat([header, payload]);
}

function readAll(packets: PacketReader): Uint8Array[] {
  const read: Uint8Array[] = [];
  while (packets.advance()) {
    const { buffer, at, end } = packets.packet;
    read.push(new Uint8Array(buffer.subarray(at, end)));
  }
  return read;
}

describe(PacketReader, () => {
  test('gives packets as they were, wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 20 })),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        (payloads, cuts) => {
          const bytes = Buffer.concat(payloads.map((payload, index) => framed(payload, index & 0xff)));
          const packets = new PacketReader();
          const read: Uint8Array[] = [];

          for (let at = 0, cut = 0; at < bytes.length; cut += 1) {
            const size = cuts[cut % cuts.length] ?? 1;
            packets.push(bytes.subarray(at, at + size));
            read.push(...readAll(packets));
            at += size;
          }

          expect(read).toEqual(payloads.map((payload) => new Uint8Array(payload)));
          expect(packets.waitingBytes).toBe(0);
        },
      ),
    );
  });

  test('joins a payload that takes several packets, also where the last is empty', () => {
    for (const length of [2 ** 24 - 1, 2 ** 24 + 3]) {
      const payload = Buffer.alloc(length, 'abc');
      const packets = new PacketReader();
      packets.push(framed(payload.subarray(0, 2 ** 24 - 1), 0));
      expect(packets.advance()).toBe(false);
      packets.push(framed(payload.subarray(2 ** 24 - 1), 1));
      packets.push(framed(Buffer.from('next'), 2));

      const [first, second] = readAll(packets);

      expect(Buffer.compare(first ?? Buffer.alloc(0), payload)).toBe(0);
      expect(Buffer.from(second ?? []).toString()).toBe('next');
    }
  });
});
