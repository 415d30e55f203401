import { appendFileSync, mkdirSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FatalTaskError, RecordError, RetryableError } from '../../../../core/errors.ts';
import type { Json } from '../../../../core/json.ts';
import type { CancelSignal, Clock } from '../../../../core/ports.ts';
import { formatPosition } from '../../../../core/record/position.ts';
import type { PolledRecord, PollLimits, PollResult, SourceReader } from '../../../../plugins/api/source.ts';
import { fileSource } from '../../../../plugins/sources/file-source.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { aPluginContext } from '../../../support/plugin-context.ts';
import { RunningClock } from '../../../support/running-clock.ts';
import { aTemporaryFolder } from '../../../support/temporary-folder.ts';

const LIMITS: PollLimits = { records: 100, bytes: 1_000_000, waitMs: 0 };
const NEVER = new AbortController().signal;

describe('fileSource', () => {
  test('waits for the end of the last line', async () => {
    const file = aFile('one\ntwo\nthr');
    const reader = await open({ file });

    const before = await readAll(reader);
    appendFileSync(file, 'ee\n');

    expect([before, await readAll(reader)]).toEqual([['one', 'two'], ['three']]);
  });

  test('sends a last line without its end once the file has been quiet for so long', async () => {
    const file = aFile('one\ntwo');
    const clock = new ManualClock();
    const reader = await open({ file, keys: { 'line.quiet.ms': '1000' }, clock });
    utimesSync(file, clock.nowMs() / 1_000, clock.nowMs() / 1_000);

    const before = await readAll(reader);
    clock.advance(1_000);
    const quiet = await readAll(reader);
    appendFileSync(file, '\nthree\n');

    expect([before, quiet, await readAll(reader)]).toEqual([['one'], ['two'], ['three']]);
  });

  test('reads a rotated file to its end, then the one that took its place from its beginning', async () => {
    const file = aFile('a1\na2\n');
    const reader = await open({ file });
    const first = await readAll(reader);

    renameSync(file, `${file}.1`);
    appendFileSync(`${file}.1`, 'a3\n');
    const between = await readAll(reader);
    writeFileSync(file, '');
    appendFileSync(`${file}.1`, 'a4\nend');
    const late = await readAll(reader);
    appendFileSync(file, 'b1\n');

    expect([first, between, late, await readAll(reader)]).toEqual([['a1', 'a2'], ['a3'], ['a4'], ['end', 'b1']]);
  });

  test('finds the rotated file again after a restart, and all that were rotated since', async () => {
    const file = aFile('a1\na2\n');
    const { checkpoint } = await (await open({ file })).poll({ ...LIMITS, records: 1 }, NEVER);
    rotate(file, ['b1'], { atS: 100 });
    rotate(file, ['c1'], { atS: 200 });

    const records = recordsOf(await pollToRest(await open({ file, checkpoint })));

    expect(records.map(text)).toEqual(['a2', 'b1', 'c1']);
    expect(records.map(({ position }) => position?.slice(0, 2))).toEqual([
      [0n, 6n],
      [1n, 3n],
      [2n, 3n],
    ]);
  });

  test('takes no other file for a rotated one because its name begins alike', async () => {
    const file = aFile('a1\n');
    const { checkpoint } = await (await open({ file })).poll(LIMITS, NEVER);
    rotate(file, ['b1'], { atS: 100 });
    for (const other of ['.json', '2', '-errors', '.1.gz']) {
      writeFileSync(`${file}${other}`, 'other\n');
      utimesSync(`${file}${other}`, 150, 150);
    }
    rotate(file, ['c1'], { atS: 200 });

    const records = recordsOf(await pollToRest(await open({ file, checkpoint })));

    expect(records.map(text)).toEqual(['b1', 'c1']);
  });

  test('begins anew, and says so, where what it has read was replaced and is gone', async () => {
    const file = aFile('a1\na2\n');
    const { checkpoint } = await (await open({ file })).poll(LIMITS, NEVER);
    writeFileSync(`${file}.new`, 'b1\n');
    rmSync(file);
    renameSync(`${file}.new`, file);
    const warnings: string[] = [];

    const records = await readAll(await open({ file, checkpoint, warnings }));

    expect(records).toEqual(['b1']);
    expect(warnings).toEqual([expect.stringContaining(`${file} was `)]);
  });

  test('notices that a file was truncated, and reads it from its beginning', async () => {
    const file = aFile('a1\na2\n');
    const reader = await open({ file });
    await readAll(reader);

    truncateSync(file);
    const empty = await readAll(reader);
    appendFileSync(file, 'b1\n');

    const { records } = await reader.poll(LIMITS, NEVER);
    expect([empty, records.map(text)]).toEqual([[], ['b1']]);
    expect(records[0]?.position?.slice(0, 2)).toEqual([1n, 3n]);
  });

  test('notices that a truncated file has grown beyond where it was read', async () => {
    const file = aFile('a1\na2\n');
    const reader = await open({ file });
    const { checkpoint } = await reader.poll(LIMITS, NEVER);

    writeFileSync(file, 'b1\nb2\nb3\n');

    const cold = await open({ file, checkpoint });
    expect([await readAll(reader), await readAll(cold)]).toEqual([
      ['b1', 'b2', 'b3'],
      ['b1', 'b2', 'b3'],
    ]);
  });

  test('notices that a file was written anew under the same long heading, and has grown beyond where it was read', async () => {
    const heading = `${'-'.repeat(1_000)}\n`;
    const file = aFile(`${heading}a1\na2\n`);
    const reader = await open({ file });
    const { checkpoint } = await reader.poll(LIMITS, NEVER);

    writeFileSync(file, `${heading}b1\nb2\nb3\n`);

    const cold = await open({ file, checkpoint });
    expect((await readAll(reader)).slice(1)).toEqual(['b1', 'b2', 'b3']);
    expect((await readAll(cold)).slice(1)).toEqual(['b1', 'b2', 'b3']);
  });

  test('notices that a file was written anew right after it was read from', async () => {
    const file = aFile('a1\na2\n');
    const reader = await open({ file });
    let looks = 0;
    const rewriting: CancelSignal = {
      get aborted() {
        looks += 1;
        if (looks === 2) writeFileSync(file, 'b1\nb2\nb3\n');
        return false;
      },
      addEventListener: () => undefined,
      removeEventListener: () => undefined,
    };

    const { records, checkpoint } = await reader.poll({ ...LIMITS, records: 2 }, rewriting);

    const cold = await open({ file, checkpoint });
    expect(records.map(text)).toEqual(['a1', 'a2']);
    expect([await readAll(reader), await readAll(cold)]).toEqual([
      ['b1', 'b2', 'b3'],
      ['b1', 'b2', 'b3'],
    ]);
  });

  test('does not join the beginning of a line with what came in its place', async () => {
    const file = aFile('half a line');
    const reader = await open({ file });
    await readAll(reader);

    writeFileSync(file, 'another line\n');

    expect(await readAll(reader)).toEqual(['another line']);
  });

  test('gives lines places of their own where a file was truncated twice before anything was committed', async () => {
    const file = aFile('a1\n');
    const { checkpoint } = await (await open({ file })).poll(LIMITS, NEVER);
    const polled = async () => recordsOf(await pollToRest(await open({ file, checkpoint })));

    writeFileSync(file, 'b1\n');
    const first = await polled();
    const again = await polled();
    writeFileSync(file, 'c1\n');
    const second = await polled();

    expect([...first, ...again, ...second].map(text)).toEqual(['b1', 'b1', 'c1']);
    expect(again[0]?.position).toEqual(first[0]?.position);
    expect(second[0]?.position).not.toEqual(first[0]?.position);
  });

  test('gives them places of their own, too, where a file was replaced twice and nothing is left of what it was', async () => {
    const file = aFile('a1\n');
    const { checkpoint } = await (await open({ file })).poll(LIMITS, NEVER);
    const polledAfter = async (content: string) => {
      writeFileSync(`${file}.new`, content);
      renameSync(`${file}.new`, file);
      return recordsOf(await pollToRest(await open({ file, checkpoint })));
    };

    const [first] = await polledAfter('b1\n');
    const [second] = await polledAfter('c1\n');

    expect([first, second].map(text)).toEqual(['b1', 'c1']);
    expect(second?.position).not.toEqual(first?.position);
  });

  test('gives them places of their own in the files behind, too', async () => {
    const file = aFile('a1\n');
    const { checkpoint } = await (await open({ file })).poll(LIMITS, NEVER);
    const dying = await open({ file, checkpoint });
    writeFileSync(file, 'b1\n');
    await readAll(dying);
    rotate(file, ['c1'], { atS: 100 });
    const [first] = recordsOf(await pollToRest(dying));

    const next = await open({ file, checkpoint });
    await readAll(next);
    rotate(file, ['d1'], { atS: 200 });
    const [second] = recordsOf(await pollToRest(next));

    expect([first, second].map(text)).toEqual(['c1', 'd1']);
    expect(second?.position).not.toEqual(first?.position);
  });

  test('goes on from a checkpoint that an earlier version has stored', async () => {
    const file = aFile('a1\na2\n');
    const { checkpoint } = await (await open({ file })).poll({ ...LIMITS, records: 1 }, NEVER);
    const { file: number, offset, inode, head, skips, isOpen } = checkpoint as Readonly<Record<string, Json>>;
    const earlier = { file: number, offset, inode, head, skips, isOpen } as Json;

    const { records } = await (await open({ file, checkpoint: earlier })).poll(LIMITS, NEVER);

    expect(records.map(({ position }) => position)).toEqual([[0n, 6n]]);
  });

  test('goes on behind any line of any text, byte by byte', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { minLength: 1, maxLength: 8 }),
        async (strings) => {
          const lines = strings.map((line) => line.replaceAll(/[\r\n]/g, ' '));
          const file = aFile(lines.map((line) => `${line}\n`).join(''));
          let checkpoint: Json = null;
          const found: string[] = [];
          for (const _ of lines) {
            const result: PollResult = await (await open({ file, checkpoint })).poll({ ...LIMITS, records: 1 }, NEVER);
            found.push(...result.records.map(text));
            checkpoint = result.checkpoint;
          }
          expect(found).toEqual(lines);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('publishes each line once, whatever becomes of the file and wherever the reader dies', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const watched = await WatchedFile.begin();
        for (const one of steps) await watched.take(one);

        await watched.drain();

        expect(watched.published).toEqual(watched.written);
      }),
      { numRuns: 30 },
    );
  }, 60_000);

  test('finds files by patterns, each a shard of its own, in the order of their paths', async () => {
    const folder = aTemporaryFolder();
    mkdirSync(join(folder, 'deep', 'er'), { recursive: true });
    mkdirSync(join(folder, 'folder.log'));
    for (const name of ['b.log', 'a.log', 'a.txt', 'deep/er/c.log']) writeFileSync(join(folder, name), '');

    const shards = await discover({ files: `${join(folder, '*.log')}, ${join(folder, '**', '[a-c].log')}` });

    expect(shards).toEqual(['a.log', 'b.log', 'deep/er/c.log'].map((name) => join(folder, name)));
  });

  test('wants a file or patterns, not both', () => {
    const parse = (keys: Readonly<Record<string, string>>) => fileSource.config.safeParse({ topic: 't', ...keys }).success;

    expect([parse({}), parse({ file: '/a', files: '/b' }), parse({ file: '/a' }), parse({ files: '/b' })]).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  test('names the topic after the file, and puts path and place into headers', async () => {
    const file = aFile('one\ntwo\n', 'eu.orders 2026.log');
    const reader = await open({ file, keys: { topic: 'from-${file}', 'file.header': 'path', 'offset.header': 'at' } });

    const { records } = await reader.poll(LIMITS, NEVER);

    expect(records.map(({ topic }) => topic)).toEqual(['from-eu', 'from-eu']);
    expect(records[1]?.headers?.map(({ name, value }) => [name, value])).toEqual([
      ['path', file],
      ['at', 4n],
    ]);
  });

  test('reads JSON without losing a digit, skips blank lines, and leaves a wrong one to the tolerance', async () => {
    const file = aFile('{"id":9007199254740993}\n\n  \r\nno json\n');
    const reader = await open({ file, keys: { format: 'json' } });

    const { records } = await reader.poll(LIMITS, NEVER);

    expect(records).toHaveLength(2);
    expect(records[0]?.value.value).toEqual({ id: 9_007_199_254_740_993n });
    expect(() => records[1]?.value.value).toThrow(RecordError);
  });

  test('gives what is not UTF-8 as bytes, and ends lines at line feeds alone', async () => {
    const file = aFile(Buffer.concat([Buffer.from('one\r\n'), Buffer.of(0xff, 0xfe, 0x0a)]));

    const asText = await (await open({ file })).poll(LIMITS, NEVER);
    const raw = await (await open({ file, keys: { format: 'raw' } })).poll(LIMITS, NEVER);

    expect(asText.records.map(({ value }) => value.value)).toEqual(['one', Buffer.of(0xff, 0xfe)]);
    expect(raw.records.map(({ value }) => Buffer.from(value.value as Uint8Array).toString('latin1'))).toEqual(['one\r', 'ÿþ']);
  });

  test('refuses a line that is too long, and goes on behind it', async () => {
    const file = aFile(`short\n${'x'.repeat(1_000)}\nnext\n`);
    const reader = await open({ file, keys: { 'max.line.bytes': '10' } });

    const { records } = await reader.poll(LIMITS, NEVER);

    expect(() => records[1]?.value.value).toThrow(`the line at byte 6 of ${file} has more than max.line.bytes=10 bytes`);
    expect([records.length, text(records[2])]).toEqual([3, 'next']);
  });

  test('cuts a line that is too long between two characters', async () => {
    const file = aFile('漢字漢字\nnext\n');
    const reader = await open({ file, keys: { 'max.line.bytes': '7', 'line.too.long': 'cut' } });

    expect(await readAll(reader)).toEqual(['漢字', 'next']);
  });

  test('resumes in the middle of a line that is being skipped', async () => {
    const file = aFile('xxxxxxxxxx');
    const keys = { 'max.line.bytes': '4', 'line.too.long': 'cut' };
    const { checkpoint } = await (await open({ file, keys })).poll({ ...LIMITS, records: 1 }, NEVER);
    appendFileSync(file, 'yyyy\nnext\n');

    expect(await readAll(await open({ file, keys, checkpoint }))).toEqual(['next']);
  });

  test('says which file is missing, and that it may come', async () => {
    const file = join(aTemporaryFolder(), 'none.log');

    const error: unknown = await (await open({ file })).poll(LIMITS, NEVER).catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(RetryableError);
    expect(String(error)).toContain(`there is no file ${file}`);
  });

  test('rests where a file that it has read is removed', async () => {
    const file = aFile('one\n');
    const { checkpoint } = await (await open({ file })).poll(LIMITS, NEVER);
    rmSync(file);

    const result = await (await open({ file, checkpoint })).poll(LIMITS, NEVER);

    expect(result).toEqual({ records: [], checkpoint, idleForMs: 1_000 });
  });

  test('fails for what is no file', async () => {
    const file = aTemporaryFolder();

    await expect((await open({ file })).poll(LIMITS, NEVER)).rejects.toBeInstanceOf(FatalTaskError);
  });

  test('waits for lines as long as it may, and no longer', async () => {
    const file = aFile('one\n');
    const clock = new RunningClock();
    const reader = await open({ file, clock });
    await readAll(reader);

    const idle = await reader.poll({ ...LIMITS, waitMs: 500 }, NEVER);
    const waitedMs = clock.monotonicMs();
    const polling = reader.poll({ ...LIMITS, waitMs: 3_600_000 }, NEVER);
    appendFileSync(file, 'two\n');

    expect([idle.records, waitedMs]).toEqual([[], 500]);
    expect((await polling).records.map(text)).toEqual(['two']);
  });
});

const step = fc.record({
  does: fc.constantFrom(
    'append' as const,
    'append' as const,
    'poll' as const,
    'poll' as const,
    'commit' as const,
    'die' as const,
    'change' as const,
  ),
  change: fc.constantFrom('rotate' as const, 'truncate' as const, 'rewrite' as const, 'replace' as const),
  count: fc.integer({ min: 1, max: 4 }),
});

/** A file, who writes to it, and who reads it: what is polled is published, unless its position has been published before. */
class WatchedFile {
  readonly written: string[] = [];
  readonly published: string[] = [];
  readonly #file = aFile('');
  readonly #positions = new Set<string>();
  #reader: SourceReader | null = null;
  #last: Json = null;
  #committed: Json = null;
  #rotations = 0;

  static async begin(): Promise<WatchedFile> {
    const watched = new WatchedFile();
    appendFileSync(watched.#file, watched.#lines(1));
    await watched.#poll(1);
    watched.#committed = watched.#last;
    return watched;
  }

  async take({ does, change, count }: typeof step extends fc.Arbitrary<infer Step> ? Step : never): Promise<void> {
    if (does === 'append') appendFileSync(this.#file, this.#lines(count));
    else if (does === 'poll') await this.#poll(count);
    else if (does === 'commit') this.#commit();
    else if (does === 'die') await this.#die();
    else await this.#change(change, count);
  }

  async drain(): Promise<void> {
    while (!(await this.#poll(3)));
  }

  /** All of the same length, so that places are the same in every file. */
  #lines(count: number): string {
    const lines = Array.from({ length: count }, (_, index) => String(this.written.length + index).padStart(5, '0'));
    this.written.push(...lines);
    return lines.map((line) => `${line}\n`).join('');
  }

  #commit(): void {
    this.#committed = JSON.parse(JSON.stringify(this.#last)) as Json;
  }

  async #die(): Promise<void> {
    await this.#reader?.close();
    this.#reader = null;
    this.#last = this.#committed;
  }

  /** What was not read is lost by all of them but a rotation, and lines may come twice after several that no position is stored between. */
  async #change(change: 'rotate' | 'truncate' | 'rewrite' | 'replace', count: number): Promise<void> {
    await this.drain();
    this.#commit();
    if (change === 'rotate') {
      this.#rotations += 1;
      rotate(this.#file, [], { atS: this.#rotations });
    } else if (change === 'truncate') truncateSync(this.#file);
    else if (change === 'rewrite') writeFileSync(this.#file, this.#lines(count));
    else {
      writeFileSync(`${this.#file}.new`, this.#lines(count));
      renameSync(`${this.#file}.new`, this.#file);
    }
  }

  /** Whether nothing is left for now. */
  async #poll(records: number): Promise<boolean> {
    this.#reader ??= await open({ file: this.#file, checkpoint: this.#committed });
    const polled = await this.#reader.poll({ ...LIMITS, records }, NEVER);
    for (const record of polled.records) {
      const position = formatPosition(record.position ?? []);
      if (!this.#positions.has(position)) this.published.push(text(record));
      this.#positions.add(position);
    }
    this.#last = polled.checkpoint;
    return polled.records.length === 0 && polled.idleForMs !== undefined;
  }
}

interface Opened {
  readonly file: string;
  readonly keys?: Readonly<Record<string, string>>;
  readonly checkpoint?: Json;
  readonly clock?: Clock;
  readonly warnings?: string[];
}

async function open({
  file,
  keys = {},
  checkpoint = null,
  clock = new ManualClock(),
  warnings = [],
}: Opened): Promise<SourceReader> {
  const config = fileSource.config.parse({ topic: 'lines', file, ...keys });
  const context = { ...aPluginContext({ clock }), log: (_: unknown, message: string) => void warnings.push(message) };
  const reader = await fileSource.open(config, [file], checkpoint, context);
  onTestFinished(() => reader.close());
  return reader;
}

async function discover(keys: Readonly<Record<string, string>>): Promise<readonly (string | undefined)[]> {
  const shards = await fileSource.discover(fileSource.config.parse({ topic: 'lines', ...keys }), aPluginContext());
  return shards.map(({ names }) => names[0]);
}

function aFile(content: string | Buffer, name = 'app.log'): string {
  const file = join(aTemporaryFolder(), name);
  writeFileSync(file, content);
  return file;
}

/** The file becomes the newest of the rotated ones, last changed at `atS`, and another takes its place. */
function rotate(file: string, lines: readonly string[], { atS }: { readonly atS: number }): void {
  const rotated = `${file}.${atS}`;
  renameSync(file, rotated);
  utimesSync(rotated, atS, atS);
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
}

async function pollToRest(reader: SourceReader): Promise<readonly PollResult[]> {
  const results: PollResult[] = [];
  for (;;) {
    const result = await reader.poll(LIMITS, NEVER);
    results.push(result);
    if (result.idleForMs !== undefined) return results;
  }
}

function recordsOf(results: readonly PollResult[]): readonly PolledRecord[] {
  return results.flatMap(({ records }) => records);
}

async function readAll(reader: SourceReader): Promise<readonly string[]> {
  return recordsOf(await pollToRest(reader)).map(text);
}

function text(record: PolledRecord | undefined): string {
  return String(record?.value.value);
}
