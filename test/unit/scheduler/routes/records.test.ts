import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryLogBroker } from '../../../../adapters/memory/memory-log-broker.ts';
import { advance, offset } from '../../../../core/offset.ts';
import { anApi } from '../../../support/api.ts';
import { outgoing } from '../../../support/log-records.ts';
import { RunningClock } from '../../../support/running-clock.ts';

const PATH = '/sortie/v1/topics/orders/records';
const QUEUE = { topic: 'orders', brokerName: 'memory', queueId: 0 };

interface Page {
  readonly records: readonly Readonly<Record<string, unknown>>[];
}

describe('records over the API', () => {
  test('what is shown can be sent again, and gives the same bytes', async () => {
    const { ask, log } = anApi();
    log.createTopic('orders', { queues: 1 });
    const json = fc.json().map((text) => new TextEncoder().encode(JSON.stringify(JSON.parse(text))));
    const bytes = fc.option(
      fc.oneof(
        fc.uint8Array(),
        fc.string({ unit: 'binary' }).map((text) => new TextEncoder().encode(text)),
        json,
      ),
    );
    const headers = fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })), { maxLength: 3 });

    await fc.assert(
      fc.asyncProperty(bytes, bytes, headers, async (key, value, pairs) => {
        const { endOffset } = await log.send(QUEUE, [{ key, value, tag: null, headers: pairs, bornAtMs: 0 }]);
        const from = advance(endOffset, -1);
        const { records } = (await ask('GET', `${PATH}?from=${from}`)).body as Page;
        const { offset: at, bytes: size, bornAtMs, storedAtMs, ...shown } = records[0] ?? {};
        const sent = await ask('POST', PATH, { body: shown });

        expect(sent.status).toBe(202);
        const limits = { records: 2, bytes: 1_000_000, waitMs: 0 };
        const [first, second] = (await log.read(QUEUE, from, limits)).records;
        expect([second?.key, second?.value, second?.headers]).toEqual([first?.key, first?.value, first?.headers]);
      }),
      { numRuns: 200 },
    );
  }, 30_000);

  test('sends the same key to the same queue, and all that have none to one', async () => {
    const { ask, log } = anApi();
    log.createTopic('orders', { queues: 8 });
    const keyed = Array.from({ length: 50 }, (_, index) => ({ key: `key-${index % 5}`, value: String(index) }));

    await ask('POST', PATH, { body: keyed });
    const unkeyed = await ask('POST', PATH, { body: [{ value: 'a' }, { value: 'b' }] });

    const queues = await log.queues('orders');
    const placed = new Map<string, Set<number>>();
    for (const queue of queues) {
      const { records } = await log.read(queue, offset(0), { records: 100, bytes: 1_000_000, waitMs: 0 });
      for (const { key } of records) {
        if (key === null) continue;
        const name = new TextDecoder().decode(key);
        placed.set(name, (placed.get(name) ?? new Set()).add(queue.queueId));
      }
    }
    expect([...placed.values()].map(({ size }) => size)).toEqual([1, 1, 1, 1, 1]);
    expect((unkeyed.body as { readonly queues: readonly unknown[] }).queues).toHaveLength(1);
  });

  test('says which records the log refuses, and keeps the others', async () => {
    const log = new MemoryLogBroker({ clock: new RunningClock(), recordBytesMax: 10 });
    const { ask } = anApi({ deps: { broker: log } });
    log.createTopic('orders', { queues: 1 });

    const some = await ask('POST', PATH, { body: [{ value: 'a' }, { value: 'x'.repeat(11) }, { value: 'b' }] });
    const none = await ask('POST', PATH, { body: { value: 'x'.repeat(11) } });

    expect(some).toMatchObject({ status: 202, body: { accepted: 2, refused: [{ index: 1, code: 'record.too_large' }] } });
    expect(none).toMatchObject({ status: 413, body: { message: '0: the record has 11 bytes and the log takes at most 10' } });
    expect(await log.bounds([QUEUE])).toEqual([{ min: 0n, max: 2n }]);
  });

  test('shows a record that is larger than an answer without its content', async () => {
    const { ask, log } = anApi();
    log.createTopic('orders', { queues: 1 });
    await log.send(QUEUE, outgoing('x'.repeat(2_000_000), 'y'));

    const { body } = await ask('GET', `${PATH}?from=earliest`);

    expect(body).toMatchObject({ next: '1', records: [{ offset: '0', bytes: expect.any(Number) }] });
    expect((body as Page).records[0]).not.toHaveProperty('value');
  });

  test.each([100, 1_000, 3_000, 6_000, 10_000, 100_000])('answers or refuses what is nested %i deep', async (depth) => {
    const { ask, log } = anApi();
    log.createTopic('orders', { queues: 1 });
    const nested = `${'['.repeat(depth)}${']'.repeat(depth)}`;

    const sent = await ask('POST', PATH, { body: `{"value":${nested}}` });
    await log.send(QUEUE, outgoing(nested));
    const seen = await ask('GET', PATH);

    expect([202, 400]).toContain(sent.status);
    expect(seen.status).toBe(200);
  });
});
