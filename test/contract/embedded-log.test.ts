/** What only `EmbeddedLogBroker` has: other processes on the same files, topics that are created again, retention. */
import { type ChildProcess, fork } from 'node:child_process';
import { type EventEmitter, once } from 'node:events';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { MessageQueue } from '../../core/message-queue.ts';
import { type Offset, offset } from '../../core/offset.ts';
import type { Clock, LogBroker } from '../../core/ports.ts';
import { aLog, aQueue, openLog, segmentsIn } from '../support/embedded-logs.ts';
import { anOutgoingRecord, outgoing, textOf } from '../support/log-records.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';
import { ALL, readAll, TOO_LONG_MS } from './log-broker/log-under-test.ts';

const WRITER = new URL('../support/appending-writer.ts', import.meta.url);

/** Each some acknowledgements later than the one before. */
const KILLS = 8;

const VICTIMS: readonly (readonly [what: string, newVictim: (args: string[]) => Victim])[] = [
  ['process that is killed', aProcess],
  ['thread that is terminated', aThread],
];

describe('EmbeddedLogBroker and several processes', () => {
  test('keeps every acknowledged batch once, whole, and in the order of its sender', async () => {
    const folder = aTemporaryFolder();
    const log = aLog(folder);
    await log.ensureTopic('orders', { queues: 2 });
    const batches = 40;
    const records = 7;
    const names = ['a', 'b', 'c'];

    const writers = names.map((name) => aWriter([folder, 'orders', name, String(records), String(batches)]));
    await Promise.all(writers.map((writer) => once(writer, 'message')));
    for (const writer of writers) writer.send('start');
    const exits = await Promise.all(writers.map((writer) => once(writer, 'exit')));

    expect(exits).toEqual(names.map(() => [0, null]));
    for (const queue of await log.queues('orders')) {
      const found = await batchesIn(log, queue, records);
      for (const name of names) {
        expect(found.filter((batch) => batch.startsWith(`${name}/`))).toEqual(
          Array.from({ length: batches }, (_, batch) => `${name}/${batch}`),
        );
      }
    }
  }, 60_000);

  for (const [what, newVictim] of VICTIMS) {
    test(`a ${what} while it appends loses nothing acknowledged and leaves nothing half-visible`, async () => {
      const folder = aTemporaryFolder();
      const log = aLog(folder);
      await log.ensureTopic('orders', { queues: 2 });
      const records = 150;
      const acknowledged: string[] = [];

      for (let kill = 0; kill < KILLS; kill += 1) {
        const name = `victim-${kill}`;
        const fsync = kill % 2 === 0 ? 'group' : 'interval';
        const victim = newVictim([folder, 'orders', name, String(records), 'Infinity', fsync]);
        await once(victim.events, 'message');
        let count = 0;
        victim.events.on('message', (message) => {
          acknowledged.push(`${name}/${String(message)}`);
          count += 1;
          if (count === 1 + kill) victim.kill();
        });
        const end = once(victim.events, 'exit');
        victim.start();
        await end;
        expect(count).toBeGreaterThan(kill);
      }

      for (const queue of await log.queues('orders')) {
        const found = await batchesIn(log, queue, records);
        const expected = acknowledged.map((entry) => entry.split('/')).filter(([, queueId]) => Number(queueId) === queue.queueId);
        expect(expected.map(([name, , batch]) => `${name}/${batch}`).filter((batch) => !found.includes(batch))).toEqual([]);
        expect(new Set(found).size).toBe(found.length);
      }
    }, 60_000);
  }

  test('a waiting read ends when another process appends, without a look at the clock', async () => {
    const folder = aTemporaryFolder();
    const reader = aLog(folder, { clock: new ManualClock() });
    const writer = aLog(folder);
    const queue = await aQueue(reader);

    const reading = reader.read(queue, offset(0), { ...ALL, waitMs: TOO_LONG_MS });
    await writer.send(queue, outgoing('a'));

    expect((await reading).records.map(({ value }) => textOf(value))).toEqual(['a']);
  });

  test('a watch announces what another process appends, without a look at the clock', async () => {
    const folder = aTemporaryFolder();
    const reader = aLog(folder, { clock: new ManualClock() });
    const writer = aLog(folder);
    const queue = await aQueue(reader);
    const abort = new AbortController();
    onTestFinished(() => abort.abort());
    const announced = reader
      .watch([{ queue, from: offset(0) }], abort.signal)
      [Symbol.asyncIterator]()
      .next();

    await writer.send(queue, outgoing('a'));

    expect(await announced).toEqual({ done: false, value: queue });
  });

  test('a watch finds records within a second where the system tells nothing', async () => {
    const folder = aTemporaryFolder();
    const clock = new ManualClock();
    const reader = aLog(folder, { clock });
    const queue = await aQueue(reader);
    const abort = new AbortController();
    onTestFinished(() => abort.abort());
    const announced = reader
      .watch([{ queue, from: offset(0) }], abort.signal)
      [Symbol.asyncIterator]()
      .next();
    rmSync(join(folder, 'wake'));
    // Writes to a new file, which the reader does not watch.
    await using writer = openLog(folder);
    await writer.log.send(queue, outgoing('a'));

    clock.advance(1_000);

    expect(await announced).toEqual({ done: false, value: queue });
  });
});

describe('EmbeddedLogBroker and many watches', () => {
  /** One watch for each queue; the queues that were announced, in that order. */
  async function watchesOf(log: LogBroker, queues: number) {
    await log.ensureTopic('orders', { queues });
    const abort = new AbortController();
    const announced: number[] = [];
    const watched = await log.queues('orders');
    const watches = watched.map(async (queue) => {
      for await (const { queueId } of log.watch([{ queue, from: offset(0) }], abort.signal)) announced.push(queueId);
    });
    onTestFinished(async () => {
      abort.abort();
      await Promise.all(watches);
    });
    return { announced, queues: watched };
  }

  test('announce what another process appends, each its own queue', async () => {
    const folder = aTemporaryFolder();
    const clock = new ManualClock();
    const writer = aLog(folder);
    const { announced, queues } = await watchesOf(aLog(folder, { clock }), 100);

    for (const queueId of [7, 42, 7]) {
      const before = announced.length;
      await writer.send(queues[queueId] as MessageQueue, outgoing('a'));
      await vi.waitFor(() => expect(announced.length).toBe(before + 1));
    }

    expect(announced).toEqual([7, 42, 7]);
  });

  test('announce what another process appends to a topic that it has created again', async () => {
    const folder = aTemporaryFolder();
    const writer = aLog(folder);
    const { announced, queues } = await watchesOf(aLog(folder, { clock: new ManualClock() }), 100);
    await writer.send(queues[3] as MessageQueue, outgoing('old'));
    await vi.waitFor(() => expect(announced).toEqual([3]));

    await writer.deleteTopic('orders');
    await writer.ensureTopic('orders', { queues: 100 });
    await writer.send(queues[3] as MessageQueue, outgoing('new'));
    await vi.waitFor(() => expect(announced).toEqual([3, 3]));
  });

  test('look at the log once a second together, and not each for itself', async () => {
    const time = new ManualClock();
    let sleeps = 0;
    const sleep: Clock['sleep'] = (...args) => {
      sleeps += 1;
      return time.sleep(...args);
    };
    const clock: Clock = { nowMs: () => time.nowMs(), monotonicMs: () => time.monotonicMs(), sleep };

    await watchesOf(aLog(aTemporaryFolder(), { clock }), 100);
    await setImmediate();
    time.advance(1_000);
    await setImmediate();

    expect(sleeps).toBe(2);
  });
});

describe('EmbeddedLogBroker and topics', () => {
  test('notices that another process has created a topic again', async () => {
    const folder = aTemporaryFolder();
    const [here, there] = [aLog(folder), aLog(folder)];
    const queue = await aQueue(here);
    await here.send(queue, outgoing('old 1', 'old 2'));
    await here.read(queue, offset(0), { ...ALL, records: 1 });

    await there.deleteTopic(queue.topic);
    const whenDeleted = await here.bounds([queue]);
    await there.ensureTopic(queue.topic, { queues: 1 });
    await there.send(queue, outgoing('new 1', 'new 2'));

    expect(whenDeleted).toEqual([null]);
    expect((await here.read(queue, offset(1), ALL)).records.map(({ value }) => textOf(value))).toEqual(['new 2']);
    expect((await here.send(queue, outgoing('new 3'))).endOffset).toBe(3n);
  });

  test('stores later than the deleted topic did, even where the clock has jumped back', async () => {
    const folder = aTemporaryFolder();
    const clock = new ManualClock();
    const log = aLog(folder, { clock });
    const queue = await aQueue(log);
    clock.advance(3_600_000);
    await log.send(queue, outgoing('old'));
    const [old] = await readAll(log, queue, offset(0));
    const behind = aLog(folder, { clock: new ManualClock() });

    await behind.deleteTopic(queue.topic);
    await behind.ensureTopic(queue.topic, { queues: 1 });
    await behind.send(queue, outgoing('new'));

    const [renewed] = await readAll(log, queue, offset(0));
    expect(renewed?.storedAtMs).toBeGreaterThan(old?.storedAtMs ?? Number.NaN);
  });

  test('takes any name for a topic', async () => {
    const log = aLog();
    const names = ['../up', 'größe/漢字', '.', 'a'.repeat(300), 'CON'];

    for (const name of names) await log.send(await aQueue(log, name), outgoing(name));

    for (const name of names) {
      const records = await readAll(log, await aQueue(log, name), offset(0));
      expect(records.map(({ value }) => textOf(value))).toEqual([name]);
    }
  });

  test('removes the files of a deleted topic', async () => {
    const folder = aTemporaryFolder();
    const log = aLog(folder);
    const queue = await aQueue(log);
    await log.send(queue, outgoing('a'));
    const [path = ''] = segmentsIn(folder);

    await log.deleteTopic(queue.topic);

    expect(existsSync(dirname(dirname(path)))).toBe(false);
  });
});

describe('EmbeddedLogBroker and segments', () => {
  test('finds every offset and every time as an array would, from whatever instance', async () => {
    const batch = fc.record({ records: fc.integer({ min: 1, max: 9 }), pauseMs: fc.integer({ min: 0, max: 3 }) });
    const property = fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 25 }), async (batches) => {
      const folder = aTemporaryFolder();
      const clock = new ManualClock();
      const settings = { clock, segmentBytes: 600, fsync: { intervalMs: 1_000 } } as const;
      await using written = openLog(folder, settings);
      const queue = await aQueue(written.log);
      const storedAtMs: number[] = [];
      for (const { records, pauseMs } of batches) {
        clock.advance(pauseMs);
        storedAtMs.push(...Array.from({ length: records }, () => clock.nowMs()));
        await written.log.send(
          queue,
          Array.from({ length: records }, () => anOutgoingRecord()),
        );
      }
      await using opened = openLog(folder, settings);

      for (const [index] of storedAtMs.entries()) {
        const { records } = await opened.log.read(queue, offset(index), { ...ALL, records: 2 });
        expect(records[0]).toMatchObject({ offset: BigInt(index), storedAtMs: storedAtMs[index] });
      }
      for (let atMs = (storedAtMs[0] ?? 0) - 1; atMs <= clock.nowMs() + 1; atMs += 1) {
        const first = storedAtMs.findIndex((time) => time >= atMs);
        expect(await opened.log.offsetAt(queue, atMs)).toBe(BigInt(first === -1 ? storedAtMs.length : first));
      }
    });

    await fc.assert(property, { numRuns: 15 });
  }, 30_000);

  test('reads a batch that is larger than a chunk, and records that are larger than a segment', async () => {
    const log = aLog(undefined, { segmentBytes: 100_000 });
    const queue = await aQueue(log);
    const sizes = [900_000, 10, 300_000, 300_000, 4_000_000, 1];
    await log.send(
      queue,
      sizes.map((size) => anOutgoingRecord({ value: new Uint8Array(size).fill(size % 251) })),
    );

    const records = await readAll(log, queue, offset(0));

    expect(records.map(({ value }) => [value?.length, value?.at(-1)])).toEqual(sizes.map((size) => [size, size % 251]));
  });
});

describe('EmbeddedLogBroker and retention', () => {
  const KILOBYTE = [anOutgoingRecord({ value: new Uint8Array(1_000) })];

  test('lets the oldest segments go beyond its bytes', async () => {
    const folder = aTemporaryFolder();
    const log = aLog(folder, { segmentBytes: 2_500, retention: { bytes: 6_000 } });
    const queue = await aQueue(log);

    for (let sent = 0; sent < 20; sent += 1) await log.send(queue, KILOBYTE);
    await log.applyRetention();

    const { min, max } = await onlyBounds(log, queue);
    expect([min, max]).toEqual([14n, 20n]);
    expect(segmentsIn(folder)).toHaveLength(3);
    expect((await readAll(log, queue, min)).map((record) => record.offset)).toEqual([14n, 15n, 16n, 17n, 18n, 19n]);
  });

  test('lets a segment go when all of it is too old, also of a queue that nobody writes to', async () => {
    const folder = aTemporaryFolder();
    const clock = new ManualClock();
    const log = aLog(folder, { clock, segmentBytes: 2_500, retention: { ageMs: 80_000 } });
    const queue = await aQueue(log);
    for (let sent = 0; sent < 5; sent += 1) {
      await log.send(queue, KILOBYTE);
      clock.advance(8_000);
    }

    clock.advance(60_000);
    await log.applyRetention();
    const some = await onlyBounds(log, queue);
    clock.advance(60_000);
    await log.applyRetention();

    expect(some).toEqual({ min: 2n, max: 5n });
    expect(await onlyBounds(log, queue)).toEqual({ min: 5n, max: 5n });
    expect(segmentsIn(folder)).toEqual([]);
    expect((await log.send(queue, KILOBYTE)).endOffset).toBe(6n);
  });

  test('removes files that a crash has left behind, and no others', async () => {
    const folder = aTemporaryFolder();
    const log = aLog(folder, { segmentBytes: 1_500 });
    const queue = await aQueue(log);
    for (let sent = 0; sent < 3; sent += 1) await log.send(queue, KILOBYTE);
    const [first = '', ...others] = segmentsIn(folder);
    await log.truncateBefore(queue, offset(1));
    writeFileSync(first, 'expired, but not removed yet');
    const ofDeleted = join(folder, 'topics', '77-deleted', '0');
    mkdirSync(ofDeleted, { recursive: true });

    await log.applyRetention();

    expect(segmentsIn(folder)).toEqual(others);
    expect(existsSync(ofDeleted)).toBe(false);
  });

  test('a read goes on behind what expires under it', async () => {
    const folder = aTemporaryFolder();
    const [reader, other] = [aLog(folder, { segmentBytes: 1_500 }), aLog(folder)];
    const queue = await aQueue(reader);
    for (let sent = 0; sent < 4; sent += 1) await reader.send(queue, KILOBYTE);
    await reader.read(queue, offset(0), { ...ALL, records: 1 });

    await other.truncateBefore(queue, offset(3));

    expect(await reader.read(queue, offset(1), ALL)).toEqual({ records: [], next: 1n, bounds: { min: 3n, max: 4n } });
    expect((await reader.read(queue, offset(3), ALL)).records).toHaveLength(1);
  });
});

interface Victim {
  readonly events: EventEmitter;
  start(): void;
  kill(): void;
}

function aProcess(args: string[]): Victim {
  const writer = aWriter(args);
  return { events: writer, start: () => writer.send('start'), kill: () => writer.kill('SIGKILL') };
}

function aThread(args: string[]): Victim {
  const writer = new Worker(WRITER, { argv: args, execArgv: [] });
  onTestFinished(() => void writer.terminate());
  return { events: writer, start: () => writer.postMessage('start'), kill: () => void writer.terminate() };
}

function aWriter(args: string[]): ChildProcess {
  const writer = fork(fileURLToPath(WRITER), args, { execArgv: [] });
  onTestFinished(() => void writer.kill('SIGKILL'));
  return writer;
}

/** `NAME/BATCH` of each batch in the log, which are whole, one behind the other, at dense offsets. */
async function batchesIn(log: LogBroker, queue: MessageQueue, records: number): Promise<readonly string[]> {
  const all = await readAll(log, queue, offset(0));
  expect(all.map((record) => record.offset)).toEqual(all.map((_, index) => BigInt(index)));
  const texts = all.map(({ value }) => textOf(value)?.trimEnd() ?? '');
  const batches: string[] = [];
  for (let at = 0; at < texts.length; at += records) {
    const batch = dirname(texts[at] ?? '');
    expect(texts.slice(at, at + records)).toEqual(Array.from({ length: records }, (_, index) => `${batch}/${index}`));
    batches.push(batch);
  }
  return batches;
}

async function onlyBounds(log: LogBroker, queue: MessageQueue): Promise<{ readonly min: Offset; readonly max: Offset }> {
  const [bounds] = await log.bounds([queue]);
  if (bounds === null || bounds === undefined) throw new Error('the queue is gone');
  return bounds;
}
