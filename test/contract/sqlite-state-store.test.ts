/** What only `SqliteStateStore` has: a file, other processes on it, and what can be wrong with both. */
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SqliteStateStore } from '../../adapters/sqlite/sqlite-state-store.ts';
import { systemClock, systemRandom } from '../../adapters/system.ts';
import type { Clock, StateStore } from '../../core/ports.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { aReadOnlyFolder, aTemporaryFolder } from '../support/temporary-folder.ts';
import { withoutPrivileges } from '../support/without-privileges.ts';

const key = { partition: 'shared', sort: 'counts' };

describe('SqliteStateStore on a shared file', () => {
  test('two instances see each other and refuse each other’s old versions', async () => {
    const path = aFile();
    const [a, b] = [aStore(path), aStore(path)];
    const first = versionOf(await a.put(key, 'of a', { ifAbsent: true }));

    const second = versionOf(await b.put(key, 'of b', { ifVersion: first }));
    const late = await a.put(key, 'late', { ifVersion: first });

    expect(late).toEqual({ conflict: true, current: { value: 'of b', version: second } });
    expect(await a.get(key)).toEqual({ value: 'of b', version: second });
  });

  test('a version of one instance never returns from another that creates the document again', async () => {
    const path = aFile();
    const stores = [aStore(path), aStore(path), aStore(path)];
    const versions: string[] = [];
    for (const store of [...stores, ...stores]) {
      const version = versionOf(await store.put(key, 'same', { ifAbsent: true }));
      versions.push(version);
      await store.delete(key, { ifVersion: version });
    }

    expect(new Set(versions).size).toBe(versions.length);
  });

  test('documents outlive the process, and a closed store leaves one file', async () => {
    const path = aFile();
    const before = new SqliteStateStore({ path, clock: systemClock, random: systemRandom });
    const version = versionOf(await before.put(key, 'kept', { ifAbsent: true }));
    before.close();

    const leftOver = existsSync(`${path}-wal`);
    const after = aStore(path);

    expect(leftOver).toBe(false);
    expect(await after.get(key)).toEqual({ value: 'kept', version });
  });

  test('of several processes that open a new file and race, one is killed: no acknowledged write is lost', async () => {
    const path = aFile();
    const target = 300;
    const writers = ['a', 'b', 'c'].map((name) => aWriter([path, name, String(target)]));
    const victim = aWriter([path, 'victim']);
    const acknowledged = { victim: 0 };
    victim.on('message', (message) => {
      if (typeof message === 'number') acknowledged.victim = message;
      if (message === 100) victim.kill('SIGKILL');
    });
    const all = [...writers, victim];
    await Promise.all(all.map((writer) => once(writer, 'message')));

    const ends = all.map((writer) => once(writer, 'exit'));
    for (const writer of all) writer.send('start');
    const exits = await Promise.all(ends);

    const counts = JSON.parse((await aStore(path).get(key))?.value ?? '{}') as Record<string, number>;
    expect(exits).toEqual([
      [0, null],
      [0, null],
      [0, null],
      [null, 'SIGKILL'],
    ]);
    expect(counts).toMatchObject({ a: target, b: target, c: target });
    expect(counts['victim']).toBeGreaterThanOrEqual(acknowledged.victim);
    expect(acknowledged.victim).toBeGreaterThanOrEqual(100);
    expect(integrityOf(path)).toBe('ok');
  }, 30_000);
});

describe('SqliteStateStore on a busy file', () => {
  test('waits while another process holds the file', async () => {
    const path = aFile();
    const holder = aHolder(path);
    const clock = aClock({ onSleep: (sleeps) => sleeps === 3 && holder.exec('ROLLBACK') });
    const store = aStore(path, clock);
    holder.exec('BEGIN IMMEDIATE');

    const answer = await store.put(key, 'after all', { ifAbsent: true });

    expect(await store.get(key)).toEqual({ value: 'after all', version: versionOf(answer) });
  });

  test('reads while another process holds the file', async () => {
    const path = aFile();
    const holder = aHolder(path);
    const store = aStore(path, aClock({ onSleep: () => expect.unreachable('a read waits for nobody') }));
    const version = versionOf(await store.put(key, 'here', { ifAbsent: true }));
    holder.exec('BEGIN IMMEDIATE');

    expect(await store.get(key)).toEqual({ value: 'here', version });
  });

  test('gives up after five seconds with an error that may be retried and names the file', async () => {
    const path = aFile();
    const holder = aHolder(path);
    const sleptMs: number[] = [];
    const store = aStore(path, aClock({ onSleep: (_, durationMs) => sleptMs.push(durationMs) }));
    holder.exec('BEGIN IMMEDIATE');

    const put = store.put(key, 'never', { ifAbsent: true });

    await expect(put).rejects.toMatchObject({
      name: 'RetryableError',
      code: 'store.unavailable',
      message: expect.stringContaining(path),
    });
    expect(sleptMs.reduce((sum, ms) => sum + ms, 0)).toBe(5_000);
  });
});

describe('SqliteStateStore and its write-ahead log', () => {
  test('keeps the log small when all writers are short-lived and one reader stays', async () => {
    const path = aFile();
    const reader = aStore(path);
    const characters = 250_000;
    const writers = 5;
    const writesEach = 30; // 3,700 pages: each writer ends before its own writes would make it look after the log

    for (let writer = 0; writer < writers; writer += 1) {
      const store = new SqliteStateStore({ path, clock: systemClock, random: systemRandom });
      for (let write = 0; write < writesEach; write += 1) {
        const version = (await store.get(key))?.version;
        // Another text each time: pages that stay equal are not written.
        const value = String(write % 10).repeat(characters);
        await store.put(key, value, version === undefined ? { ifAbsent: true } : { ifVersion: version });
      }
      store.close();
    }

    expect((await reader.get(key))?.value).toHaveLength(characters);
    expect(statSync(`${path}-wal`).size).toBeLessThan((writers * writesEach * characters) / 3);
  });
});

describe('SqliteStateStore and expired documents', () => {
  test('removes them from the file while others are written', async () => {
    const path = aFile();
    const clock = new ManualClock();
    const store = aStore(path, clock);
    for (let index = 0; index < 400; index += 1) {
      const options = { expiresAtMs: clock.nowMs() + 1_000 };
      await store.put({ partition: 'runs', sort: String(index) }, 'run', { ifAbsent: true }, options);
    }
    clock.advance(1_000);

    for (let index = 0; index < 300; index += 1) {
      await store.put({ partition: 'cursors', sort: String(index) }, 'cursor', { ifAbsent: true });
    }

    const database = aRawDatabase(path);
    expect(database.prepare('SELECT partition, count(*) AS documents FROM document GROUP BY partition').all()).toEqual([
      { partition: 'cursors', documents: 300 },
    ]);
  });
});

describe('SqliteStateStore on a wrong file', () => {
  test('refuses a file that is no database, by path and with the next step', () => {
    const path = aFile();
    writeFileSync(path, 'this is a text, and long enough to be told from an empty file '.repeat(100));

    expect(() => aStore(path)).toThrow(refusal('store.unusable', path));
  });

  test('refuses the database of another application and leaves it as it is', () => {
    const path = aFile();
    const database = aRawDatabase(path);
    database.exec('CREATE TABLE theirs (id INTEGER)');
    const before = readFileSync(path);

    expect(() => aStore(path)).toThrow(refusal('store.unusable', path));
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('refuses a newer schema, by path and with the next step, and leaves it as it is', () => {
    const path = aFile();
    new SqliteStateStore({ path, clock: systemClock, random: systemRandom }).close();
    const database = aRawDatabase(path);
    database.exec('PRAGMA user_version = 99');
    database.close();
    const before = readFileSync(path);

    expect(() => aStore(path)).toThrow(refusal('store.document_newer', path));
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('refuses to answer from a damaged file', async () => {
    const path = aFile();
    const before = new SqliteStateStore({ path, clock: systemClock, random: systemRandom });
    await before.put(key, 'x'.repeat(10_000), { ifAbsent: true });
    before.close();
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0xff, 2_048));

    const store = aStore(path);

    await expect(store.get(key)).rejects.toThrow(refusal('store.unusable', path));
  });

  test('refuses a path in a folder that does not exist', () => {
    const path = join(aTemporaryFolder(), 'missing', 'state.db');

    expect(() => aStore(path)).toThrow(refusal('store.unusable', path));
  });

  test('refuses a path below a file', () => {
    const file = aFile();
    writeFileSync(file, '');
    const path = join(file, 'state.db');

    expect(() => aStore(path)).toThrow(refusal('store.unusable', path));
  });

  test('refuses a folder that it may not write to', async () => {
    const folder = aReadOnlyFolder();
    const path = join(folder, 'state.db');

    const opening = withoutPrivileges(() => aStore(path));

    await expect(opening).rejects.toThrow(refusal('store.unusable', path));
  });

  test('a file that cannot grow is an error that may be retried, and keeps every acknowledged write', async () => {
    const path = aFile();
    const script = fileURLToPath(new URL('../support/filling-writer.ts', import.meta.url));
    // The largest file this process may write is 400 blocks of 512 bytes; the signal that says so is ignored.
    const limited = `trap '' XFSZ; ulimit -f 400; exec "$0" "$1" "$2"`;

    const output = execFileSync('/bin/sh', ['-c', limited, process.execPath, script, path], { encoding: 'utf8' });

    const { written, refusal: why } = JSON.parse(output) as { written: number; refusal: unknown };
    const documents = await aStore(path).list('filling', { limit: 1_000 });
    expect(why).toEqual({ name: 'RetryableError', code: 'store.unavailable', message: expect.stringContaining(path) });
    expect(written).toBeGreaterThan(10);
    expect(documents.documents).toHaveLength(written);
    expect(integrityOf(path)).toBe('ok');
  });
});

function refusal(code: string, path: string): unknown {
  return expect.objectContaining({
    name: 'FatalTaskError',
    code,
    message: expect.stringMatching(new RegExp(`${path}.*next: `)),
  });
}

function aFile(): string {
  return join(aTemporaryFolder(), 'state.db');
}

function aStore(path: string, clock: Clock = systemClock): StateStore {
  const store = new SqliteStateStore({ path, clock, random: systemRandom });
  onTestFinished(() => store.close());
  return store;
}

/** A process of somebody else that works on a store's file. */
function aHolder(path: string): DatabaseSync {
  aStore(path);
  return aRawDatabase(path);
}

function aRawDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  onTestFinished(() => {
    if (database.isOpen) database.close();
  });
  return database;
}

/** Real time, but sleeps end at once. */
function aClock({ onSleep }: { onSleep(sleeps: number, durationMs: number): unknown }): Clock {
  let sleeps = 0;
  return {
    ...systemClock,
    async sleep(durationMs) {
      sleeps += 1;
      onSleep(sleeps, durationMs);
    },
  };
}

function aWriter(args: string[]): ChildProcess {
  const script = fileURLToPath(new URL('../support/counting-writer.ts', import.meta.url));
  const writer = fork(script, args, { execArgv: [] });
  onTestFinished(() => void writer.kill('SIGKILL'));
  return writer;
}

function integrityOf(path: string): unknown {
  return aRawDatabase(path).prepare('PRAGMA integrity_check').get()?.['integrity_check'];
}

function versionOf(answer: Awaited<ReturnType<StateStore['put']>>): string {
  if ('conflict' in answer) throw new Error(`conflict with ${JSON.stringify(answer.current)}`);
  return answer.version;
}
