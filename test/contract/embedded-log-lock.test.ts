/** The lock under which processes and threads append to an embedded log: how long it is held, and by whom. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { EmbeddedLogBrokerDeps } from '../../adapters/embedded-log/embedded-log-broker.ts';
import { systemClock } from '../../adapters/system.ts';
import type { Clock } from '../../core/ports.ts';
import { aLog, aQueue, openLog, segmentsIn } from '../support/embedded-logs.ts';
import { outgoing } from '../support/log-records.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const FSYNCS: readonly (readonly [name: string, fsync: NonNullable<EmbeddedLogBrokerDeps['fsync']>])[] = [
  ['group', 'group'],
  ['interval', { intervalMs: 1 }],
];

/** Enough for several segments of the size that the tests give them. */
const SENDS = 20;
const SMALL_SEGMENTS = { segmentBytes: 1_000, retention: { bytes: 2_000 } } as const;

describe('EmbeddedLogBroker and whoever never lets go of its thread', () => {
  test.each(FSYNCS)(
    'keeps no other sender waiting: with %s it holds its lock in no turn in which others run',
    async (_, fsync) => {
      const folder = aTemporaryFolder();
      const log = aLog(folder, { ...SMALL_SEGMENTS, fsync });
      await log.ensureTopic('orders', { queues: 3 });
      const queues = await log.queues('orders');

      const work = Promise.all(
        queues.map(async (queue) => {
          for (let sent = 0; sent < SENDS; sent += 1) await log.send(queue, outgoing('a'.repeat(200)));
        }),
      );
      const turns = await turnsWithLock(
        folder,
        work.then(() => log.applyRetention()),
      );

      expect(turns.all).toBeGreaterThan(SENDS);
      expect(turns.locked).toBe(0);
    },
  );

  test('nor does it while it cuts back a torn end', async () => {
    const folder = aTemporaryFolder();
    await using written = openLog(folder);
    for (const text of ['a', 'b']) await written.log.send(await aQueue(written.log), outgoing(text.repeat(2_000_000)));
    const [path = ''] = segmentsIn(folder);
    truncateSync(path, 3_000_000);
    const log = aLog(folder);
    const queue = await aQueue(log);

    const turns = await turnsWithLock(folder, log.bounds([queue]));

    expect(await log.bounds([queue])).toEqual([{ min: 0n, max: 1n }]);
    expect(turns.all).toBeGreaterThan(3);
    expect(turns.locked).toBe(0);
  });
});

describe('EmbeddedLogBroker whose lock another program keeps', () => {
  test('gives up after ten seconds, names who keeps it, and appends once it is free', async () => {
    const folder = aTemporaryFolder();
    let sleptMs = 0;
    const sleep: Clock['sleep'] = async (durationMs) => {
      sleptMs += durationMs;
    };
    const log = aLog(folder, { clock: { ...systemClock, sleep } });
    const queue = await aQueue(log);
    const holder = await aHolder(join(folder, 'log.db'));

    const refusal: unknown = await log.send(queue, outgoing('a')).catch((error: unknown) => error);
    const waitedMs = sleptMs;
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const { endOffset } = await log.send(queue, outgoing('b'));

    expect(refusal).toMatchObject({
      name: 'RetryableError',
      code: 'broker.unavailable',
      message: expect.stringMatching(new RegExp(`${folder}.* is kept busy by ${nameOf(holder)}; next: .* end `)),
    });
    expect(waitedMs).toBe(10_000);
    expect(endOffset).toBe(1n);
  });
});

/** Another program that is in the middle of a transaction on the database. */
async function aHolder(path: string): Promise<ChildProcess> {
  const script = `
    const database = new (require('node:sqlite').DatabaseSync)(process.argv[1]);
    database.exec('BEGIN IMMEDIATE');
    process.send('locked');
    setInterval(() => database, 1_000);
  `;
  const holder = spawn(process.execPath, ['-e', script, path], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  onTestFinished(() => void holder.kill('SIGKILL'));
  await once(holder, 'message');
  return holder;
}

function nameOf({ pid }: ChildProcess): string {
  return process.platform === 'linux' ? `process ${pid}` : 'another program';
}

/** Turns of the event loop until `work` is done, and in how many of them the log was locked. */
async function turnsWithLock(folder: string, work: Promise<unknown>): Promise<{ readonly all: number; readonly locked: number }> {
  const other = new DatabaseSync(join(folder, 'log.db'));
  onTestFinished(() => other.close());
  const turns = { all: 0, locked: 0, isOver: false };
  const end = work.finally(() => {
    turns.isOver = true;
  });
  while (!turns.isOver) {
    turns.all += 1;
    if (isLocked(other)) turns.locked += 1;
    await setImmediate();
  }
  await end;
  return turns;
}

function isLocked(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN IMMEDIATE; ROLLBACK');
    return false;
  } catch {
    return true;
  }
}
