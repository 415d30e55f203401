import { describe, expect, test } from 'vitest';
import type { MemoryLogBroker } from '../../../adapters/memory/memory-log-broker.ts';
import { RetryableError } from '../../../core/errors.ts';
import { setTargetState } from '../../../scheduler/connector-actions.ts';
import { brokerUnavailable, brokerWith, storeWith } from '../../support/faulty-ports.ts';
import { textOf } from '../../support/log-records.ts';
import { memorySource, memorySystem, rows } from '../../support/memory-source.ts';
import { aSourceShard, valuesOf } from '../../support/source-shard.ts';

const TAIL = { mode: 'tail', slice: { durationMs: 60_000 } } as const;

describe('runInvocation of a source', () => {
  test('sends what it polls, and keeps the checkpoint behind it', async () => {
    const source = await aSourceShard({ system: memorySystem({ rows: rows(3) }) });

    const { run } = await source.run();

    const sent = await source.sent();
    expect(valuesOf(sent)).toEqual(['0', '1', '2']);
    expect(sent.map(({ key }) => textOf(key))).toEqual(['key-0', 'key-1', 'key-2']);
    expect(run).toMatchObject({ outcome: 'drained', counts: { slices: 1, read: 3, delivered: 3 } });
    expect(await source.cursor()).toMatchObject({ checkpoint: { p: { row: 3 } }, holder: null, clean: true });
  });

  test('writes to those queues alone that can be written to', async () => {
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(20) }),
      queues: 4,
      broker: (log) =>
        brokerWith(log, {
          queues: async (topic, use) => {
            const queues = await log.queues(topic);
            return use === 'writing' ? queues.slice(0, 2) : queues;
          },
        }),
    });

    await source.run();

    const sent = await source.sent();
    expect(sent).toHaveLength(20);
    expect(new Set(sent.map(({ queue }) => queue.queueId))).toEqual(new Set([0, 1]));
  });

  test('waits where its topic is there and takes nothing, and makes no other of it', async () => {
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(3) }),
      broker: (log) => brokerWith(log, { queues: async (topic, use) => (use === 'writing' ? [] : log.queues(topic)) }),
    });

    const { run } = await source.run();

    expect(run).toMatchObject({
      outcome: 'failed',
      error: { code: 'broker.unavailable', message: expect.stringMatching(/topic rows exists .*; next: /) },
    });
    expect(await source.cursor()).toMatchObject({ status: { state: 'active' } });
  });

  test('commits once for many polls that bring nothing and only get on, before it sends what comes behind them', async () => {
    const plugin = memorySource(memorySystem({ rows: rows(3) }), { exactlyOnce: true });
    const committed: unknown[] = [];
    let puts = 0;
    const source = await aSourceShard({
      store: (store) =>
        storeWith(store, {
          put: (...write) => {
            puts += 1;
            return store.put(...write);
          },
        }),
      plugin: {
        ...plugin,
        open: async (config, names, checkpoint, context) => {
          const reader = await plugin.open(config, names, checkpoint, context);
          let passed = 0;
          return {
            poll: async (limits, signal) => {
              passed += 1;
              return passed <= 50 ? { records: [], checkpoint: { row: 0, passed } } : reader.poll(limits, signal);
            },
            close: () => reader.close(),
          };
        },
      },
      broker: (log) =>
        brokerWith(log, {
          send: async (...batch) => {
            committed.push((await source.cursor()).checkpoint);
            return log.send(...batch);
          },
        }),
    });

    await source.run();

    expect(valuesOf(await source.sent())).toEqual(['0', '1', '2']);
    expect(committed).toMatchObject([{ p: { passed: 50 } }]);
    expect(puts).toBeLessThan(10);
  });

  test('says in the cursor when it wants to be polled again', async () => {
    const source = await aSourceShard({ system: memorySystem({ rows: rows(3), idleForMs: 7_000 }) });

    await source.run();

    expect(await source.cursor()).toMatchObject({ pollAtMs: source.host.clock.nowMs() + 7_000 });
  });

  test('is not polled again before the time it asked for', async () => {
    const system = memorySystem({ rows: rows(3) });
    const source = await aSourceShard({ system });

    await source.run();

    expect(system.calls).toEqual(['open 0', 'poll 0']);
  });

  test('stops after the records of one slice (I6)', async () => {
    const system = memorySystem({ rows: rows(10) });
    const source = await aSourceShard({ system, config: { 'consumer.override.max.poll.records': '2' } });

    const { run } = await source.run({ slice: { records: 5 } });

    expect(run).toMatchObject({ outcome: 'yielded', counts: { read: 5 } });
    expect(await source.cursor()).toMatchObject({ checkpoint: { p: { row: 5 } }, holder: null, pollAtMs: 0 });
  });

  test('takes more before each commit once it has measured what nobody had', async () => {
    const source = await aSourceShard({ system: memorySystem({ rows: rows(90) }) });

    const { run } = await source.run({ slice: { records: 5, isUnpaced: true }, quantumMs: 5_000 });

    expect(run).toMatchObject({ outcome: 'drained', counts: { slices: 2, read: 90 } });
  });

  test('stops after the bytes of one slice, and says how large its records are (I6)', async () => {
    const long = rows(10).map(({ key }) => ({ key, value: 'x'.repeat(1_000) }));
    const source = await aSourceShard({
      system: memorySystem({ rows: long }),
      config: { 'consumer.override.max.poll.records': '2' },
    });

    const { run } = await source.run({ slice: { bytes: 3_000 } });

    expect(run).toMatchObject({ outcome: 'yielded', counts: { read: 4 } });
    expect(await source.cursor()).toMatchObject({ checkpoint: { p: { row: 4 } }, holder: null, pace: { bytesPerRecord: 1_005 } });
  });

  test('counts the bytes of each stretch anew', async () => {
    const long = rows(10).map(({ key }) => ({ key, value: 'x'.repeat(1_000) }));
    const source = await aSourceShard({
      system: memorySystem({ rows: long }),
      config: { 'consumer.override.max.poll.records': '2' },
    });

    const { run } = await source.run({ slice: { bytes: 3_000 }, quantumMs: 5_000 });

    expect(run).toMatchObject({ outcome: 'drained', counts: { slices: 3, read: 10 } });
  });

  test('loops while its quantum lasts, at one store write a stretch', async () => {
    const source = await aSourceShard({ system: memorySystem({ rows: rows(10) }) });

    const { run } = await source.run({ slice: { records: 4 }, quantumMs: 5_000 });

    expect(valuesOf(await source.sent())).toEqual(rows(10).map(({ value }) => value));
    expect(run).toMatchObject({ outcome: 'drained', counts: { slices: 3, read: 10 } });
    expect(run.counts.storeWrites).toBe(1 + 3);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 1e300, -1])(
    'goes on although its source wants to rest for %d ms',
    async (idleForMs) => {
      const system = memorySystem({ rows: rows(1), idleForMs });
      const source = await aSourceShard({ system });
      await source.run();
      const { pollAtMs } = await source.cursor();
      system.shards.get('0')?.push(...rows(1, 1));

      const { run } = await source.run();

      expect(run.outcome).toBe('drained');
      expect(valuesOf(await source.sent())).toEqual(['0', '1']);
      expect(pollAtMs - source.host.clock.nowMs()).toBeLessThanOrEqual(24 * 60 * 60_000);
    },
  );

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1])(
    'goes on although its source says that a record takes %d bytes',
    async (bytes) => {
      const plugin = memorySource(memorySystem({ rows: rows(2) }));
      const open = async (...args: Parameters<typeof plugin.open>): ReturnType<typeof plugin.open> => {
        const reader = await plugin.open(...args);
        const poll: typeof reader.poll = async (...limits) => {
          const result = await reader.poll(...limits);
          return { ...result, records: result.records.map((record) => ({ ...record, bytes })) };
        };
        return { poll, close: () => reader.close() };
      };
      const source = await aSourceShard({
        plugin: { ...plugin, open },
        config: { 'consumer.override.max.poll.records': '1' },
      });

      await source.run({ slice: { records: 1 } });
      await source.run();

      expect(valuesOf(await source.sent())).toEqual(['0', '1']);
      expect((await source.cursor()).pace?.bytesPerRecord).toBeGreaterThanOrEqual(0);
    },
  );

  test('stores the checkpoint also when nothing came but the source moved on', async () => {
    const system = memorySystem();
    const plugin = {
      ...memorySource(system),
      open: async () => ({
        poll: async () => ({ records: [], checkpoint: 'further', idleForMs: 1_000 }),
        close: async () => undefined,
      }),
    };
    const source = await aSourceShard({ plugin });

    await source.run();

    expect(await source.cursor()).toMatchObject({ checkpoint: { p: 'further' } });
  });

  test('that is finished is done, and never claimed again', async () => {
    const source = await aSourceShard({ system: memorySystem({ rows: rows(3), finite: true }) });

    const first = await source.run();
    const second = await source.run();

    expect(first.run.outcome).toBe('drained');
    expect(await source.cursor()).toMatchObject({ status: { state: 'done' }, checkpoint: { p: { row: 3 } } });
    expect(second.run).toMatchObject({ outcome: null, refusal: 'done' });
    expect(valuesOf(await source.sent())).toEqual(['0', '1', '2']);
  });

  test('that is finished but could not be written is not done', async () => {
    const system = memorySystem({ rows: rows(3), finite: true });
    let up = false;
    const source = await aSourceShard({
      system,
      broker: (broker) =>
        brokerWith(broker, { send: (...batch) => (up ? broker.send(...batch) : Promise.reject(brokerUnavailable())) }),
    });

    const failed = await source.run();
    up = true;
    await source.host.clock.sleep(60_000);
    await source.run();

    expect(failed.run).toMatchObject({ outcome: 'failed', error: { code: 'broker.unavailable' } });
    expect(valuesOf(await source.sent())).toEqual(['0', '1', '2']);
    expect(await source.cursor()).toMatchObject({ status: { state: 'done' } });
  });

  test('polls again from the stored checkpoint what a failed slice had sent (at least once)', async () => {
    const system = memorySystem({ rows: rows(4) });
    const config = { 'consumer.override.max.poll.records': '2' };
    const source = await aSourceShard({ system, config });
    let polls = 0;
    system.beforePoll = () => {
      polls += 1;
      return polls === 2 ? Promise.reject(new RetryableError('away', { code: 'source.unavailable' })) : Promise.resolve();
    };

    const failed = await source.run();
    await source.host.clock.sleep(1_000);
    await source.run();

    expect(failed.run).toMatchObject({ outcome: 'failed', error: { code: 'source.unavailable', stage: 'poll' } });
    expect(valuesOf(await source.sent())).toEqual(['0', '1', '2', '3']);
  });

  test('forgets earlier failures once a poll succeeds, even if it brings nothing', async () => {
    const system = memorySystem({ rows: rows(1) });
    const source = await aSourceShard({ system });
    await source.run();
    system.beforePoll = () => Promise.reject(new Error('who knows'));
    await source.run();
    const failed = await source.cursor();

    system.beforePoll = () => Promise.resolve();
    await source.host.clock.sleep(1_000);
    await source.run();

    expect(failed).toMatchObject({ attempts: 1, error: 'plugin.failed' });
    expect(await source.cursor()).toMatchObject({ attempts: 0, error: null });
  });

  test('sends only the queue that failed again', async () => {
    const system = memorySystem({ rows: rows(20) });
    const counts = new Map<number, number>();
    const source = await aSourceShard({
      system,
      queues: 2,
      broker: (broker) =>
        brokerWith(broker, {
          send: async (queue, records) => {
            const count = (counts.get(queue.queueId) ?? 0) + 1;
            counts.set(queue.queueId, count);
            if (queue.queueId === 1 && count === 1) throw brokerUnavailable();
            return broker.send(queue, records);
          },
        }),
    });

    const { run } = await source.run();

    expect(run).toMatchObject({ outcome: 'drained', counts: { delivered: 20, retries: 1 } });
    expect([...valuesOf(await source.sent())].sort()).toEqual(
      rows(20)
        .map(({ value }) => value)
        .sort(),
    );
    expect(counts).toEqual(
      new Map([
        [0, 1],
        [1, 2],
      ]),
    );
  });

  test.each([true, false])('makes what comes next while the log works on what came, exactly once: %s', async (exactlyOnce) => {
    const system = memorySystem({ rows: rows(6) });
    const source = await aSourceShard({
      system,
      exactlyOnce,
      config: { 'consumer.override.max.poll.records': '2' },
      broker: (broker) =>
        brokerWith(broker, {
          send: async (queue, records) => {
            system.calls.push('send');
            const sent = await broker.send(queue, records);
            system.calls.push('sent');
            return sent;
          },
        }),
    });

    await source.run({ slice: { records: 6 } });

    // The first send waits for where its topic lies.
    expect(system.calls.slice(system.calls.indexOf('sent') + 1)).toEqual(['send', 'poll 4', 'sent', 'send', 'sent']);
  });

  test('keeps the order of each key (I7)', async () => {
    const system = memorySystem({
      rows: Array.from({ length: 30 }, (_, index) => ({ key: `key-${index % 3}`, value: String(index) })),
    });
    const source = await aSourceShard({ system, queues: 4, config: { 'consumer.override.max.poll.records': '7' } });

    await source.run();

    const sent = await source.sent();
    for (const key of ['key-0', 'key-1', 'key-2']) {
      const values = valuesOf(sent.filter((record) => textOf(record.key) === key)).map(Number);
      expect(values).toEqual(values.toSorted((a, b) => a - b));
      expect(values).toHaveLength(10);
    }
  });

  test('creates the topic it writes to', async () => {
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(1) }),
      queues: 0,
      config: { 'topic.creation.default.partitions': '3' },
    });

    await source.run();

    expect(await source.log.queues('rows')).toHaveLength(3);
    expect(valuesOf(await source.sent())).toEqual(['0']);
  });

  test('without tolerance fails its shard at a record the log refuses, with its position', async () => {
    const system = memorySystem({ rows: rows(4) });
    const source = await aSourceShard({ system, exactlyOnce: true, broker: (broker) => refusing(broker, '2') });

    const { run } = await source.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'record.too_large', stage: 'put', position: '2' } });
    expect(await source.cursor()).toMatchObject({
      status: { state: 'failed', code: 'record.too_large' },
      checkpoint: { p: null },
    });
  });

  test('with tolerance drops a record the log refuses, and says so (I10)', async () => {
    const system = memorySystem({ rows: rows(4) });
    const source = await aSourceShard({
      system,
      config: { 'errors.tolerance': 'all' },
      broker: (broker) => refusing(broker, '2'),
    });

    const { run } = await source.run();

    expect(valuesOf(await source.sent())).toEqual(['0', '1', '3']);
    expect(run).toMatchObject({ outcome: 'drained', counts: { read: 4, delivered: 3, dropped: 1 } });
    expect(source.host.telemetry.logs).toMatchObject([{ level: 'warn', fields: { code: 'record.too_large', stage: 'put' } }]);
  });

  test('fails when its checkpoint is larger than what is kept', async () => {
    const plugin = {
      ...memorySource(memorySystem()),
      open: async () => ({
        poll: async () => ({ records: [], checkpoint: 'x'.repeat(20_000) }),
        close: async () => undefined,
      }),
    };
    const source = await aSourceShard({ plugin });

    const { run } = await source.run();

    expect(run.error).toMatchObject({ code: 'source.checkpoint_too_large' });
    expect(await source.cursor()).toMatchObject({ status: { state: 'failed', code: 'source.checkpoint_too_large' } });
  });

  test('whose plugin never opens gives up before the claim runs out', async () => {
    const plugin = { ...memorySource(memorySystem()), open: () => new Promise<never>(() => undefined) };
    const source = await aSourceShard({ plugin });

    const { run } = await source.run();

    expect(run.endedAtMs - run.startedAtMs).toBeLessThan(20_000);
    expect(run.error).toMatchObject({ code: 'source.unavailable', stage: 'poll' });
    expect(await source.cursor()).toMatchObject({ holder: null, error: 'source.unavailable' });
  });

  test('is not done while its last batch was not sent, though that moved the checkpoint nowhere', async () => {
    const last = {
      topic: 'rows',
      key: { schema: null, value: null },
      value: { schema: { type: 'string', optional: false } as const, value: 'last' },
      timestampMs: null,
    };
    const polls = [
      { records: [], checkpoint: 'end' },
      { records: [last], checkpoint: 'end', finished: true },
    ];
    const base = memorySource(memorySystem());
    const poll = () => Promise.resolve(polls.shift() ?? { records: [last], checkpoint: 'end', finished: true });
    let sends = 0;
    const source = await aSourceShard({
      plugin: { ...base, open: () => Promise.resolve({ poll, close: () => Promise.resolve() }) },
      broker: (log) =>
        brokerWith(log, {
          send: async (...batch) => {
            sends += 1;
            if (sends > 1) return log.send(...batch);
            await setTargetState({ ...source.host, store: source.store }, 'rows-source', 'paused');
            await source.host.clock.sleep(1_100);
            throw brokerUnavailable();
          },
        }),
    });

    await source.run();
    const paused = (await source.cursor()).status;
    await setTargetState(source.host, 'rows-source', 'running');
    await source.host.clock.sleep(60_000);
    await source.run();

    expect(paused).toMatchObject({ state: 'active' });
    expect(valuesOf(await source.sent())).toEqual(['last']);
    expect((await source.cursor()).status).toEqual({ state: 'done' });
  });
});

describe("runInvocation of a source's tail", () => {
  test('follows until nothing has come for five seconds', async () => {
    const system = memorySystem({ rows: rows(1), idleForMs: 200 });
    const source = await aSourceShard({ system });

    const running = source.run(TAIL);
    await source.host.clock.sleep(2_000);
    system.shards.get('0')?.push(...rows(1, 1));
    const { run } = await running;

    expect(valuesOf(await source.sent())).toEqual(['0', '1']);
    expect(run.outcome).toBe('drained');
    expect(run.endedAtMs - run.startedAtMs).toBeGreaterThanOrEqual(7_000);
    expect(run.endedAtMs - run.startedAtMs).toBeLessThan(8_000);
  });

  test('writes to the store only what has changed', async () => {
    const system = memorySystem({ rows: rows(1), idleForMs: 200 });
    const source = await aSourceShard({ system });

    const { run } = await source.run(TAIL);

    // Claim, commit, and the release at the end.
    expect(run.counts.storeWrites).toBe(3);
  });

  test('ends at once when the source wants to rest for longer than that', async () => {
    const source = await aSourceShard({ system: memorySystem({ rows: rows(1), idleForMs: 60_000 }) });

    const { run } = await source.run(TAIL);

    expect(run.endedAtMs - run.startedAtMs).toBeLessThan(1_000);
  });

  test.each([10, 400, 900])('notices within a second that it was paused, when it idles for %i ms (I9)', async (idleForMs) => {
    const delaysMs: number[] = [];

    for (let afterMs = 2_000; afterMs < 3_000; afterMs += 90) {
      const system = memorySystem({ rows: rows(1), idleForMs });
      const source = await aSourceShard({ system });
      system.beforePoll = ({ waitMs }) => source.host.clock.sleep(waitMs);
      const running = source.run(TAIL);
      await source.host.clock.sleep(afterMs);
      await setTargetState(source.host, 'rows-source', 'paused');
      const pausedAtMs = source.host.clock.nowMs();
      const { run } = await running;
      delaysMs.push(run.outcome === 'yielded' ? run.endedAtMs - pausedAtMs : Number.POSITIVE_INFINITY);
    }

    expect(Math.max(...delaysMs)).toBeLessThanOrEqual(1_000);
  });

  test('notices that its connector was paused while it is busy (I9)', async () => {
    const system = memorySystem({ rows: rows(1_000) });
    const source = await aSourceShard({ system, config: { 'consumer.override.max.poll.records': '1' } });
    system.beforePoll = () => source.host.clock.sleep(100);
    const running = source.run({ mode: 'tail', slice: { durationMs: 60_000, records: 10_000 } });
    await source.host.clock.sleep(2_345);

    await setTargetState(source.host, 'rows-source', 'paused');
    const pausedAtMs = source.host.clock.nowMs();
    const { run } = await running;

    expect(run.endedAtMs - pausedAtMs).toBeLessThanOrEqual(1_000);
    expect(await source.cursor()).toMatchObject({ holder: null, checkpoint: { p: { row: (await source.sent()).length } } });
  });

  test('is not polled before it wants to be, however long that is beside a look at the gate', async () => {
    const system = memorySystem({ rows: rows(2), idleForMs: 3_000 });
    const source = await aSourceShard({ system });
    const polledAtMs: number[] = [];
    system.beforePoll = async () => {
      polledAtMs.push(source.host.clock.monotonicMs());
    };

    await source.run(TAIL);

    const [first = 0, ...later] = polledAtMs;
    expect(later.map((atMs) => Math.round(atMs - first))).toEqual([3_000, 6_000]);
  });

  test('ends while it waits, within a second of a pause (I9)', async () => {
    const source = await aSourceShard({ system: memorySystem({ rows: rows(2), idleForMs: 4_000 }) });

    const running = source.run(TAIL);
    await source.host.clock.sleep(100);
    await setTargetState(source.host, 'rows-source', 'paused');
    const pausedAtMs = source.host.clock.monotonicMs();
    await running;

    expect(source.host.clock.monotonicMs() - pausedAtMs).toBeLessThanOrEqual(1_000);
  });
});

/** A broker for which one value is too large. */
function refusing(broker: MemoryLogBroker, value: string): ReturnType<typeof brokerWith> {
  return brokerWith(broker, {
    send: (queue, records) =>
      broker.send(
        queue,
        records.map((record) => (textOf(record.value) === value ? { ...record, value: new Uint8Array(5_000_000) } : record)),
      ),
  });
}
