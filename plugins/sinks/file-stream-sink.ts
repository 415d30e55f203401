import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { syncFolder, writeAll } from '../../clients/files/durable-writes.ts';
import { fileError } from '../../clients/files/file-error.ts';
import { textKey } from '../../core/config/keys.ts';
import { RetryableError } from '../../core/errors.ts';
import type { CancelSignal } from '../../core/ports.ts';
import { defineSink, type PutBatch, type PutResult, type SinkWriter } from '../api/sink.ts';
import { formatKey, type LineFormat, linesOf } from './files/lines.ts';

const LINE_FEED = 0x0a;

const Config = z.object({
  file: textKey().describe('File that lines are appended to. It is made where it does not exist; its folder must exist.'),
  ...formatKey,
});

/**
 * Appends each record as a line to one file, where it can be seen at once. At least once: lines that were written before a crash
 * and not committed are written again behind it. A file that is moved away is followed by a new one. For parts that hold each
 * record once, use `file-sink`.
 */
export const fileStreamSink = defineSink({
  name: 'file-stream-sink',
  version: '1.0.0',
  effect: 'append',
  reads: 'bytes',
  config: Config,

  async open({ file, format }) {
    return new StreamWriter(file, format);
  },
});

class StreamWriter implements SinkWriter {
  readonly #path: string;
  readonly #format: LineFormat;
  #file: FileHandle | null = null;

  constructor(path: string, format: LineFormat) {
    this.#path = path;
    this.#format = format;
  }

  async put({ records }: PutBatch, signal: CancelSignal): Promise<PutResult> {
    if (signal.aborted) throw new RetryableError('the put was aborted');
    const { bytes, failures } = linesOf(records, this.#format);
    try {
      const file = await this.#current();
      // One write, so that lines of other shards come before or behind these, never between. What was torn gets its end first.
      await writeAll(file, (await isTorn(file)) ? Buffer.concat([Buffer.of(LINE_FEED), bytes]) : bytes, null);
    } catch (error) {
      throw fileError(error, { path: this.#path, what: 'append to', code: 'target.unavailable' });
    }
    return { failures };
  }

  async flush(): Promise<void> {
    try {
      await this.#file?.datasync();
    } catch (error) {
      throw fileError(error, { path: this.#path, what: 'make durable', code: 'target.unavailable' });
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close().catch(() => undefined);
  }

  /** Looks each time, so that a file that was moved away is noticed. */
  async #current(): Promise<FileHandle> {
    const found = await stat(this.#path).catch(() => null);
    const held = this.#file === null ? null : await this.#file.stat();
    if (this.#file !== null && found !== null && held?.ino === found.ino && held.dev === found.dev) return this.#file;
    await this.flush();
    await this.close();
    this.#file = await open(this.#path, 'a+');
    if (found === null) await syncFolder(dirname(this.#path));
    return this.#file;
  }
}

/** Whether a crash or a full disk left a line without its end. */
async function isTorn(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== LINE_FEED;
}
