import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FatalTaskError, FencedError } from '../../../../core/errors.ts';
import { linesIn, partsIn } from '../../../support/file-targets.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { aPartWriter, partNames, type TestWriter } from '../../../support/part-writers.ts';
import { aTemporaryFolder } from '../../../support/temporary-folder.ts';

const WRITING = new URL('../../../support/parts-writing.ts', import.meta.url);

/** Each some acknowledgements later than the one before. */
const KILLS = 6;

/** Each is some hundred calls of the file system, a few of which wait for the disk. */
const SCHEDULES = 12;

describe('fileSink', () => {
  test('publishes a part once it has so many lines, under the offsets that it covers', async () => {
    const directory = aTemporaryFolder();
    const writer = await aWriter({ directory, keys: { 'file.roll.records': '5', 'file.name.prefix': 'orders-' } });
    await writer.begin();

    await writer.put(100, 103);
    const before = partNames(directory);
    await writer.put(103, 106);
    await writer.put(106, 108);

    expect(before).toEqual([]);
    expect(partNames(directory)).toEqual(['orders-1-0000000000000000100-0000000000000000106.txt']);
    expect(linesIn(partsIn(directory))).toEqual(['100', '101', '102', '103', '104', '105']);
  });

  test('publishes a part once it has so many bytes', async () => {
    const directory = aTemporaryFolder();
    const writer = await aWriter({ directory, keys: { 'file.roll.bytes': '7' } });
    await writer.begin();

    await writer.put(10, 12);
    await writer.put(12, 13);

    expect(partNames(directory)).toEqual(['1-0000000000000000010-0000000000000000013.txt']);
  });

  test('publishes a part that was begun so long ago with the next batch, or the next flush', async () => {
    const directory = aTemporaryFolder();
    const clock = new ManualClock();
    const writer = await aWriter({ directory, clock, keys: { 'file.roll.ms': '1000' } });
    await writer.begin();

    await writer.put(0, 1);
    clock.advance(999);
    await writer.put(1, 2);
    const early = partNames(directory);
    clock.advance(1);
    await writer.flush();

    expect(early).toEqual([]);
    expect(linesIn(partsIn(directory))).toEqual(['0', '1']);
  });

  test('collects the slices of one invocation in one part, and publishes it when the invocation ends', async () => {
    const directory = aTemporaryFolder();
    const writer = await aWriter({ directory });

    for (const epoch of [1, 2, 3]) {
      await writer.begin({ epoch });
      await writer.put(epoch * 10, epoch * 10 + 2);
      await writer.flush();
    }
    const before = partNames(directory);
    await writer.rest();

    expect(before).toEqual([]);
    expect(partNames(directory)).toEqual(['1-0000000000000000010-0000000000000000032.txt']);
    expect(linesIn(partsIn(directory))).toEqual(['10', '11', '20', '21', '30', '31']);
  });

  test('publishes what a generation before has left open under its own number, and begins anew', async () => {
    const directory = aTemporaryFolder();
    const old = await aWriter({ directory });
    await old.begin({ epoch: 7 });
    await old.put(40, 42);
    await old.flush();

    const reset = await aWriter({ directory });
    const position = await reset.begin({ generation: 2, epoch: 1 });
    await reset.put(0, 2);
    await reset.rest();

    expect(position).toBeNull();
    expect(partNames(directory)).toEqual([
      '1-0000000000000000040-0000000000000000042.txt',
      '2-0000000000000000000-0000000000000000002.txt',
    ]);
  });

  test('a zombie that has put and not yet published cannot publish any more (I2)', async () => {
    const directory = aTemporaryFolder();
    const zombie = await aWriter({ directory });
    await zombie.begin({ epoch: 1 });
    await zombie.put(0, 3);
    const winner = await aWriter({ directory });
    await winner.begin({ epoch: 2 });

    await zombie.rest();
    const parts = partNames(directory);
    await winner.put(3, 4);
    await winner.rest();

    expect(parts).toEqual([]);
    expect(linesIn(partsIn(directory))).toEqual(['0', '1', '2', '3']);
  });

  test('what a zombie adds to its part after it was taken over is in no part (I2)', async () => {
    const directory = aTemporaryFolder();
    const zombie = await aWriter({ directory });
    await zombie.begin({ epoch: 1 });
    await zombie.put(0, 3);
    const winner = await aWriter({ directory });
    await winner.begin({ epoch: 2 });

    await expect(zombie.put(3, 5)).rejects.toBeInstanceOf(FencedError);
    await winner.rest();

    expect(linesIn(partsIn(directory))).toEqual(['0', '1', '2']);
  });

  test('leaves nothing of older claims behind but the parts', async () => {
    const directory = aTemporaryFolder();
    for (const epoch of [1, 2, 3]) {
      const writer = await aWriter({ directory });
      await writer.begin({ epoch });
      await writer.put(epoch, epoch + 1);
      await writer.flush();
    }
    const last = await aWriter({ directory });
    await last.begin({ epoch: 4 });
    await last.rest();

    expect(readdirSync(stateOf(directory))).toEqual(['1-4-1.claim']);
  });

  test('goes back to the last put that the disk holds whole after a loss of power', async () => {
    const directory = aTemporaryFolder();
    const dead = await aWriter({ directory });
    await dead.begin({ epoch: 1 });
    await dead.put(10, 12);
    await dead.flush();
    await dead.put(12, 14);
    truncateSync(join(stateOf(directory), '1-1-1-1.part'), 8);

    const next = await aWriter({ directory });
    const position = await next.begin({ epoch: 2 });
    await next.put(12, 13);
    await next.rest();

    expect(position).toBe('12');
    expect(linesIn(partsIn(directory))).toEqual(['10', '11', '12']);
  });

  test('takes lines that never reached the disk for what they are, though the file has their length', async () => {
    const directory = aTemporaryFolder();
    const dead = await aWriter({ directory });
    await dead.begin({ epoch: 1 });
    await dead.put(10, 12);
    await dead.put(12, 14);
    const part = join(stateOf(directory), '1-1-1-1.part');
    writeFileSync(part, readFileSync(part).fill(0, 6));

    const next = await aWriter({ directory });

    expect(await next.begin({ epoch: 2 })).toBe('12');
  });

  test('does not count a put whose part never reached the disk, though its line in the journal did', async () => {
    const directory = aTemporaryFolder();
    const dead = await aWriter({ directory, keys: { 'file.roll.records': '2' } });
    await dead.begin({ epoch: 1 });
    await dead.put(10, 12);
    await dead.put(12, 13);
    rmSync(join(stateOf(directory), '1-1-1-2.part'));

    const next = await aWriter({ directory });
    const position = await next.begin({ epoch: 2 });
    await next.put(12, 14);
    await next.rest();

    expect(position).toBe('12');
    expect(linesIn(partsIn(directory))).toEqual(['10', '11', '12', '13']);
  });

  test('takes an open part for published only where it was: others may make hard links of it', async () => {
    const directory = aTemporaryFolder();
    const dead = await aWriter({ directory });
    await dead.begin({ epoch: 1 });
    await dead.put(0, 2);
    await dead.flush();
    linkSync(join(stateOf(directory), '1-1-1-1.part'), join(aTemporaryFolder(), 'backup'));

    const next = await aWriter({ directory });
    const position = await next.begin({ epoch: 2 });
    await next.rest();

    expect(position).toBe('2');
    expect(linesIn(partsIn(directory))).toEqual(['0', '1']);
  });

  test('does not publish a part again that was taken away at once, wherever its writer died', async () => {
    const directory = aTemporaryFolder();
    const dead = await aWriter({ directory });
    await dead.begin({ epoch: 1 });
    await dead.put(0, 2);
    await dead.rest();
    for (const part of partsIn(directory)) rmSync(part);

    const next = await aWriter({ directory });
    const position = await next.begin({ epoch: 2 });
    await next.put(2, 3);
    await next.rest();

    expect(position).toBe('2');
    expect(linesIn(partsIn(directory))).toEqual(['2']);
  });

  test('publishes what stayed open where its writer died right before it gave the part its name', async () => {
    const directory = aTemporaryFolder();
    const dead = await aWriter({ directory });
    await dead.begin({ epoch: 1 });
    await dead.put(0, 2);
    await dead.rest();
    const [published = ''] = partsIn(directory);
    renameSync(published, join(stateOf(directory), '1-1-1-1.part'));

    const next = await aWriter({ directory });
    const position = await next.begin({ epoch: 2 });
    await next.put(2, 3);
    await next.rest();

    expect(position).toBe('2');
    expect(linesIn(partsIn(directory))).toEqual(['0', '1', '2']);
  });

  test('takes a part for published that a loss of power has left under both of its names, whatever it would be named today', async () => {
    const directory = aTemporaryFolder();
    const dead = await aWriter({ directory, keys: { 'file.name.prefix': 'orders-' } });
    await dead.begin({ epoch: 1 });
    await dead.put(0, 2);
    await dead.rest();
    const [published = ''] = partsIn(directory);
    linkSync(published, join(stateOf(directory), '1-1-1-1.part'));

    const next = await aWriter({ directory });
    const position = await next.begin({ epoch: 2 });
    await next.put(2, 3);
    await next.rest();

    expect(position).toBe('2');
    expect(linesIn(partsIn(directory)).toSorted()).toEqual(['0', '1', '2']);
    expect(readdirSync(stateOf(directory))).toEqual(['1-2-1.claim']);
  });

  test('does not take what somebody else has put there for the part that was about to get this name', async () => {
    const directory = aTemporaryFolder();
    const dead = await aWriter({ directory });
    await dead.begin({ epoch: 1 });
    await dead.put(0, 2);
    await dead.rest();
    const [published = ''] = partsIn(directory);
    renameSync(published, join(stateOf(directory), '1-1-1-1.part'));
    writeFileSync(published, '8\n9\n');
    const next = await aWriter({ directory });
    await next.begin({ epoch: 2 });
    await next.rest();
    rmSync(published);

    const last = await aWriter({ directory });
    await last.begin({ epoch: 3 });
    await last.rest();

    expect(linesIn(partsIn(directory))).toEqual(['0', '1']);
  });

  test.each([
    ['after', () => undefined],
    ['before', linkSync],
  ])(
    'goes on behind a journal of version 1 whose writer died %s it removed the second link to a published part',
    async (_, link) => {
      const directory = aTemporaryFolder();
      const dead = await aWriter({ directory, keys: { 'file.roll.records': '2' } });
      await dead.begin({ epoch: 1 });
      await dead.put(0, 2);
      const [published = ''] = partsIn(directory);
      link(published, join(stateOf(directory), '1-1-1-1.part'));
      const journal = join(stateOf(directory), '1-1-1.claim');
      const [first, put] = readFileSync(journal, 'utf8').split('\n');
      writeFileSync(journal, `${[first, put].join('\n').replaceAll('"v":2', '"v":1').replaceAll(',"publishes":false', '')}\n`);

      const next = await aWriter({ directory });
      const position = await next.begin({ epoch: 2 });
      await next.put(2, 3);
      await next.rest();

      expect(position).toBe('2');
      expect(linesIn(partsIn(directory))).toEqual(['0', '1', '2']);
    },
  );

  test('does not count a put whose line in the journal was torn', async () => {
    const directory = aTemporaryFolder();
    const dead = await aWriter({ directory });
    await dead.begin({ epoch: 1 });
    await dead.put(0, 2);
    await dead.flush();
    appendFileSync(join(stateOf(directory), '1-1-1.claim'), '{"v":1,"generation":1,"position":"9","co');

    const next = await aWriter({ directory });

    expect(await next.begin({ epoch: 2 })).toBe('2');
  });

  test('passes over a claim that died before its first line', async () => {
    const directory = aTemporaryFolder();
    const dead = await aWriter({ directory });
    await dead.begin({ epoch: 1 });
    await dead.put(0, 2);
    await dead.flush();
    writeFileSync(join(stateOf(directory), '1-2-1.claim'), '');
    writeFileSync(join(stateOf(directory), '1-2-1-0.part'), '0\n');

    const next = await aWriter({ directory });
    const position = await next.begin({ epoch: 3 });
    await next.rest();

    expect(position).toBe('2');
    expect(linesIn(partsIn(directory))).toEqual(['0', '1']);
  });

  test('fails its shard, and does not wait for ever, where a part exists that its state does not know', async () => {
    const directory = aTemporaryFolder();
    const writer = await aWriter({ directory });
    await writer.begin({ epoch: 1 });
    await writer.put(0, 2);
    await writer.rest();
    rmSync(stateOf(directory), { recursive: true });
    const next = await aWriter({ directory, keys: { 'file.roll.records': '2' } });
    await next.begin({ epoch: 2 });

    await expect(next.put(0, 2)).rejects.toBeInstanceOf(FatalTaskError);
  });

  test('moves the position without a line, and keeps it where nothing else was put', async () => {
    const directory = aTemporaryFolder();
    const writer = await aWriter({ directory, keys: { 'file.roll.records': '2' } });
    await writer.begin({ epoch: 1 });
    await writer.put(0, 2);
    await writer.put(7, 7);
    await writer.flush();

    const next = await aWriter({ directory });

    expect(await next.begin({ epoch: 2 })).toBe('7');
    expect(linesIn(partsIn(directory))).toEqual(['0', '1']);
  });

  test('says which path it cannot use, and what to do', async () => {
    const folder = aTemporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const writer = await aWriter({ directory: join(folder, 'file') });

    const error: unknown = await writer.begin().catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(FatalTaskError);
    expect(String(error)).toContain(join(folder, 'file'));
    expect(String(error)).toContain('next: ');
  });

  test('numbers the parts of records without offsets by their count', async () => {
    const directory = aTemporaryFolder();
    mkdirSync(directory, { recursive: true });
    const writer = await aWriter({ directory, keys: { 'file.roll.records': '2' }, offsets: false });
    await writer.begin();

    await writer.put(500, 502);
    await writer.put(502, 504);

    expect(partNames(directory)).toEqual([
      '1-0000000000000000000-0000000000000000002.txt',
      '1-0000000000000000002-0000000000000000004.txt',
    ]);
  });

  test('holds each line once, whoever claims, dies, wakes up again and writes in between (I1, I2)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.array(
          fc.array(fc.record({ who: fc.nat(), does: fc.nat(9), lines: fc.integer({ min: 1, max: 4 }) }), {
            minLength: 1,
            maxLength: 4,
          }),
          {
            minLength: 4,
            maxLength: 12,
          },
        ),
        async (rollRecords, rounds) => {
          const shard = new Shard(aTemporaryFolder(), rollRecords);
          for (const round of rounds) await Promise.all(shard.distinct(round).map((step) => shard.take(step)));

          const end = await shard.settle();

          expect(linesIn(partsIn(shard.directory))).toEqual(Array.from({ length: end }, (_, offset) => String(offset)));
        },
      ),
      { numRuns: SCHEDULES },
    );
  }, 60_000);

  test('a process that is killed again and again loses and doubles nothing', async () => {
    const directory = aTemporaryFolder();
    let durable = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const victim = fork(WRITING, [directory, String(kill + 1)]);
      let acknowledged = 0;
      victim.on('message', (position) => {
        if (acknowledged === 0) expect(Number(position)).toBeGreaterThanOrEqual(durable);
        durable = Number(position);
        acknowledged += 1;
        if (acknowledged === 2 + kill) victim.kill('SIGKILL');
      });
      await exitOf(victim);
    }

    const last = await aWriter({ directory });
    const end = Number(await last.begin({ epoch: KILLS + 1 }));
    await last.rest();

    expect(end).toBeGreaterThanOrEqual(durable);
    const lines = linesIn(partsIn(directory));
    expect(lines.length).toBe(end);
    expect(lines.findIndex((line, index) => line !== String(index))).toBe(-1);
  }, 60_000);

  test('a process that is killed right after its parts are taken away loses and doubles nothing', async () => {
    const directory = aTemporaryFolder();
    const lines: string[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const victim = fork(WRITING, [directory, String(kill + 1)]);
      const ended = exitOf(victim);
      for (let taken = 0; victim.exitCode === null && victim.signalCode === null; ) {
        if (takeParts(directory, lines)) taken += 1;
        if (taken > kill % 3) victim.kill('SIGKILL');
        await setImmediate();
      }
      await ended;
    }

    const last = await aWriter({ directory });
    const end = Number(await last.begin({ epoch: KILLS + 1 }));
    await last.rest();
    takeParts(directory, lines);

    expect(lines.length).toBe(end);
    expect(lines.findIndex((line, index) => line !== String(index))).toBe(-1);
  }, 60_000);
});

async function aWriter(fields: Parameters<typeof aPartWriter>[0]): Promise<TestWriter> {
  const opened = await aPartWriter(fields);
  onTestFinished(() => opened.writer.close());
  return opened;
}

interface Step {
  readonly who: number;
  readonly does: number;
  readonly lines: number;
}

interface Claimed {
  readonly writer: TestWriter;
  epoch: number;
  at: number;
}

/** A shard and all who ever claimed it; the store's part is the epoch, and what was committed. */
class Shard {
  readonly directory: string;
  readonly #rollRecords: number;
  #claimed: Claimed[] = [];
  #epoch = 0;
  #committed = 0;

  constructor(directory: string, rollRecords: number) {
    this.directory = directory;
    this.#rollRecords = rollRecords;
  }

  /** No writer is called twice at once. */
  distinct(steps: readonly Step[]): readonly Step[] {
    const seen = new Set<number>();
    return steps.filter(({ who, does }) => {
      const index = does < 2 || this.#claimed.length === 0 ? -1 : who % this.#claimed.length;
      if (index >= 0 && seen.has(index)) return false;
      seen.add(index);
      return true;
    });
  }

  async take({ who, does, lines }: Step): Promise<void> {
    const claimed = this.#claimed[who % Math.max(this.#claimed.length, 1)];
    try {
      if (does < 2 || claimed === undefined) await this.#claim(await this.#newcomer());
      else if (does === 2) await this.#claim(claimed);
      else await this.#write(claimed, lines, does);
    } catch (error) {
      if (!(error instanceof FencedError)) throw error;
      this.#claimed = this.#claimed.filter((one) => one !== claimed);
    }
  }

  async settle(): Promise<number> {
    const last = await this.#newcomer();
    await this.#claim(last);
    await last.writer.rest();
    return last.at;
  }

  async #newcomer(): Promise<Claimed> {
    const writer = await aWriter({ directory: this.directory, keys: { 'file.roll.records': String(this.#rollRecords) } });
    return { writer, epoch: 0, at: 0 };
  }

  async #claim(claimed: Claimed): Promise<void> {
    this.#epoch += 1;
    claimed.epoch = this.#epoch;
    claimed.at = Number((await claimed.writer.begin({ epoch: claimed.epoch })) ?? 0);
    expect(claimed.at).toBeGreaterThanOrEqual(this.#committed);
    if (!this.#claimed.includes(claimed)) this.#claimed.push(claimed);
  }

  async #write(claimed: Claimed, lines: number, does: number): Promise<void> {
    for (let put = 0; put < lines; put += 1) {
      await claimed.writer.put(claimed.at, claimed.at + lines);
      claimed.at += lines;
    }
    if (does > 5) await claimed.writer.flush();
    if (does > 5 && claimed.epoch === this.#epoch) this.#committed = claimed.at;
    if (does > 8) await claimed.writer.rest();
  }
}

async function exitOf(child: ChildProcess): Promise<void> {
  await once(child, 'exit');
}

/** Moves what is published out of the folder, in order; `false` where there is nothing. */
function takeParts(directory: string, lines: string[]): boolean {
  const parts = partsIn(directory);
  lines.push(...linesIn(parts));
  for (const part of parts) rmSync(part);
  return parts.length > 0;
}

function stateOf(directory: string): string {
  const [shard = ''] = readdirSync(directory);
  return join(directory, shard, '.state');
}
