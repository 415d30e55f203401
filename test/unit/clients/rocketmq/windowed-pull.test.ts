import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Pulled } from '../../../../clients/rocketmq/commands/pull-message.ts';
import { FIRST_PACE, type Pace, pullStretch } from '../../../../clients/rocketmq/windowed-pull.ts';

interface Queue {
  readonly min: number;
  /** Bytes of each message. */
  readonly sizes: readonly number[];
}

interface Caps {
  readonly messages: number;
  readonly bytes: number;
}

/** Offsets that an answer holds, one for each byte group: the test reads them back from the body. */
function bodyOf(offsets: readonly number[], { sizes }: Queue): Buffer {
  return Buffer.concat(offsets.map((offset) => Buffer.alloc(sizes[offset] ?? 1, offset)));
}

/** What a broker answers. */
function answerOf(queue: Queue, caps: Caps, from: number, asked: number): Pulled & { readonly offsets: readonly number[] } {
  const { min, sizes } = queue;
  const max = sizes.length;
  const place = { min: BigInt(min), max: BigInt(max) };
  const nothing = { ...place, body: Buffer.alloc(0), offsets: [] };
  if (from < min) return { ...nothing, status: 'moved', next: BigInt(min) };
  if (from > max) return { ...nothing, status: 'moved', next: BigInt(max) };
  if (from === max) return { ...nothing, status: 'end', next: BigInt(max) };
  const offsets: number[] = [];
  let bytes = 0;
  for (let offset = from; offset < max && offsets.length < Math.min(asked, caps.messages); offset += 1) {
    bytes += sizes[offset] ?? 0;
    if (offsets.length > 0 && bytes > caps.bytes) break;
    offsets.push(offset);
  }
  return { ...place, status: 'found', body: bodyOf(offsets, queue), offsets, next: BigInt(from + offsets.length) };
}

async function readAll(
  queue: Queue,
  caps: Caps,
  { from, limit, pace }: { readonly from: number; readonly limit: number; readonly pace: Pace },
): Promise<{
  readonly offsets: number[];
  readonly next: bigint;
  readonly pace: Pace;
  readonly pulls: number;
  readonly inFlight: number;
}> {
  const offsets: number[] = [];
  const known = new Map<Pulled, readonly number[]>();
  let [pulls, open, inFlight] = [0, 0, 0];
  const end = await pullStretch(
    {
      from: BigInt(from),
      messages: limit,
      bytes: 1_000_000,
      async pull(offset, messages) {
        pulls += 1;
        open += 1;
        inFlight = Math.max(inFlight, open);
        await new Promise((resolve) => setImmediate(resolve));
        open -= 1;
        const answer = answerOf(queue, caps, Number(offset), messages);
        known.set(answer, answer.offsets);
        return answer;
      },
      take(answer, wanted) {
        for (const offset of known.get(answer) ?? []) {
          if (BigInt(offset) < wanted) continue;
          if (offsets.length === limit) return false;
          offsets.push(offset);
        }
        return offsets.length < limit;
      },
    },
    pace,
  );
  return { offsets, next: end.next, pace: end.pace, pulls, inFlight };
}

function range(from: number, end: number): number[] {
  return Array.from({ length: Math.max(end - from, 0) }, (_, index) => from + index);
}

function queueOf(messages: number): Queue {
  return { min: 0, sizes: Array.from({ length: messages }, () => 100) };
}

describe('pullStretch', () => {
  test('hands over every message once, in order, whatever the broker gives for a pull', async () => {
    const caps = fc.record({ messages: fc.integer({ min: 1, max: 50 }), bytes: fc.integer({ min: 1, max: 2_000 }) });
    const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 200 });
    const known = fc.record({
      window: fc.integer({ min: 1, max: 60 }),
      bytesPerMessage: fc.integer({ min: 1, max: 500 }),
      max: fc.option(fc.bigInt({ min: 0n, max: 250n })),
    });
    const property = fc.asyncProperty(
      caps,
      sizes,
      known,
      fc.nat({ max: 200 }),
      fc.integer({ min: 1, max: 300 }),
      async (...all) => {
        const [cap, bytes, pace, start, limit] = all;
        const from = Math.min(start, bytes.length);

        const { offsets } = await readAll({ min: 0, sizes: bytes }, cap, { from, limit, pace });

        expect(offsets).toEqual(range(from, Math.min(from + limit, bytes.length)));
      },
    );

    await fc.assert(property);
  });

  test('has several pulls in flight once it knows that there is more', async () => {
    const { offsets, inFlight, pulls } = await readAll(
      queueOf(1_000),
      { messages: 32, bytes: 1e6 },
      {
        from: 0,
        limit: 640,
        pace: { ...FIRST_PACE, max: 1_000n },
      },
    );

    expect(offsets).toEqual(range(0, 640));
    expect(inFlight).toBe(8);
    expect(pulls).toBeLessThan(30);
  });

  test('learns that a broker gives more for a pull, and asks for that much', async () => {
    const first = await readAll(queueOf(5_000), { messages: 500, bytes: 1e6 }, { from: 0, limit: 1_000, pace: FIRST_PACE });

    expect(first.pace.window).toBe(500);
    const second = await readAll(queueOf(5_000), { messages: 500, bytes: 1e6 }, { from: 1_000, limit: 2_000, pace: first.pace });
    expect(second.pulls).toBeLessThanOrEqual(8);
  });

  test('asks once for a queue that holds nothing more', async () => {
    const { pulls, next, pace } = await readAll(
      queueOf(10),
      { messages: 32, bytes: 1e6 },
      { from: 10, limit: 500, pace: FIRST_PACE },
    );

    expect([pulls, next, pace.max]).toEqual([1, 10n, 10n]);
  });

  test('stays where it is when the offset is none of the queue', async () => {
    const queue = { min: 5, sizes: queueOf(10).sizes };

    expect((await readAll(queue, { messages: 32, bytes: 1e6 }, { from: 2, limit: 5, pace: FIRST_PACE })).next).toBe(2n);
    expect((await readAll(queue, { messages: 32, bytes: 1e6 }, { from: 12, limit: 5, pace: FIRST_PACE })).next).toBe(12n);
  });

  test('gives what came before a pull that failed', async () => {
    const queue = queueOf(100);
    const taken: bigint[] = [];

    const { next } = await pullStretch(
      {
        from: 0n,
        messages: 100,
        bytes: 1e6,
        async pull(offset, messages) {
          if (offset >= 64n) throw new Error('gone');
          return answerOf(queue, { messages: 32, bytes: 1e6 }, Number(offset), messages);
        },
        take: (_, wanted) => taken.push(wanted) > 0,
      },
      { ...FIRST_PACE, max: 100n },
    );

    expect([next, taken]).toEqual([64n, [0n, 32n]]);
  });

  test('fails as its first pull does', async () => {
    const pull = (): Promise<Pulled> => Promise.reject(new Error('gone'));

    await expect(pullStretch({ from: 0n, messages: 1, bytes: 1, pull, take: () => true }, FIRST_PACE)).rejects.toThrow('gone');
  });
});
