/**
 * Writes the parts of one shard, each record once.
 *
 * A put appends its lines to the open part, and one line to the journal of its claim (`claim-journal.ts`); that line is what makes
 * the put count. A full or old part is published: made durable, then renamed to where it can be seen, in the shard's folder.
 * Whoever claims the shard next goes on there; `take-over.ts` says why no older writer can add to it or publish any more.
 *
 * `SHARD/1-0000000000000001200-0000000000000001400.jsonl`: generation, offset of the first line, offset right behind the last one.
 */
import { type FileHandle, lstat, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { makeFolder, syncFolder, writeAll } from '../../../clients/files/durable-writes.ts';
import { errnoOf, fileError } from '../../../clients/files/file-error.ts';
import { assert } from '../../../core/assert.ts';
import { FatalTaskError, FencedError, messageOf, RetryableError } from '../../../core/errors.ts';
import type { Json } from '../../../core/json.ts';
import type { CancelSignal } from '../../../core/ports.ts';
import type { ConnectRecord } from '../../../core/record/connect-record.ts';
import type { PluginContext } from '../../api/context.ts';
import { ALL_TAKEN, type PutBatch, type PutResult, type SinkWriter, type SliceIdentity } from '../../api/sink.ts';
import { emptyState, listState, type PartState } from './claim-journal.ts';
import { type LineFormat, linesOf } from './lines.ts';
import { nameOfLines } from './published-part.ts';
import { shardFolderName } from './shard-folder.ts';
import { type Claim, demandNewest, partFile, takeOver } from './take-over.ts';

const STATE_FOLDER = '.state';

const EXTENSIONS: Readonly<Record<LineFormat, string>> = { json: 'jsonl', raw: 'txt' };

export interface PartOptions {
  readonly directory: string;
  readonly prefix: string;
  readonly format: LineFormat;
  readonly rollRecords: number;
  readonly rollBytes: number;
  readonly rollMs: number;
}

export class PartWriter implements SinkWriter {
  readonly #options: PartOptions;
  readonly #context: Pick<PluginContext, 'clock' | 'log'>;
  #folder = '';
  #claim: Claim | null = null;
  #state: PartState = emptyState(0);
  #part: FileHandle | null = null;
  #parts = 0;
  /** Whether the open part has bytes or a name that the disk may not hold yet. */
  #isDurable = true;

  constructor(options: PartOptions, context: Pick<PluginContext, 'clock' | 'log'>) {
    this.#options = options;
    this.#context = context;
  }

  async begin(slice: SliceIdentity): Promise<Json> {
    const kept = this.#claim === null ? null : { ...this.#claim, state: this.#state, part: this.#part };
    this.#claim = null;
    this.#folder = join(this.#options.directory, shardFolderName(slice.shard));
    try {
      await makeFolder(this.#stateFolder);
      const claim = await takeOver(this.#stateFolder, slice, kept);
      await kept?.journal.close();
      if (kept !== null && kept.part !== claim.part) await kept.part?.close();
      this.#claim = claim;
      this.#state = claim.state;
      this.#part = claim.part;
      this.#parts = 0;
      this.#isDurable = true;
      if (this.#state.generation < slice.generation) await this.#beginGeneration(claim, slice.generation);
      return this.#state.position;
    } catch (error) {
      await closeAll([kept?.part, kept?.journal]);
      throw this.#failed(error);
    }
  }

  async put({ records, position, generation, epoch }: PutBatch, signal: CancelSignal): Promise<PutResult> {
    const claim = this.#claim;
    if (claim === null || claim.name.epoch !== epoch || claim.name.generation !== generation)
      throw new FencedError(`generation ${generation}, epoch ${epoch} was not begun by this writer`);
    if (signal.aborted) throw new RetryableError('the put was aborted');
    const { bytes, failures } = linesOf(records, this.#options.format);
    if (failures.length > 0) return { failures };
    try {
      const state = await this.#append(claim, { records, bytes, position });
      await claim.journal.append(state);
      demandNewest(await listState(this.#stateFolder), claim.name);
      this.#state = state;
      if (this.#isDue()) await this.#publish(claim);
      return ALL_TAKEN;
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async flush(): Promise<void> {
    const claim = this.#claim;
    if (claim === null) return;
    try {
      if (this.#isDue()) await this.#publish(claim);
      else await this.#sync(claim);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Nobody may come to roll the open part for a long time, so it is published as it is. */
  async rest(): Promise<void> {
    const claim = this.#claim;
    if (claim === null || this.#state.file === null) return;
    try {
      await this.#publish(claim);
    } catch (error) {
      const failure = this.#failed(error);
      if (failure instanceof FencedError) return;
      this.#context.log('warn', `a part stays open until the next slice: ${messageOf(failure)}`, { path: this.#folder });
    }
  }

  async close(): Promise<void> {
    const claim = this.#claim;
    this.#claim = null;
    await closeAll([this.#part, claim?.journal]);
  }

  // -------------------------------------------------------------------------------------------------------------------

  get #stateFolder(): string {
    return join(this.#folder, STATE_FOLDER);
  }

  /** What is left of the generation before was taken, so it is published; then the shard begins anew. */
  async #beginGeneration(claim: Claim, generation: number): Promise<void> {
    if (this.#state.file !== null) await this.#publish(claim);
    this.#state = emptyState(generation);
    await claim.journal.append(this.#state);
    await claim.journal.sync();
  }

  /** The state behind these lines, which are in the open part then. */
  async #append(
    { name }: Claim,
    {
      records,
      bytes,
      position,
    }: { readonly records: readonly ConnectRecord[]; readonly bytes: Uint8Array; readonly position: Json },
  ): Promise<PartState> {
    const [first, last] = [records.at(0), records.at(-1)];
    if (first === undefined || last === undefined) return { ...this.#state, position };
    const count = this.#state.count + records.length;
    let state = this.#state;
    if (state.file === null) {
      this.#parts += 1;
      const file = partFile(name, this.#parts);
      this.#part = await open(join(this.#stateFolder, file), 'wx');
      const start = String(first.log?.offset ?? state.count);
      state = { ...state, file, bytes: 0, records: 0, crc: 0, start, openedAtMs: this.#context.clock.nowMs() };
    }
    assert(this.#part !== null, 'an open part is open');
    this.#isDurable = false;
    await writeAll(this.#part, bytes, state.bytes);
    return {
      ...state,
      position,
      count,
      bytes: state.bytes + bytes.length,
      records: state.records + records.length,
      crc: crc32(bytes, state.crc),
      end: String(last.log === null ? count : last.log.offset + 1n),
    };
  }

  #isDue(): boolean {
    const { file, records, bytes, openedAtMs } = this.#state;
    if (file === null) return false;
    const { rollRecords, rollBytes, rollMs } = this.#options;
    return records >= rollRecords || bytes >= rollBytes || this.#context.clock.nowMs() - openedAtMs >= rollMs;
  }

  async #sync({ journal }: Claim): Promise<void> {
    if (!this.#isDurable) {
      await this.#part?.datasync();
      await syncFolder(this.#stateFolder);
      this.#isDurable = true;
    }
    await journal.sync();
  }

  async #publish(claim: Claim): Promise<void> {
    const { file } = this.#state;
    assert(file !== null, 'only an open part is published');
    await claim.journal.append({ ...this.#state, publishes: true });
    await this.#sync(claim);
    await renameOnce(join(this.#stateFolder, file), join(this.#folder, this.#partName()));
    // The new name first: a loss of power may leave both of them, never none.
    await syncFolder(this.#folder);
    await syncFolder(this.#stateFolder);
    await this.#part?.close();
    this.#part = null;
    this.#state = { ...this.#state, file: null };
  }

  #partName(): string {
    const { prefix, format } = this.#options;
    return `${prefix}${nameOfLines(this.#state)}.${EXTENSIONS[format]}`;
  }

  /** Nothing more is written under this claim: what a failed call left is found again by the next one. */
  #failed(error: unknown): Error {
    void this.close();
    return fileError(error, { path: this.#folder, what: 'write parts in', code: 'target.unavailable' });
  }
}

/**
 * @throws {FencedError} where a newer claim has taken the part away.
 * @throws {FatalTaskError} where the name exists: no claim gives it twice while the state folder is what it was.
 */
async function renameOnce(path: string, name: string): Promise<void> {
  if (await isThere(name)) {
    throw new FatalTaskError(
      `${name} exists already, and the state beside it does not know of it; next: move it away if its lines may be written again, or choose another directory`,
      { details: { path: name } },
    );
  }
  try {
    await rename(path, name);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new FencedError(`a newer claim has taken ${path}`, { cause: error });
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return false;
  }
}

/** Nothing is lost by what cannot be closed: all that counts was written or will be written again. */
async function closeAll(files: readonly ({ close(): Promise<void> } | null | undefined)[]): Promise<void> {
  for (const file of files) await file?.close().catch(() => undefined);
}
