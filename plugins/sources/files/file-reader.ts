/**
 * Reads one path from a checkpoint on: the file that was read last to its end, wherever it was renamed to, then the ones after it.
 *
 * A rotated file is left once it has nothing more and its successor has something: until then its writer may not have noticed yet.
 * Positions are `[number of the file, byte behind the line, checksum of the line]`. A file that was truncated counts as another one,
 * so they grow. The checksum is for files that come and go before anything is stored: whoever polls again from a checkpoint that
 * knows of none of them gives another file the same number, and what was sent of the one must not pass for the other.
 */
import { fileError } from '../../../clients/files/file-error.ts';
import { RetryableError } from '../../../core/errors.ts';
import type { Json } from '../../../core/json.ts';
import type { CancelSignal } from '../../../core/ports.ts';
import type { PluginContext } from '../../api/context.ts';
import type { PolledRecord, PollLimits, PollResult, SourceReader } from '../../api/source.ts';
import { type Checkpoint, readCheckpoint } from './checkpoint.ts';
import { findRenamed, findSuccessor, footprintIn, type OpenFile, openFile, statOf } from './file-identity.ts';
import { type Footprint, foundIn, NO_FOOTPRINT, stored } from './footprint.ts';
import { type Line, LineBuffer } from './line-buffer.ts';
import type { LineRecord } from './line-records.ts';

/** One read. Half of it is about what a poll of Kafka Connect's default size takes. */
const CHUNK_BYTES = 256 * 1024;

/** Of one poll: some 64 MB, which a line that is too long, or many blank ones, may need to be skipped. */
const READS_MAX = 256;

const REWRITTEN = 'was truncated or written anew';

/** Between two looks at a file that somebody waits for. */
const LOOK_AGAIN_MS = 50;

export interface FileReaderOptions {
  readonly path: string;
  readonly lineBytesMax: number;
  readonly toRecord: LineRecord;
  readonly idleForMs: number;
  /** How long the last line may wait for its end; `undefined`: for ever. */
  readonly quietMs: number | undefined;
}

/** The file in hand. */
interface Reading {
  readonly opened: OpenFile;
  readonly number: number;
  readonly hasSums: boolean;
  readonly lines: LineBuffer;
}

export class FileReader implements SourceReader {
  readonly #options: FileReaderOptions;
  readonly #context: Pick<PluginContext, 'clock' | 'log'>;
  #checkpoint: Checkpoint | null;
  #reading: Reading | null = null;

  constructor(options: FileReaderOptions, checkpoint: Json, context: Pick<PluginContext, 'clock' | 'log'>) {
    this.#options = options;
    this.#checkpoint = readCheckpoint(checkpoint);
    this.#context = context;
  }

  async poll(limits: PollLimits, signal: CancelSignal): Promise<PollResult> {
    const { clock } = this.#context;
    const waitsUntilMs = clock.monotonicMs() + limits.waitMs;
    try {
      for (;;) {
        const before = this.#checkpoint;
        const records = await this.#take(limits, signal);
        const checkpoint = this.#checkpoint;
        if (records.length > 0 || checkpoint !== before) return { records, checkpoint };
        const leftMs = waitsUntilMs - clock.monotonicMs();
        if (leftMs <= 0 || signal.aborted) return { records, checkpoint, idleForMs: this.#options.idleForMs };
        await clock.sleep(Math.min(leftMs, LOOK_AGAIN_MS), signal);
      }
    } catch (error) {
      throw fileError(error, { path: this.#options.path, what: 'read', code: 'source.unavailable' });
    }
  }

  async close(): Promise<void> {
    const reading = this.#reading;
    this.#reading = null;
    await reading?.opened.file.close().catch(() => undefined);
  }

  // -------------------------------------------------------------------------------------------------------------------

  /** Leaves `#checkpoint` as it was where nothing was taken. */
  async #take(limits: PollLimits, signal: CancelSignal): Promise<readonly PolledRecord[]> {
    const reading = await this.#current();
    if (reading === null) return [];
    const records: PolledRecord[] = [];
    const before = reading.lines.read;
    await this.#fill(reading, records, { limits, signal });
    // What was there before is still there, so what was read now belongs behind it.
    if ((await foundIn(reading.opened.file, stored(before))) === null) {
      await this.#startAgain(reading);
      return [];
    }
    if (records.length === 0 && !signal.aborted) await this.#atEnd(reading, records);
    this.#note();
    return records;
  }

  async #fill(
    reading: Reading,
    records: PolledRecord[],
    { limits, signal }: { readonly limits: PollLimits; readonly signal: CancelSignal },
  ): Promise<void> {
    let bytes = 0;
    for (let reads = 0; reads < READS_MAX && !signal.aborted; reads += 1) {
      for (let line = reading.lines.peek(); line !== null; line = reading.lines.peek()) {
        const cost = line.bytes.length + 1;
        if (records.length > 0 && (records.length >= limits.records || bytes + cost > limits.bytes)) return;
        bytes += cost;
        reading.lines.take(line);
        this.#push(records, line, reading);
      }
      if (records.length >= limits.records || !(await readMore(reading))) return;
    }
  }

  #push(records: PolledRecord[], line: Line, { number, hasSums }: Reading): void {
    const record = this.#options.toRecord(line, { number: BigInt(number), hasSums });
    if (record !== null) records.push(record);
  }

  /** The file in hand has nothing more for now. */
  async #atEnd(reading: Reading, records: PolledRecord[]): Promise<void> {
    const { opened, lines } = reading;
    const found = await statOf(this.#options.path);
    const { size, mtimeMs } = await opened.file.stat();
    // Since the look at what is there.
    if (size < lines.readOffset) return;
    if (found === null || found.ino === opened.stat.ino) {
      const { quietMs } = this.#options;
      const isQuiet = quietMs !== undefined && this.#context.clock.nowMs() - mtimeMs >= quietMs;
      if (isQuiet && size === lines.readOffset) this.#pushOpen(reading, records);
      return;
    }
    const next = (await findSuccessor(this.#options.path, await opened.file.stat({ bigint: true }))) ?? (await this.#filled());
    if (next === null) return;
    // What came between the last read and the look at the successor.
    if (await readMore(reading)) {
      await next.file.close();
      return;
    }
    this.#pushOpen(reading, records);
    await this.#switchTo(next, reading.number + 1);
  }

  /** The last line of a file that nobody will end. */
  #pushOpen(reading: Reading, records: PolledRecord[]): void {
    const line = reading.lines.takeOpen();
    if (line !== null) this.#push(records, line, reading);
  }

  /** The file under the path, once there is something in it. */
  async #filled(): Promise<OpenFile | null> {
    const opened = await openFile(this.#options.path);
    if (opened === null || opened.stat.size > 0n) return opened;
    await opened.file.close();
    return null;
  }

  async #current(): Promise<Reading | null> {
    const known = this.#checkpoint;
    const reading = this.#reading;
    if (reading !== null) return reading;
    const { path } = this.#options;
    const opened = await openFile(path);
    if (known === null) {
      if (opened === null) throw missing(path);
      return this.#switchTo(opened, 0);
    }
    const footprint = opened === null ? null : await footprintIn(opened, known);
    if (opened !== null && footprint !== null) return this.#resume(opened, known, footprint);
    const renamed = await findRenamed(path, known);
    if (renamed !== null) {
      await opened?.file.close();
      return this.#resume(renamed.opened, known, renamed.footprint);
    }
    // It may come back; without it there is nothing to read, and nothing to complain of that nobody did on purpose.
    if (opened === null) return null;
    const isSelf = String(opened.stat.ino) === known.inode;
    this.#warn(isSelf ? REWRITTEN : 'was replaced, and what was there before is gone', known);
    return this.#switchTo(opened, known.file + 1);
  }

  #resume(opened: OpenFile, { file, skips, isOpen, hasSums }: Checkpoint, footprint: Footprint): Reading {
    const { lineBytesMax } = this.#options;
    const lines = new LineBuffer({ footprint, skips, isOpen }, { lineBytesMax });
    this.#reading = { opened, number: file, hasSums, lines };
    return this.#reading;
  }

  /** The same file from its beginning, as another one. */
  async #startAgain({ opened, number }: Reading): Promise<void> {
    if (this.#checkpoint !== null) this.#warn(REWRITTEN, this.#checkpoint);
    await this.#switchTo(opened, number + 1);
  }

  async #switchTo(opened: OpenFile, number: number): Promise<Reading> {
    const last = this.#reading;
    if (last !== null && last.opened !== opened) await last.opened.file.close();
    const inode = String(opened.stat.ino);
    this.#checkpoint = { file: number, inode, ...stored(NO_FOOTPRINT), skips: false, isOpen: false, hasSums: true };
    return this.#resume(opened, this.#checkpoint, NO_FOOTPRINT);
  }

  /** Takes note of where the reader stands, in a new checkpoint only where it has moved. */
  #note(): void {
    const reading = this.#reading;
    const known = this.#checkpoint;
    if (reading === null || known === null) return;
    const { footprint, skips, isOpen } = reading.lines.state;
    if (footprint.offset === known.offset && skips === known.skips && isOpen === known.isOpen) return;
    this.#checkpoint = { ...known, ...stored(footprint), skips, isOpen };
  }

  #warn(what: string, { offset }: Checkpoint): void {
    const { path } = this.#options;
    this.#context.log('warn', `${path} ${what}; it was read up to byte ${offset}, and is read from its beginning now`, {
      path,
      offset,
    });
  }
}

/** `false` at the end of the file. */
async function readMore({ opened: { file }, lines }: Reading): Promise<boolean> {
  const { size } = await file.stat();
  const length = Math.min(CHUNK_BYTES, size - lines.readOffset);
  if (length <= 0) return false;
  // Never written to again once it is handed over: lines are parts of it.
  const chunk = Buffer.allocUnsafeSlow(length);
  const { bytesRead } = await file.read(chunk, 0, length, lines.readOffset);
  if (bytesRead > 0) lines.add(chunk.subarray(0, bytesRead));
  return bytesRead > 0;
}

function missing(path: string): RetryableError {
  return new RetryableError(`there is no file ${path}; next: create it, or correct file or files in the configuration`, {
    code: 'source.unavailable',
    details: { path },
  });
}
