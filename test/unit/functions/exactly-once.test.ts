import { describe, expect, test } from 'vitest';
import type { MemoryLogBroker } from '../../../adapters/memory/memory-log-broker.ts';
import type { CheckpointCursor } from '../../../core/cursor/cursor.ts';
import { StoredCursor } from '../../../core/cursor/stored-cursor.ts';
import { FatalTaskError } from '../../../core/errors.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import { offset } from '../../../core/offset.ts';
import type { LogBroker } from '../../../core/ports.ts';
import type { SourcePlugin } from '../../../plugins/api/source.ts';
import { resetOffsets, setTargetState } from '../../../scheduler/connector-actions.ts';
import { brokerUnavailable, brokerWith, brokerWithout, storeUnavailable, storeWith } from '../../support/faulty-ports.ts';
import { anOutgoingRecord, bytesOf } from '../../support/log-records.ts';
import { type MemorySystem, memorySource, memorySystem, type Row, rows } from '../../support/memory-source.ts';
import { aSourceShard, type SourceShard, valuesOf } from '../../support/source-shard.ts';

const SKEW = { skewMaxMs: 5_000 };

/** What the next send does in place of what a broker should do. */
type SendFault = (send: LogBroker['send'], ...batch: Parameters<LogBroker['send']>) => ReturnType<LogBroker['send']>;

const landsWithoutReply: SendFault = async (send, ...batch) => {
  await send(...batch);
  throw brokerUnavailable();
};

const neverLands: SendFault = () => Promise.reject(brokerUnavailable());

/** Faults for the first sends; those behind them are as they should be. */
function sendFaults(faults: SendFault[]): (broker: MemoryLogBroker) => LogBroker {
  return (broker) =>
    brokerWith(broker, {
      send: (...batch) => {
        const fault = faults.shift();
        const send: LogBroker['send'] = (...passed) => broker.send(...passed);
        return fault === undefined ? send(...batch) : fault(send, ...batch);
      },
    });
}

/** Runs until nothing is left to poll; invocations that fail are followed by others, as soon as the cursor allows. */
async function runToTheEnd(source: SourceShard, offer: Parameters<SourceShard['run']>[0] = {}): Promise<number> {
  for (let runs = 1; runs <= 20; runs += 1) {
    const { run, notBeforeMs } = await source.run(offer);
    if (run.outcome === 'drained') return runs;
    const { retryAtMs } = await source.cursor();
    await source.host.clock.sleep(Math.max(notBeforeMs ?? 0, retryAtMs, 0) - source.host.clock.nowMs());
  }
  throw new Error('never drained');
}

function sorted(values: readonly (string | null)[]): number[] {
  return values.map(Number).sort((a, b) => a - b);
}

function unkeyed(count: number): Row[] {
  return rows(count).map(({ value }) => ({ key: null, value }));
}

/** Each record goes to a topic of its own, all in one poll, or in several. */
function aSourceOfTopics(count: number, { polls = 1 }: { readonly polls?: number } = {}): SourcePlugin {
  const key = { schema: null, value: null };
  const value = { schema: { type: 'string', optional: false } as const, value: 'a' };
  const records = Array.from({ length: count }, (_, index) => ({
    topic: `topic-${index}`,
    key,
    value,
    timestampMs: null,
    position: [BigInt(index)],
  }));
  return {
    ...memorySource(memorySystem(), { exactlyOnce: true }),
    open: async (_config, _shard, checkpoint) => {
      let done = typeof checkpoint === 'number' ? checkpoint : 0;
      return {
        poll: async () => {
          const polled = records.slice((done / polls) * count, ((done + 1) / polls) * count);
          done = Math.min(done + 1, polls);
          return { records: polled, checkpoint: done, ...(done === polls && { idleForMs: 1_000 }) };
        },
        close: async () => undefined,
      };
    },
  };
}

interface DoubtfulSource extends SourceShard {
  readonly system: MemorySystem;
  /** Brokers that are gone for a while. */
  readonly away: Set<string>;
  /** Queues that are written no more. */
  readonly readOnly: Set<MessageQueue>;
  /** Called when bounds have been told. */
  onBounds: () => void;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe('runInvocation of an exactly-once source', () => {
  test('marks each record with its source and its position', async () => {
    const source = await aSourceShard({ system: memorySystem({ rows: rows(2) }), exactlyOnce: true });

    await source.run();

    expect((await source.sent()).map(({ headers }) => headers)).toEqual([
      [
        ['sortie.source', `${source.shard}#1`],
        ['sortie.position', '0'],
      ],
      [
        ['sortie.source', `${source.shard}#1`],
        ['sortie.position', '1'],
      ],
    ]);
  });

  test('sends records to the queue that their source says, whatever their keys', async () => {
    const system = memorySystem({ rows: rows(20).map((row) => ({ ...row, queueIndex: 5 })) });
    const source = await aSourceShard({ system, exactlyOnce: true, queues: 4 });

    await source.run();

    const sent = await source.sent();
    expect(sent.map(({ queue }) => queue.queueId)).toEqual(Array<number>(20).fill(1));
    expect(valuesOf(sent)).toEqual(rows(20).map(({ value }) => value));
  });

  test('pins the queues it writes to, with where each may hold what no checkpoint covers', async () => {
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(20) }),
      exactlyOnce: true,
      queues: 2,
      broker: sendFaults([neverLands]),
    });
    const queues = await source.log.queues('rows');
    for (const queue of queues) await source.log.send(queue, [anOutgoingRecord()]);
    const stored = (await source.sent()).map(({ storedAtMs }) => storedAtMs);

    await source.run();

    expect(await source.cursor()).toMatchObject({
      clean: false,
      checkpoint: {
        p: null,
        q: {
          rows: [
            ['memory', 0, '1', stored[0]],
            ['memory', 1, '1', stored[1]],
          ],
        },
      },
    });
  });

  test('leaves no pins behind at a clean end', async () => {
    const source = await aSourceShard({ system: memorySystem({ rows: rows(20) }), exactlyOnce: true });

    await source.run();

    expect(await source.cursor()).toMatchObject({ clean: true });
    expect((await source.cursor()).checkpoint).toEqual({ p: { row: 20 } });
  });

  test('pins all topics of a batch in one write', async () => {
    const source = await aSourceShard({ plugin: aSourceOfTopics(30) });

    const { run } = await source.run();

    expect(run).toMatchObject({ outcome: 'drained', counts: { delivered: 30, storeWrites: 1 + 1 + 1 } });
  });

  test('fails when the queues it writes to are more than can be pinned, and says so', async () => {
    const source = await aSourceShard({ plugin: aSourceOfTopics(100), config: { 'topic.creation.default.partitions': '64' } });

    const { run } = await source.run();

    expect(run.error).toMatchObject({ code: 'source.checkpoint_too_large' });
    expect(run.error?.message).toContain('100 topics');
    expect(await source.cursor()).toMatchObject({ status: { state: 'failed', code: 'source.checkpoint_too_large' } });
  });

  test('writes to more topics than can be pinned at once: a commit makes room for others', async () => {
    const plugin = aSourceOfTopics(300, { polls: 15 });
    const source = await aSourceShard({ plugin, config: { 'topic.creation.default.partitions': '64' } });

    const { run } = await source.run({ slice: { records: 1_000 } });

    expect(run).toMatchObject({ outcome: 'drained', counts: { delivered: 300 } });
    expect(await source.cursor()).toMatchObject({ clean: true, checkpoint: { p: 15 } });
  });

  test('reads nothing back, and writes its pins once, while all goes well', async () => {
    let reads = 0;
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(30) }),
      exactlyOnce: true,
      broker: (broker) =>
        brokerWith(broker, {
          read: (...read) => {
            reads += 1;
            return broker.read(...read);
          },
        }),
    });

    const { run } = await source.run({ slice: { records: 10 }, quantumMs: 5_000 });
    await source.run();

    expect(reads).toBe(0);
    // Claim, pins, and one for each of three stretches; the last one finds its end.
    expect(run.counts).toMatchObject({ slices: 3, storeWrites: 1 + 1 + 3 });
  });

  for (const [title, fault] of [
    ['landed', landsWithoutReply],
    ['did not land', neverLands],
  ] as const) {
    test(`publishes each record once when a send whose reply was lost ${title}`, async () => {
      const source = await aSourceShard({
        system: memorySystem({ rows: rows(30) }),
        exactlyOnce: true,
        queues: 3,
        config: { 'consumer.override.max.poll.records': '7' },
        broker: sendFaults([(send, ...batch) => send(...batch), fault]),
      });

      const runs = await runToTheEnd(source);

      expect(runs).toBe(2);
      expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(30));
      expect(await source.cursor()).toMatchObject({ clean: true, checkpoint: { p: { row: 30 } } });
    });
  }

  test('publishes records without keys once', async () => {
    const source = await aSourceShard({
      system: memorySystem({ rows: unkeyed(30) }),
      exactlyOnce: true,
      queues: 3,
      broker: sendFaults([landsWithoutReply]),
    });

    await runToTheEnd(source);

    expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(30));
  });

  test('publishes each record once when a send lands up to a second after it failed', async () => {
    const late: { send: () => Promise<unknown> }[] = [];
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(10) }),
      exactlyOnce: true,
      broker: sendFaults([
        (send, ...batch) => {
          late.push({ send: () => send(...batch) });
          throw brokerUnavailable();
        },
      ]),
    });
    const failed = await source.run();

    const landing = source.host.clock.sleep(950).then(() => late[0]?.send());
    await source.host.clock.sleep(300);
    const { run } = await source.run();
    await landing;

    expect(failed.run.outcome).toBe('failed');
    expect(run.outcome).toBe('drained');
    expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(10));
  });

  // 1. A send fails, for its broker stands still.  2. It goes on, answers the next holder, and then stores what lay before its door.
  test('publishes each record once when a send lands right after a broker that stood still has answered again', async () => {
    const late: (() => Promise<unknown>)[] = [];
    const hangs: SendFault = (send, ...batch) => {
      late.push(() => send(...batch));
      throw brokerUnavailable();
    };
    const source: SourceShard = await aSourceShard({
      system: memorySystem({ rows: rows(10) }),
      exactlyOnce: true,
      broker: (log) =>
        brokerWith(sendFaults([hangs])(log), {
          bounds: async (queues) => {
            const bounds = await log.bounds(queues);
            const land = late.shift();
            if (land !== undefined) void source.host.clock.sleep(100).then(land);
            return bounds;
          },
        }),
    });

    await runToTheEnd(source);
    await source.host.clock.sleep(60_000);

    expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(10));
  });

  test('looks back at once where the log says that nothing lands late', async () => {
    const runs: number[] = [];
    for (const sendLandsWithinMs of [0, 700]) {
      const source = await aSourceShard({
        system: memorySystem({ rows: rows(10) }),
        exactlyOnce: true,
        broker: (broker) => brokerWith(sendFaults([landsWithoutReply])(broker), { sendLandsWithinMs }),
      });
      await source.run();
      const { retryAtMs } = await source.cursor();
      await source.host.clock.sleep(retryAtMs - source.host.clock.nowMs());
      const startedAtMs = source.host.clock.nowMs();

      await source.run();

      expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(10));
      runs.push(source.host.clock.nowMs() - startedAtMs);
    }
    expect(runs).toEqual([0, 700]);
  });

  test('lets no send of one queue outlast a failed send of another', async () => {
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(30) }),
      exactlyOnce: true,
      queues: 2,
      broker: sendFaults([
        neverLands,
        async (send, ...batch) => {
          await source.host.clock.sleep(3_000);
          return send(...batch);
        },
      ]),
    });

    await runToTheEnd(source);
    await source.host.clock.sleep(60_000);

    expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(30));
  });

  test('publishes each record once when a send lasts longer than a put may', async () => {
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(10) }),
      exactlyOnce: true,
      config: { 'put.timeout.ms': '2000' },
      broker: sendFaults([
        async (send, ...batch) => {
          await source.host.clock.sleep(15_000);
          return send(...batch);
        },
      ]),
    });

    const { run } = await source.run();
    const failed = await source.cursor();
    await runToTheEnd(source);
    await source.host.clock.sleep(60_000);

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'target.timed_out' } });
    expect(failed).toMatchObject({ holder: null, attempts: 1, error: 'target.timed_out' });
    expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(10));
  });

  test('publishes each record once when its invocation was seen to end with a send under way', async () => {
    let isDown = false;
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(10) }),
      exactlyOnce: true,
      config: { 'put.timeout.ms': '2000' },
      broker: sendFaults([
        async (send, ...batch) => {
          isDown = true;
          await source.host.clock.sleep(15_000);
          return send(...batch);
        },
      ]),
      store: (store) =>
        storeWith(store, { put: (...write) => (isDown ? Promise.reject(storeUnavailable()) : store.put(...write)) }),
    });
    await source.run();
    isDown = false;

    const { holder, epoch } = await source.cursor();
    const ended = [{ owner: holder?.owner ?? '', epoch, isGone: false }];
    const { run } = await source.run({ ended }, { on: source.anotherHost() });
    await runToTheEnd(source, { ended });
    await source.host.clock.sleep(60_000);

    expect(run).toMatchObject({ outcome: null, refusal: 'held' });
    expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(10));
  });

  test('sends nothing more once its claim is over, though it was frozen before the send (I2)', async () => {
    let thaw = (): void => undefined;
    let freezes = false;
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(5) }),
      exactlyOnce: true,
      broker: (broker) =>
        brokerWith(broker, {
          queues: async (topic) => {
            if (freezes) {
              freezes = false;
              await new Promise<void>((resolve) => {
                thaw = resolve;
              });
            }
            return broker.queues(topic);
          },
        }),
    });
    await source.run({ slice: { records: 2 } });

    freezes = true;
    const frozen = source.run({ slice: { records: 2 } });
    await source.host.clock.sleep(40_000);
    await source.run({ slice: { records: 2 } }, { on: source.anotherHost() });
    thaw();
    await frozen;
    await source.host.clock.sleep(5_000);

    expect(valuesOf(await source.sent())).toEqual(['0', '1', '2', '3']);
  });

  test('sends nothing more once its put was given up, though its claim lasts and the store is slow', async () => {
    let writes = 0;
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(5) }),
      exactlyOnce: true,
      config: { 'put.timeout.ms': '1000' },
      store: (store) =>
        storeWith(store, {
          put: async (...write) => {
            const result = await store.put(...write);
            writes += 1;
            // The replies to the pins, and, behind a conflict with those, to what is written when the put has failed.
            if (writes === 3 || writes === 5) await source.host.clock.sleep(8_000);
            return result;
          },
        }),
    });

    const failing = source.run();
    await source.host.clock.sleep(3_000);
    const { run } = await source.run({}, { on: source.anotherHost() });
    await failing;
    await source.host.clock.sleep(30_000);

    expect(run.outcome).toBe('drained');
    expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(5));
  });

  test('begins no send behind its deadline, and looks back for the ones that came before (I2)', async () => {
    let isFrozen = true;
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(30) }),
      exactlyOnce: true,
      queues: 2,
      broker: (broker) =>
        brokerWith(broker, {
          // The turn of the second queue comes when the claim is over, and no timer has told of it yet.
          send: (...batch) => {
            const sending = broker.send(...batch);
            if (isFrozen) source.host.clock.jump(30_000);
            isFrozen = false;
            return sending;
          },
        }),
    });

    await source.run();
    const queuesSentTo = new Set((await source.sent()).map(({ queue }) => queue.queueId));
    await runToTheEnd(source);

    expect(queuesSentTo.size).toBe(1);
    expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(30));
  });

  /**
   * 1. The only send fails, so that somebody must look back.
   * 2. Others append forty reads' worth to the topic, and a read takes a second: twice as long as a claim.
   */
  async function aLongLookBack(): Promise<
    SourceShard & { readonly reads: () => number; onRead: (read: number) => Promise<void> }
  > {
    let reads = 0;
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(1) }),
      exactlyOnce: true,
      broker: (broker) => ({
        ...sendFaults([neverLands])(broker),
        read: async (...read) => {
          reads += 1;
          await looking.onRead(reads);
          await source.host.clock.sleep(1_000);
          return broker.read(...read);
        },
      }),
    });
    const looking = { ...source, reads: () => reads, onRead: (_: number) => Promise.resolve() };
    await source.run();
    const [queue] = await source.log.queues('rows');
    const strange = Array.from({ length: 1_000 }, () => anOutgoingRecord({ value: bytesOf('of another') }));
    for (let batch = 0; batch < 40 && queue !== undefined; batch += 1) await source.log.send(queue, strange);
    await source.host.clock.sleep(1_000);
    return looking;
  }

  test('looks back for longer than a claim where others appended much', async () => {
    const source = await aLongLookBack();

    const { run } = await source.run();

    expect(source.reads()).toBe(40);
    expect(run).toMatchObject({ outcome: 'drained', counts: { delivered: 1 } });
    expect(await source.log.bounds(await source.log.queues('rows'))).toMatchObject([{ max: 40_001n }]);
  });

  test('stops looking back within two seconds of a pause, and leaves the doubt to the next (I9)', async () => {
    const source = await aLongLookBack();
    source.onRead = async (read) => {
      if (read === 3) await setTargetState(source.host, 'rows-source', 'paused');
    };
    const before = (await source.cursor()).checkpoint;

    const { run } = await source.run();

    expect(run.outcome).toBe('yielded');
    expect(source.reads()).toBeLessThanOrEqual(5);
    expect(await source.cursor()).toMatchObject({ holder: null, clean: false, checkpoint: before });
  });

  test('stops looking back when the platform ends its run', async () => {
    const source = await aLongLookBack();

    const { run } = await source.run({}, { limitMs: 20_000 });
    const readsAtEnd = source.reads();
    await source.host.clock.sleep(60_000);

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'target.timed_out' } });
    expect(source.reads()).toBe(readsAtEnd);
  });

  for (const [title, faults] of [
    ['after a clean end', [(send, ...batch) => send(...batch), landsWithoutReply]],
    ['while something was in doubt', [(send, ...batch) => send(...batch), neverLands, landsWithoutReply]],
  ] as const satisfies readonly (readonly [string, readonly SendFault[]])[]) {
    test(`publishes each record once to a topic that was created anew ${title}`, async () => {
      const system = memorySystem({ rows: rows(10) });
      const source = await aSourceShard({ system, exactlyOnce: true, broker: sendFaults([...faults]) });
      await source.run();
      system.shards.get('0')?.push(...rows(3, 10));
      if (faults.length === 3) {
        await source.run();
        await source.host.clock.sleep(1_000);
      }

      source.log.deleteTopic('rows');
      source.log.createTopic('rows', { queues: 1 });
      await runToTheEnd(source);

      expect(sorted(valuesOf(await source.sent()))).toEqual([10, 11, 12]);
    });
  }

  /**
   * 1. The queue is pinned. A send of the rows 10 to 12 fails, as far as its sender knows.
   * 2. The topic is deleted and created again, and that send lands at the beginning of the new queue.
   * 3. Others append until the new queue ends above the pin.
   * 4. A look-back from the pin would not see what landed below it.
   */
  async function aRefilledTopic(
    before: (source: SourceShard, queue: MessageQueue) => Promise<unknown>,
    offer: Parameters<SourceShard['run']>[0] = {},
  ): Promise<SourceShard> {
    const system = memorySystem({ rows: rows(10) });
    const late: (() => Promise<unknown>)[] = [];
    const lands: SendFault = (send, ...batch) => send(...batch);
    const hangs: SendFault = async (send, ...batch) => {
      late.push(() => send(...batch));
      throw brokerUnavailable();
    };
    const source = await aSourceShard({
      system,
      exactlyOnce: true,
      broker: sendFaults(offer.slice === undefined ? [lands, hangs] : [lands, lands, hangs]),
    });
    const [queue] = (await source.log.queues('rows')) as [MessageQueue];
    if (offer.slice === undefined) await source.run();
    await before(source, queue);
    system.shards.get('0')?.push(...rows(3, 10));
    await source.run(offer);
    await source.host.clock.sleep(1);

    source.log.deleteTopic('rows');
    source.log.createTopic('rows', { queues: 1 });
    await late[0]?.();
    await source.log.send(queue, Array.from({ length: 20 }, foreign));
    await source.host.clock.sleep(1_000);
    return source;
  }

  const foreign = () => anOutgoingRecord({ value: bytesOf('of another') });

  for (const [title, pinned, before, offer] of [
    ['behind a record of others', ['11', expect.any(Number)], (source, queue) => source.log.send(queue, [foreign()])],
    ['behind a record of its own', ['10', '9'], () => Promise.resolve(), { slice: { records: 5 }, quantumMs: 5_000 }],
    ['where retention has left nothing', ['10', null], async ({ log }, queue) => log.truncateBefore(queue, offset(10))],
  ] as const satisfies readonly (readonly [string, readonly unknown[], ...Parameters<typeof aRefilledTopic>])[]) {
    test(`publishes each record once to a topic that was created anew and refilled, having pinned it ${title}`, async () => {
      const source = await aRefilledTopic(before, offer);
      const pins = (await source.cursor()).checkpoint;

      await runToTheEnd(source);

      expect(pins).toEqual({ p: { row: 10 }, q: { rows: [['memory', 0, ...pinned]] } });
      const own = valuesOf(await source.sent()).filter((value) => value !== 'of another');
      expect(sorted(own)).toEqual([10, 11, 12]);
      expect(await source.cursor()).toMatchObject({ clean: true, checkpoint: { p: { row: 13 } } });
    });
  }

  for (const [title, pin, readsFrom] of [
    ['its pins', ['memory', 0, '10', '9'], [9n, 10n]],
    ['pins of an earlier version, which did not note what lay below them', ['memory', 0, '10'], [10n]],
  ] as const) {
    test(`looks back from ${title}`, async () => {
      const reads: bigint[] = [];
      const source = await aSourceShard({
        system: memorySystem({ rows: rows(30) }),
        exactlyOnce: true,
        broker: (broker) => ({
          ...sendFaults([(send, ...batch) => send(...batch), landsWithoutReply])(broker),
          read: (queue, from, ...how) => {
            reads.push(from);
            return broker.read(queue, from, ...how);
          },
        }),
      });
      await source.run({ slice: { records: 10 }, quantumMs: 5_000 });
      const shard = (await StoredCursor.read(source.host, source.shard)) as StoredCursor<CheckpointCursor>;
      const checkpoint = { p: { row: 10 }, q: { rows: [pin] } };
      await shard.change((cursor) => ({ ...cursor, checkpoint }), { forMs: 1_000 });

      await runToTheEnd(source);

      expect(reads).toEqual(readsFrom);
      expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(30));
    });
  }

  /** A source that is in doubt about all it sent: it landed, and nobody told it so. */
  async function inDoubt({ brokerNames }: { readonly brokerNames: readonly string[] }): Promise<DoubtfulSource> {
    const away = new Set<string>();
    const readOnly = new Set<MessageQueue>();
    const system = memorySystem({ rows: rows(12) });
    const source = await aSourceShard({
      system,
      exactlyOnce: true,
      queues: 0,
      broker: (log) => {
        const faulty = sendFaults(brokerNames.map(() => landsWithoutReply))(log);
        const broker = brokerWithout(faulty, ({ brokerName }) => away.has(brokerName));
        return brokerWith(broker, {
          queues: async (topic, use) => {
            const queues = await broker.queues(topic, use);
            return queues.filter((queue) => use !== 'writing' || !readOnly.has(queue));
          },
          bounds: async (queues) => {
            const bounds = await broker.bounds(queues);
            doubting.onBounds();
            return bounds;
          },
        });
      },
    });
    const doubting: DoubtfulSource = { ...source, system, away, readOnly, onBounds: () => undefined };
    for (const brokerName of brokerNames) {
      if ((await source.log.queues('rows')).length === 0) source.log.createTopic('rows', { queues: 2, brokerName });
      else source.log.addQueues('rows', { queues: 2, brokerName });
    }
    await source.run();
    await source.host.clock.sleep(1_000);
    return doubting;
  }

  /** One run more, as soon as the cursor allows it. */
  async function runAgain(source: SourceShard): Promise<Awaited<ReturnType<SourceShard['run']>>['run']> {
    const { retryAtMs } = await source.cursor();
    await source.host.clock.sleep(Math.max(0, retryAtMs - source.host.clock.nowMs()));
    return (await source.run()).run;
  }

  for (const [title, brokerNames, away] of [
    ['the broker of its topic', ['memory'], 'memory'],
    ['one of the brokers of its topic', ['broker-a', 'broker-b'], 'broker-a'],
  ] as const) {
    test(`publishes each record once when ${title} is away for longer than two attempts`, async () => {
      const source = await inDoubt({ brokerNames });
      const pinned = (await source.cursor()).checkpoint;
      source.away.add(away);

      const attempts = [await runAgain(source), await runAgain(source), await runAgain(source)];
      const kept = await source.cursor();
      source.away.clear();
      await runToTheEnd(source);

      for (const { outcome, error } of attempts)
        expect([outcome, error?.code, error?.message]).toEqual([
          'failed',
          'broker.unavailable',
          expect.stringContaining(`rows/${away}/`),
        ]);
      expect(kept).toMatchObject({ clean: false, status: { state: 'active' }, checkpoint: pinned });
      expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(12));
      expect(await source.cursor()).toMatchObject({ clean: true, checkpoint: { p: { row: 12 } } });
    });
  }

  test('goes on without a broker that is gone for good once an operator has set its offsets to where they are', async () => {
    const source = await inDoubt({ brokerNames: ['broker-a', 'broker-b'] });
    source.away.add('broker-a');
    const waiting = await runAgain(source);

    await setTargetState(source.host, 'rows-source', 'stopped');
    await source.host.clock.sleep(60_000);
    await resetOffsets(source.host, source.connector, { positions: new Map([[source.shard, null]]), ...SKEW });
    await setTargetState(source.host, 'rows-source', 'running');
    await runToTheEnd(source);

    const left = (await source.sent()).filter(({ queue }) => queue.brokerName === 'broker-b');
    expect(waiting.error?.code).toBe('broker.unavailable');
    expect([...new Set(sorted(valuesOf(left)))]).toEqual(upTo(12));
  });

  test('sends nothing that it has not looked for where a broker comes back in the middle of a look-back', async () => {
    const source = await inDoubt({ brokerNames: ['broker-a', 'broker-b'] });
    source.away.add('broker-a');
    source.onBounds = () => source.away.clear();

    await runToTheEnd(source);

    expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(12));
  });

  test('pins nothing anew while the broker of a queue is away, and sends nothing', async () => {
    const source = await inDoubt({ brokerNames: ['broker-a', 'broker-b'] });
    const sent = (await source.sent()).length;
    source.away.add('broker-a');

    await runAgain(source);

    expect(await source.log.queues('rows')).toHaveLength(4);
    expect(await source.sent()).toHaveLength(sent);
  });

  test('goes on where a queue was removed that held records in doubt, and publishes each record once', async () => {
    const source = await inDoubt({ brokerNames: ['broker-a', 'broker-b'] });
    const queues = await source.log.queues('rows');
    for (const queue of queues.slice(2)) source.log.removeQueue(queue);

    await runToTheEnd(source);

    expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(12));
    expect(await source.cursor()).toMatchObject({ clean: true, checkpoint: { p: { row: 12 } } });
  });

  test('sends no more to a queue that is read to its end, and publishes each record once', async () => {
    const source = await inDoubt({ brokerNames: ['broker-a', 'broker-b'] });
    const [, retired] = (await source.log.queues('rows')) as [MessageQueue, MessageQueue];
    source.readOnly.add(retired);
    source.system.shards.get('0')?.push(...rows(20, 12));
    const before = (await source.log.bounds([retired]))[0]?.max;

    await runToTheEnd(source);

    expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(32));
    expect((await source.log.bounds([retired]))[0]?.max).toBe(before);
  });

  test('chooses among others where all that it had pinned at a broker is read to its end', async () => {
    const source = await inDoubt({ brokerNames: ['broker-a'] });
    for (const queue of await source.log.queues('rows')) source.readOnly.add(queue);
    source.log.addQueues('rows', { queues: 1, brokerName: 'broker-a' });
    source.system.shards.get('0')?.push(...rows(20, 12));

    await runToTheEnd(source);

    expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(32));
    expect(await source.cursor()).toMatchObject({ clean: true, checkpoint: { p: { row: 32 } } });
  });

  // A slave in its master's place shows what it has, which may not be all, and takes nothing.
  test('sends nothing while a broker takes nothing, for it may not show all that it has', async () => {
    const source = await inDoubt({ brokerNames: ['broker-a', 'broker-b'] });
    const pinned = (await source.cursor()).checkpoint;
    const sent = (await source.sent()).length;
    for (const queue of (await source.log.queues('rows')).slice(2)) source.readOnly.add(queue);

    const waiting = await runAgain(source);
    const unsent = (await source.sent()).length;
    const kept = (await source.cursor()).checkpoint;
    source.readOnly.clear();
    await runToTheEnd(source);

    expect(waiting.error).toMatchObject({ code: 'broker.unavailable', message: expect.stringMatching(/broker-b.*; next: /) });
    expect([unsent, kept]).toEqual([sent, pinned]);
    expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(12));
  });

  test('does not fail for good where a queue is gone when it sends: it looks back, and goes on', async () => {
    const gone: SendFault = (_send, { topic }) => {
      source.log.deleteTopic(topic);
      throw new FatalTaskError(`topic ${topic} does not exist`, { code: 'broker.topic_missing' });
    };
    const source: SourceShard = await aSourceShard({
      system: memorySystem({ rows: rows(10) }),
      exactlyOnce: true,
      broker: sendFaults([gone]),
    });

    const { run } = await source.run();
    const failed = await source.cursor();
    await runToTheEnd(source);

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'broker.topic_missing' } });
    expect(failed).toMatchObject({ clean: false, status: { state: 'active' }, attempts: 1 });
    expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(10));
  });

  test('pins no queue that is gone before it could be pinned', async () => {
    let hides = true;
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(10) }),
      exactlyOnce: true,
      broker: (log) =>
        brokerWith(log, {
          bounds: async (queues) => {
            const bounds = await log.bounds(queues);
            return bounds.map((found) => (hides ? null : found));
          },
        }),
    });

    const running = source.run();
    await source.host.clock.sleep(100);
    const unpinned = await source.cursor();
    hides = false;
    await running;

    expect(unpinned.checkpoint).toBeNull();
    expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(10));
  });

  test('publishes each record once when its holder died after sending', async () => {
    let isDead = false;
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(10) }),
      exactlyOnce: true,
      broker: sendFaults([
        async (send, ...batch) => {
          isDead = true;
          return send(...batch);
        },
      ]),
      store: (store) =>
        storeWith(store, { put: (...write) => (isDead ? Promise.reject(storeUnavailable()) : store.put(...write)) }),
    });
    await source.run();

    await source.host.clock.sleep(57_000);
    isDead = false;
    const { run } = await source.run({}, { on: source.anotherHost() });

    expect(run).toMatchObject({ outcome: 'drained', counts: { read: 10 } });
    expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(10));
  });

  test('publishes each record once when look-backs are interrupted too', async () => {
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(40) }),
      exactlyOnce: true,
      queues: 2,
      config: { 'consumer.override.max.poll.records': '10' },
      broker: sendFaults([landsWithoutReply, landsWithoutReply, neverLands, landsWithoutReply, landsWithoutReply, neverLands]),
    });

    await runToTheEnd(source);

    expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(40));
  });

  test('looks back again until it has come past all that landed', async () => {
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(20) }),
      exactlyOnce: true,
      broker: sendFaults([landsWithoutReply]),
    });
    await source.run();
    await source.host.clock.sleep(1_000);

    await source.run({ slice: { records: 5 } });
    const between = await source.cursor();
    await runToTheEnd(source, { slice: { records: 8 } });

    expect(between).toMatchObject({ clean: false, checkpoint: { p: { row: 5 }, q: { rows: [['memory', 0, '0', null]] } } });
    expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(20));
    expect(await source.cursor()).toMatchObject({ clean: true, checkpoint: { p: { row: 20 } } });
  });

  test('keeps the order of each queue through all of that (I7)', async () => {
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(60) }),
      exactlyOnce: true,
      queues: 2,
      config: { 'consumer.override.max.poll.records': '10' },
      broker: sendFaults([landsWithoutReply, neverLands, landsWithoutReply]),
    });

    await runToTheEnd(source);

    const sent = await source.sent();
    for (const queueId of [0, 1]) {
      const values = valuesOf(sent.filter(({ queue }) => queue.queueId === queueId)).map(Number);
      expect(values).toEqual(values.toSorted((a, b) => a - b));
    }
  });

  test('is not misled by records of others in its topic', async () => {
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(5) }),
      exactlyOnce: true,
      broker: sendFaults([neverLands]),
    });
    await source.run();
    const [queue] = await source.log.queues('rows');
    const strange = [
      [['sortie.source', 'other#1'] as const, ['sortie.position', '1'] as const],
      [['sortie.source', `${source.shard}#2`] as const, ['sortie.position', '2'] as const],
      [['sortie.position', '3'] as const],
      [['sortie.source', `${source.shard}#1`] as const, ['sortie.position', 'x'] as const],
    ].map((headers) => anOutgoingRecord({ value: bytesOf('strange'), headers }));
    if (queue !== undefined) await source.log.send(queue, strange);

    await runToTheEnd(source);

    const own = valuesOf(await source.sent()).filter((value) => value !== 'strange');
    expect(sorted(own)).toEqual(upTo(5));
  });

  test('writes to a queue that was added once nothing is in doubt', async () => {
    const system = memorySystem({ rows: rows(20) });
    const source = await aSourceShard({ system, exactlyOnce: true });
    await source.run();

    source.log.addQueues('rows', { queues: 1 });
    system.shards.get('0')?.push(...rows(20, 20));
    await source.run();

    const sent = await source.sent();
    expect(new Set(sent.map(({ queue }) => queue.queueId))).toEqual(new Set([0, 1]));
  });

  test('keeps to its list of queues while something is in doubt, though one was added', async () => {
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(20) }),
      exactlyOnce: true,
      broker: sendFaults([landsWithoutReply]),
    });
    await source.run();

    source.log.addQueues('rows', { queues: 1 });
    await runToTheEnd(source);

    const sent = await source.sent();
    expect(sorted(valuesOf(sent))).toEqual(upTo(20));
    expect(new Set(sent.map(({ queue }) => queue.queueId))).toEqual(new Set([0]));
  });

  test('publishes everything again after a reset to the beginning', async () => {
    const source = await aSourceShard({ system: memorySystem({ rows: rows(3) }), exactlyOnce: true });
    await source.run();

    await setTargetState(source.host, 'rows-source', 'stopped');
    await resetOffsets(source.host, source.connector, { positions: new Map([[source.shard, null]]), ...SKEW });
    await setTargetState(source.host, 'rows-source', 'running');
    await source.run();

    expect(valuesOf(await source.sent())).toEqual(['0', '1', '2', '0', '1', '2']);
  });

  test('goes on from a checkpoint that an operator gave', async () => {
    const source = await aSourceShard({ system: memorySystem({ rows: rows(5) }), exactlyOnce: true });
    await source.run();

    await setTargetState(source.host, 'rows-source', 'stopped');
    await resetOffsets(source.host, source.connector, { positions: new Map([[source.shard, { row: 3 }]]), ...SKEW });
    await setTargetState(source.host, 'rows-source', 'running');
    await source.run();

    expect(valuesOf(await source.sent()).slice(5)).toEqual(['3', '4']);
  });

  test('sends nothing twice when its process was frozen in a send', async () => {
    const source = await aSourceShard({
      system: memorySystem({ rows: [...rows(3), { key: 'k', value: 'x'.repeat(5_000_000) }, ...rows(3, 3)] }),
      exactlyOnce: true,
      config: { 'errors.tolerance': 'all' },
      broker: sendFaults([
        async (send, ...batch) => {
          source.host.clock.jump(19_000);
          return send(...batch);
        },
      ]),
    });

    await runToTheEnd(source);

    expect(sorted(valuesOf(await source.sent()))).toEqual(upTo(6));
  });

  test('sends nothing of a source that gives its records no positions', async () => {
    const key = { schema: null, value: null };
    const record = { topic: 'rows', key, value: { schema: null, value: 'a' }, timestampMs: null };
    const plugin = {
      ...memorySource(memorySystem(), { exactlyOnce: true }),
      open: async () => ({ poll: async () => ({ records: [record], checkpoint: 1 }), close: async () => undefined }),
    };
    const source = await aSourceShard({ plugin });

    const { run } = await source.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'plugin.failed' } });
    expect(await source.cursor()).toMatchObject({ status: { state: 'failed', code: 'plugin.failed' } });
    expect(await source.sent()).toEqual([]);
  });

  test('is refused where a source must publish each record once and cannot', async () => {
    const source = await aSourceShard({ config: { 'exactly.once.support': 'required' } });

    const { run } = await source.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'config.invalid' } });
  });

  test('sends nothing behind a pause that was acknowledged while pins were stored (I9)', async () => {
    let pausedAtMs: number | null = null;
    const sentAfterMs: number[] = [];
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(3) }),
      exactlyOnce: true,
      broker: (log) =>
        brokerWith(log, {
          bounds: async (queues) => {
            if (pausedAtMs === null) {
              await setTargetState({ ...source.host, store: source.store }, 'rows-source', 'paused');
              pausedAtMs = source.host.clock.monotonicMs();
              await source.host.clock.sleep(3_000);
            }
            return log.bounds(queues);
          },
          send: (...batch) => {
            sentAfterMs.push(source.host.clock.monotonicMs() - (pausedAtMs ?? 0));
            return log.send(...batch);
          },
        }),
    });

    const { run } = await source.run();

    expect(run.outcome).toBe('yielded');
    expect(sentAfterMs).toEqual([]);
  });

  test('waits for a send that outlasts its claim, as long as a broker may take to answer', async () => {
    const slow: SendFault = async (send, ...batch) => {
      await source.host.clock.sleep(29_000);
      return send(...batch);
    };
    const source: SourceShard = await aSourceShard({
      system: memorySystem({ rows: rows(3) }),
      exactlyOnce: true,
      broker: sendFaults([slow]),
    });

    await runToTheEnd(source);
    await source.host.clock.sleep(60_000);

    expect(valuesOf(await source.sent())).toEqual(['0', '1', '2']);
  });
});
