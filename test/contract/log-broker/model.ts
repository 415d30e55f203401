import fc from 'fast-check';
import { expect } from 'vitest';
import { assert } from '../../../core/assert.ts';
import { type MessageQueue, queueKey } from '../../../core/message-queue.ts';
import { offset } from '../../../core/offset.ts';
import type { LogBroker, OutgoingRecord } from '../../../core/ports.ts';
import { anOutgoingRecord, asSent } from '../../support/log-records.ts';
import { ALL, type LogCase } from './log-under-test.ts';

const QUEUES = 3;

type Step =
  | { readonly kind: 'send'; readonly queue: number; readonly records: readonly OutgoingRecord[] }
  | { readonly kind: 'read'; readonly queue: number; readonly from: number; readonly records: number };

/** Any interleaving of sends and reads gives what plain arrays would. */
export function modelCases(check: LogCase, propertyRuns: number | undefined): void {
  check('answers any interleaving of sends and reads as arrays would', [], async ({ broker, newQueues }) => {
    const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const queues = await newQueues(QUEUES);
      await follow(broker, queues, steps);
    });

    await fc.assert(property, propertyRuns === undefined ? {} : { numRuns: propertyRuns });
  });
}

async function follow(broker: LogBroker, queues: readonly MessageQueue[], steps: readonly Step[]): Promise<void> {
  const model = new Map(queues.map((queue) => [queueKey(queue), [] as OutgoingRecord[]]));
  for (const step of steps) {
    const queue = queues[step.queue];
    assert(queue !== undefined, 'a step names one of the queues');
    const expected = model.get(queueKey(queue)) ?? [];
    if (step.kind === 'send') {
      const { endOffset, refused } = await broker.send(queue, step.records);
      expected.push(...step.records);
      expect([endOffset, refused]).toEqual([BigInt(expected.length), []]);
    } else {
      await readLikeModel(broker, queue, { ...step, expected });
    }
  }
}

async function readLikeModel(
  broker: LogBroker,
  queue: MessageQueue,
  { from, records, expected }: { from: number; records: number; expected: readonly OutgoingRecord[] },
): Promise<void> {
  const result = await broker.read(queue, offset(from), { ...ALL, records });

  const wanted = expected.slice(from, from + records);
  // Fewer than asked for is allowed, none is not where there are some.
  expect(result.records.map(asSent)).toEqual(wanted.slice(0, result.records.length));
  expect(result.records.length > 0).toBe(wanted.length > 0);
  expect(result.records.map((record) => record.offset)).toEqual(result.records.map((_, index) => BigInt(from + index)));
  expect(result.next).toBe(BigInt(from + result.records.length));
  expect(result.bounds).toEqual({ min: 0n, max: BigInt(expected.length) });
}

const bytes = fc.option(fc.uint8Array({ maxLength: 12 }));

const outgoingRecord: fc.Arbitrary<OutgoingRecord> = fc
  .record({ key: bytes, value: bytes, tag: fc.option(fc.constantFrom('a', 'b')), bornAtMs: fc.nat() })
  .map(anOutgoingRecord);

const queueIndex = fc.nat({ max: QUEUES - 1 });

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('send' as const), queue: queueIndex, records: fc.array(outgoingRecord, { maxLength: 5 }) }),
  fc.record({
    kind: fc.constant('read' as const),
    queue: queueIndex,
    from: fc.nat({ max: 30 }),
    records: fc.integer({ min: 1, max: 8 }),
  }),
);
