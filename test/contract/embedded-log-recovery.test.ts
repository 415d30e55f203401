/** What a loss of power, a full disk or a fault leaves of an embedded log, and what becomes of it. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BATCH_HEADER_BYTES, RECORD_PREFIX_BYTES, readBatchHeader, stampBatch } from '../../adapters/embedded-log/batch-codec.ts';
import { assert } from '../../core/assert.ts';
import { offset } from '../../core/offset.ts';
import { aLog, aQueue, copyFolder, lengthsIn, openLog, segmentsIn } from '../support/embedded-logs.ts';
import { outgoing, textOf } from '../support/log-records.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { aReadOnlyFolder, aTemporaryFolder } from '../support/temporary-folder.ts';
import { withoutPrivileges } from '../support/without-privileges.ts';
import { ALL, readAll } from './log-broker/log-under-test.ts';

describe('EmbeddedLogBroker after a loss of power', () => {
  test('goes on from any state of what was not synced', async () => {
    const { folder, syncedDatabase, syncedRecords, records, bytes, syncedBytes } = await aHalfSyncedLog();
    const copies = aTemporaryFolder();
    let copy = 0;

    // The database may have kept more than the files, or have lost what it had not synced itself.
    const property = fc.asyncProperty(fc.array(aDamage, { maxLength: 4 }), fc.boolean(), async (damages, isDatabaseOld) => {
      copy += 1;
      const lost = join(copies, String(copy));
      copyFolder(folder, lost);
      if (isDatabaseOld) for (const name of DATABASE_FILES) copyFileSync(join(syncedDatabase, name), join(lost, name));
      for (const damage of damages) damageFile(lastSegmentIn(lost), { ...damage, from: syncedBytes, to: bytes });

      await using opened = openLog(lost);
      const queue = await aQueue(opened.log);
      const found = (await readAll(opened.log, queue, offset(0))).map(({ value }) => textOf(value));
      await opened.log.send(queue, outgoing('after'));
      await using again = openLog(lost);
      const afterwards = (await readAll(again.log, queue, offset(0))).map(({ value }) => textOf(value));

      expect(found).toEqual(records.slice(0, found.length));
      expect(found.length).toBeGreaterThanOrEqual(syncedRecords);
      if (isDatabaseOld) expect(found.length).toBe(syncedRecords);
      const isCut = !isDatabaseOld && found.length < records.length;
      expect(opened.telemetry.logs.map(({ level }) => level)).toEqual(isCut ? ['warn'] : []);
      expect(afterwards).toEqual([...found, 'after']);
      expect(again.telemetry.logs).toEqual([]);
    });

    await fc.assert(property, { numRuns: 40 });
  }, 60_000);

  test('knows nothing of bytes behind what was acknowledged, whatever they are', async () => {
    const { folder, path } = await aSyncedLog(['a'], ['b']);
    const garbage = readFileSync(path); // whole batches, even
    writeFileSync(path, garbage, { flag: 'a' });

    await using opened = openLog(folder);
    const queue = await aQueue(opened.log);
    const { endOffset } = await opened.log.send(queue, outgoing('c'));

    expect(endOffset).toBe(3n);
    expect((await readAll(opened.log, queue, offset(0))).map(({ value }) => textOf(value))).toEqual(['a', 'b', 'c']);
    expect(opened.telemetry.logs).toEqual([]);
  });
});

describe('EmbeddedLogBroker with a torn end', () => {
  const TEARS: readonly (readonly [how: string, tear: (path: string, lastBatchAt: number) => void])[] = [
    ['is cut off', (path) => truncateSync(path, statSync(path).size - 1)],
    ['has lost its last batch', (path, lastBatchAt) => truncateSync(path, lastBatchAt)],
    ['has a changed byte in its last body', (path) => flipByte(path, statSync(path).size - 1)],
    ['has a changed byte in its last header', (path, lastBatchAt) => flipByte(path, lastBatchAt + 9)],
    ['has zeros instead of its last batch', (path, at) => writeFileSync(path, readFileSync(path).fill(0, at))],
  ];

  for (const [how, tear] of TEARS) {
    test(`cuts back to the last whole batch and says what was cut, where the file ${how}`, async () => {
      const { folder, path, lastBatchAt } = await aSyncedLog(['a', 'b'], ['c'], ['d', 'e', 'f']);
      tear(path, lastBatchAt);

      await using opened = openLog(folder);
      const queue = await aQueue(opened.log);
      const bounds = await opened.log.bounds([queue]);
      const { endOffset } = await opened.log.send(queue, outgoing('g'));

      expect(bounds).toEqual([{ min: 0n, max: 3n }]);
      expect(endOffset).toBe(4n);
      expect((await readAll(opened.log, queue, offset(0))).map(({ value }) => textOf(value))).toEqual(['a', 'b', 'c', 'g']);
      expect(opened.telemetry.logs).toMatchObject([
        { level: 'warn', fields: { queue: 'orders/embedded/0', path, position: lastBatchAt, offset: '3', lostRecords: 3 } },
      ]);
    });
  }
});

describe('EmbeddedLogBroker on damaged or strange files', () => {
  test('refuses a batch in the middle that is not what was written, and reads what lies before it', async () => {
    const { folder, path } = await aSyncedLog(['a'], ['b'], ['c']);
    const position = batchAt(path, 1);
    flipByte(path, position + BATCH_HEADER_BYTES + RECORD_PREFIX_BYTES);
    const log = aLog(folder);
    const queue = await aQueue(log);

    const { records } = await log.read(queue, offset(0), ALL);

    expect(records.map(({ value }) => textOf(value))).toEqual(['a']);
    await expect(log.read(queue, offset(1), ALL)).rejects.toThrow(refusal('log.damaged', path, position));
  });

  test('refuses a batch in the middle whose header is not what was written, from wherever one comes', async () => {
    const { folder, path } = await aSyncedLog(['a'], ['b'], ['c']);
    const position = batchAt(path, 1);
    flipByte(path, position + 16);
    const log = aLog(folder);
    const queue = await aQueue(log);

    for (const at of [1, 2]) {
      await expect(log.read(queue, offset(at), ALL)).rejects.toThrow(refusal('log.damaged', path, position));
    }
  });

  test('does not cut back to a damaged batch that whole ones follow', async () => {
    const { folder, path } = await aSyncedLog(['a'], ['b'], ['c'], ['d']);
    const position = batchAt(path, 1);
    flipByte(path, position + BATCH_HEADER_BYTES + RECORD_PREFIX_BYTES);
    truncateSync(path, statSync(path).size - 1);
    const log = aLog(folder);
    const queue = await aQueue(log);

    for (const use of [() => log.send(queue, outgoing('e')), () => log.read(queue, offset(0), ALL)]) {
      await expect(use()).rejects.toThrow(refusal('log.damaged', path, position));
    }
    expect(await log.bounds([queue])).toEqual([{ min: 0n, max: 4n }]);
  });

  test('refuses a queue whose file is missing, and serves the others', async () => {
    const { folder, path } = await aSyncedLog(['a']);
    rmSync(path);
    const log = aLog(folder);
    const queue = await aQueue(log);
    const other = await aQueue(log, 'other');

    await expect(log.read(queue, offset(0), ALL)).rejects.toThrow(refusal('log.damaged', path, 0));
    expect(await log.send(other, outgoing('a'))).toEqual({ endOffset: 1n, refused: [] });
  });

  test('refuses a sealed segment that is missing', async () => {
    const { folder, paths } = await aSyncedLog(['a'.repeat(200)], ['b'.repeat(200)]);
    rmSync(paths[0] ?? '');
    const log = aLog(folder);
    const queue = await aQueue(log);

    await expect(log.read(queue, offset(0), ALL)).rejects.toThrow(refusal('log.damaged', paths[0] ?? '', 0));
    expect((await log.read(queue, offset(1), ALL)).records).toHaveLength(1);
  });

  test('refuses a batch of a newer format', async () => {
    const { folder, path } = await aSyncedLog(['a']);
    const batch = readFileSync(path);
    const header = readBatchHeader(batch, 0);
    assert(header !== null, 'the file begins with a batch');
    batch.writeUInt8(2, 4);
    stampBatch(batch, header);
    writeFileSync(path, batch);
    const log = aLog(folder);

    await expect(log.read(await aQueue(log), offset(0), ALL)).rejects.toThrow(refusal('log.newer', path, 0));
  });

  test('refuses a newer schema, by path and with the next step', async () => {
    const { folder } = await aSyncedLog(['a']);
    const path = join(folder, 'log.db');
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 99');
    database.close();

    expect(() => openLog(folder)).toThrow(refusal('log.newer', path));
  });

  test('refuses to begin anew beside the records of a log whose database is gone', async () => {
    const { folder, path } = await aSyncedLog(['a']);
    const database = join(folder, 'log.db');
    rmSync(database);

    expect(() => openLog(folder)).toThrow(refusal('log.damaged', database));
    expect(existsSync(path)).toBe(true);
  });

  test('refuses the database of another application', () => {
    const folder = aTemporaryFolder();
    const path = join(folder, 'log.db');
    const database = new DatabaseSync(path);
    database.exec('CREATE TABLE theirs (id INTEGER)');
    database.close();

    expect(() => openLog(folder)).toThrow(refusal('log.unusable', path));
  });
});

describe('EmbeddedLogBroker on a disk that refuses', () => {
  test('refuses a folder below a file', () => {
    const file = join(aTemporaryFolder(), 'file');
    writeFileSync(file, '');
    const folder = join(file, 'log');

    expect(() => openLog(folder)).toThrow(refusal('log.unusable', folder));
  });

  test('refuses a folder that it may not write to', async () => {
    const folder = aReadOnlyFolder();

    const opening = withoutPrivileges(() => openLog(folder));

    await expect(opening).rejects.toThrow(refusal('log.unusable', folder));
  });

  test('a file that cannot grow is an error that may be retried, and keeps every acknowledged record', async () => {
    const folder = aTemporaryFolder();

    const output = withFilesUpTo(400_000, new URL('../support/filling-appender.ts', import.meta.url), folder);

    const { acknowledged, refusal: why } = JSON.parse(output) as { acknowledged: number; refusal: unknown };
    await using opened = openLog(folder);
    const queue = await aQueue(opened.log, 'filling');
    const found = await readAll(opened.log, queue, offset(0));
    const { endOffset } = await opened.log.send(queue, outgoing('there is space again'));
    expect(why).toEqual({
      name: 'RetryableError',
      code: 'broker.unavailable',
      message: expect.stringMatching(new RegExp(`${folder}.*next: free space`)),
    });
    expect(acknowledged).toBeGreaterThan(10);
    expect(found.map(({ value }) => value?.[0])).toEqual(Array.from({ length: acknowledged }, (_, index) => index % 256));
    expect(endOffset).toBe(BigInt(acknowledged + 1));
    expect(opened.telemetry.logs).toEqual([]);
  }, 30_000);

  test('a database that cannot grow fails the next write, and none that was done', async () => {
    const folder = aTemporaryFolder();
    {
      await using small = openLog(folder);
      await small.log.ensureTopic('before'.padEnd(LARGE_NAME_CHARACTERS), { queues: 1 });
    }
    const path = join(folder, 'log.db');

    // Enough for what is appended to the write-ahead log, and too little for a database that has taken it in.
    const output = withFilesUpTo(
      Math.ceil(1.2 * statSync(path).size),
      new URL('../support/growing-database.ts', import.meta.url),
      folder,
      String(LARGE_NAME_CHARACTERS),
    );
    await using opened = openLog(folder);

    const { created, topics } = JSON.parse(output) as { created: unknown; topics: unknown };
    const refusal = {
      name: 'RetryableError',
      code: 'broker.unavailable',
      message: expect.stringMatching(new RegExp(`${path}.*next: check its disk, and that there is space`)),
    };
    expect(created).toEqual(['created', refusal, 'created']);
    expect(topics).toEqual(['before', 'large', 'last']);
    expect((await opened.log.topics()).map((name) => name.trimEnd())).toEqual(topics);
  }, 30_000);
});

/** A name is stored twice: as much as moves from the write-ahead log into the database at once, and a little more. */
const LARGE_NAME_CHARACTERS = 4_200_000;

const DATABASE_FILES = ['log.db', 'log.db-wal', 'log.db-shm'];

/** What became of some bytes behind the last sync: where (as a share of them), and how many there were. */
interface Damage {
  readonly kind: 'truncate' | 'zero' | 'garble';
  readonly at: number;
  readonly bytes: number;
}

const aDamage: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constantFrom('truncate', 'zero', 'garble'),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  bytes: fc.integer({ min: 1, max: 600 }),
});

function damageFile(path: string, { kind, at, bytes, from, to }: Damage & { readonly from: number; readonly to: number }): void {
  const content = readFileSync(path);
  const start = Math.min(content.length, Math.floor(from + at * (to - from)));
  if (kind === 'truncate') truncateSync(path, start);
  else writeFileSync(path, content.fill(kind === 'zero' ? 0 : 0xa5, start, Math.min(content.length, start + bytes)));
}

/** A log as it lies on disk while nothing was synced for a while. All its records are acknowledged. */
async function aHalfSyncedLog() {
  const folder = join(aTemporaryFolder(), 'log');
  const clock = new ManualClock();
  const texts = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `record ${from + index}`);
  const settings = { clock, fsync: { intervalMs: 1_000 }, segmentBytes: 2_000 } as const;
  {
    await using synced = openLog(folder, settings);
    const queue = await aQueue(synced.log);
    for (let from = 0; from < 60; from += 4) await synced.log.send(queue, outgoing(...texts(from, from + 4)));
  }
  await using unsynced = openLog(folder, settings);
  const queue = await aQueue(unsynced.log);
  const syncedDatabase = join(aTemporaryFolder(), 'log');
  copyFolder(folder, syncedDatabase);
  for (let from = 60; from < 81; from += 3) await unsynced.log.send(queue, outgoing(...texts(from, from + 3)));
  const copy = join(aTemporaryFolder(), 'log');
  copyFolder(folder, copy);
  const lengths = lengthsIn(copy);
  assert(lengths.syncedBytes > 0 && lengths.syncedBytes < lengths.bytes, 'the last segment is synced in part');
  return { folder: copy, syncedDatabase, syncedRecords: 60, records: texts(0, 81), ...lengths };
}

/** A closed log of one queue with these batches, in segments of some 300 bytes. */
async function aSyncedLog(...batches: readonly (readonly string[])[]) {
  const folder = aTemporaryFolder();
  await using opened = openLog(folder, { segmentBytes: 400 });
  const queue = await aQueue(opened.log);
  for (const texts of batches) await opened.log.send(queue, outgoing(...texts));
  const paths = segmentsIn(folder);
  const path = paths.at(-1) ?? '';
  return { folder, path, paths, lastBatchAt: batchAt(path, -1) };
}

/** Where a batch of a file begins; -1 is the last one. */
function batchAt(path: string, index: number): number {
  const content = readFileSync(path);
  const positions: number[] = [];
  for (let at = 0; at < content.length; ) {
    positions.push(at);
    at += readBatchHeader(content, at)?.bytes ?? Number.POSITIVE_INFINITY;
  }
  return positions.at(index) ?? Number.NaN;
}

/** What a script prints whose files may have so many bytes, and no more; the signal that says so is ignored. */
function withFilesUpTo(bytes: number, script: URL, ...args: readonly string[]): string {
  const limited = `trap '' XFSZ; ulimit -f ${Math.ceil(bytes / 512)}; exec "$0" "$@"`;
  return execFileSync('/bin/sh', ['-c', limited, process.execPath, fileURLToPath(script), ...args], { encoding: 'utf8' });
}

function lastSegmentIn(folder: string): string {
  return segmentsIn(folder).at(-1) ?? '';
}

function flipByte(path: string, at: number): void {
  const content = readFileSync(path);
  content.writeUInt8(content.readUInt8(at) ^ 0xff, at);
  writeFileSync(path, content);
}

function refusal(code: string, path: string, position?: number): unknown {
  const where = position === undefined ? '' : `.*byte ${position}\\b`;
  return expect.objectContaining({
    name: 'FatalTaskError',
    code,
    message: expect.stringMatching(new RegExp(`${path}${where}.*next: `)),
  });
}
