/**
 * The end of a queue, as the last loss of power has left it.
 *
 * What the database says is in the log may be missing from the files: where the log was not synced with each append, or a disk
 * did not keep its word. Looked at once per queue and process, before its first use:
 *
 * - The last batch is whole, and so is everything that was not known to be synced: nothing to do. This costs two small reads.
 * - Batches at the end are not: the log is cut back to the last whole one, and a warning says what was cut.
 * - A batch is not, was synced, and whole ones follow: that is no loss of power. The queue is refused.
 */
import type { FileHandle } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { RetryableError } from '../../core/errors.ts';
import { queueKey } from '../../core/message-queue.ts';
import { advance, minOffset, type Offset, recordsBetween } from '../../core/offset.ts';
import type { Telemetry } from '../../core/ports.ts';
import { queueMissing } from '../../core/topic-missing.ts';
import { BATCH_HEADER_BYTES, BATCH_MAGIC, isBodyWhole, readBatchHeader } from './batch-codec.ts';
import type { LogDatabase } from './log-database.ts';
import { isMissingFile, logDamaged } from './log-error.ts';
import type { OpenSegment, SegmentFiles } from './segment-files.ts';
import { type BatchPlace, readBytes, walkWhole } from './segment-walk.ts';
import type { QueueState } from './topic-catalog.ts';

/** Each time another process has mended the queue meanwhile, or let some of it expire: twice is much. */
const MENDS_MAX = 10;

export class TailChecks {
  readonly #database: LogDatabase;
  readonly #files: SegmentFiles;
  readonly #telemetry: Telemetry;
  /** Ids of the queues that were found in order. */
  readonly #checked = new Set<number>();

  constructor(deps: { readonly database: LogDatabase; readonly files: SegmentFiles; readonly telemetry: Telemetry }) {
    this.#database = deps.database;
    this.#files = deps.files;
    this.#telemetry = deps.telemetry;
  }

  /** The state, or what it has become. @throws {FatalTaskError} `log.damaged` or `log.newer`. */
  async check(state: QueueState): Promise<QueueState> {
    if (this.#checked.has(state.id)) return state;
    const sound = (await this.#isSound(state)) ? state : await this.#mend(state);
    this.#checked.add(state.id);
    return sound;
  }

  async #isSound(state: QueueState): Promise<boolean> {
    if (state.segmentBytes === 0) return true;
    const opened = await this.#open(state);
    if (opened === null) return false;
    try {
      return (await isLastBatchWhole(opened.file, state)) && (await isRestWhole(opened, state));
    } finally {
      opened.release();
    }
  }

  /** The file is gone through while others may append; what was found counts where the queue is still as it was. */
  async #mend({ queue }: QueueState): Promise<QueueState> {
    for (let tried = 0; tried < MENDS_MAX; tried += 1) {
      const state = this.#database.read((catalog) => catalog.state(queue));
      if (state === undefined) throw queueMissing(queue);
      // Another process may have done it meanwhile. Nothing else changes a queue that is not, but what expires.
      if (await this.#isSound(state)) return state;
      const cut = await this.#cutBack(state, await this.#wholeEnd(state));
      if (cut !== null) return cut;
    }
    throw new RetryableError(`${queueKey(queue)} changes as often as its end is looked at`, { code: 'broker.unavailable' });
  }

  /** The queue without what is lost; `null` where it has changed, and nothing was done. */
  async #cutBack(state: QueueState, end: WholeEnd): Promise<QueueState | null> {
    const cut = await this.#database.write(
      ({ catalog, changes }) => {
        if (!isDeepStrictEqual(catalog.state(state.queue), state)) return null;
        const cut = cutBack(state, end);
        changes.save(cut);
        return cut;
      },
      { durable: true },
    );
    if (cut !== null) this.#tell(state, end);
    return cut;
  }

  #tell(state: QueueState, { place }: WholeEnd): void {
    const path = this.#files.path(state, state.segmentOffset);
    const lost = { bytes: state.segmentBytes - place.position, records: recordsBetween(place.offset, state.next) };
    this.#telemetry.log('warn', 'the end of a queue was lost; the log goes on behind its last whole batch', {
      queue: queueKey(state.queue),
      path,
      position: place.position,
      offset: String(place.offset),
      lostBytes: lost.bytes,
      lostRecords: lost.records,
    });
  }

  /** @throws {FatalTaskError} `log.damaged` where more than an end is lost. */
  async #wholeEnd(state: QueueState): Promise<WholeEnd> {
    const opened = await this.#open(state);
    if (opened === null) {
      const path = this.#files.path(state, state.segmentOffset);
      if (state.syncedBytes > 0) throw logDamaged({ path, position: 0 }, 'the file is missing');
      return nothing(state);
    }
    try {
      return await wholeEnd(opened, state);
    } finally {
      opened.release();
    }
  }

  async #open(state: QueueState): Promise<OpenSegment | null> {
    try {
      return await this.#files.open(state, state.segmentOffset);
    } catch (error) {
      if (isMissingFile(error)) return null;
      throw error;
    }
  }
}

async function isLastBatchWhole(file: FileHandle, { segmentBytes, lastBatchAt, next }: QueueState): Promise<boolean> {
  const batch = await readBytes(file, lastBatchAt, segmentBytes - lastBatchAt);
  const header = readBatchHeader(batch, 0);
  if (header === null || header.bytes !== batch.length || batch.length !== segmentBytes - lastBatchAt) return false;
  return advance(header.firstOffset, header.records) === next && isBodyWhole(batch, 0, header);
}

/** Whether what was not known to be synced is there all the same. */
async function isRestWhole(
  { file, path }: OpenSegment,
  { segmentOffset, segmentBytes, syncedBytes }: QueueState,
): Promise<boolean> {
  if (syncedBytes === segmentBytes) return true;
  const first = readBatchHeader(await readBytes(file, syncedBytes, BATCH_HEADER_BYTES), 0);
  if (first === null) return false;
  const from = { position: syncedBytes, offset: syncedBytes === 0 ? segmentOffset : first.firstOffset };
  const { position } = await walkWhole({ file, path, from, endAt: segmentBytes }, () => undefined);
  return position === segmentBytes;
}

interface WholeEnd {
  readonly place: BatchPlace;
  readonly lastBatchAt: number;
}

function cutBack(state: QueueState, { place, lastBatchAt }: WholeEnd): QueueState {
  return {
    ...state,
    min: minOffset(state.min, place.offset),
    next: place.offset,
    segmentBytes: place.position,
    syncedBytes: place.position,
    lastBatchAt,
  };
}

function nothing({ segmentOffset }: QueueState): WholeEnd {
  return { place: { position: 0, offset: segmentOffset }, lastBatchAt: 0 };
}

/** Behind the last whole batch of the segment. @throws {FatalTaskError} `log.damaged`: it was synced, and more follows. */
async function wholeEnd({ file, path }: OpenSegment, state: QueueState): Promise<WholeEnd> {
  const { segmentBytes, syncedBytes } = state;
  const start = nothing(state);
  let { lastBatchAt } = start;
  const place = await walkWhole({ file, path, from: start.place, endAt: segmentBytes }, (_, { position }) => {
    lastBatchAt = position;
  });
  if (place.position < syncedBytes) {
    const rest = await readBytes(file, place.position, segmentBytes - place.position);
    const follower = findWholeBatch(rest, place.offset);
    if (follower !== null) {
      throw logDamaged(
        { path, position: place.position },
        `no whole batch begins here, but one follows at byte ${place.position + follower}`,
      );
    }
  }
  return { place, lastBatchAt };
}

/** Where a whole batch of records beyond `offset` lies in `bytes`. */
function findWholeBatch(bytes: Buffer, offset: Offset): number | null {
  for (let at = bytes.indexOf(BATCH_MAGIC); at !== -1; at = bytes.indexOf(BATCH_MAGIC, at + 1)) {
    const header = readBatchHeader(bytes, at);
    const isWhole = header !== null && at + header.bytes <= bytes.length && isBodyWhole(bytes, at, header);
    if (isWhole && header.firstOffset > offset) return at;
  }
  return null;
}
