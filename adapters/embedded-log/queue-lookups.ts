import { ConnectError } from '../../core/errors.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import { maxOffset, type Offset } from '../../core/offset.ts';
import type { QueueBounds, ReadLimits, ReadResult } from '../../core/ports.ts';
import type { LogRecord } from '../../core/record/connect-record.ts';
import { queueMissing } from '../../core/topic-missing.ts';
import type { LogDatabase } from './log-database.ts';
import { fileError, isMissingFile, logDamaged } from './log-error.ts';
import { QueueReader } from './queue-reader.ts';
import type { SegmentFiles } from './segment-files.ts';
import { SegmentIndexes } from './segment-index.ts';
import type { TailChecks } from './tail-check.ts';
import { lastSegment, type QueueState, type Segment, segmentHolding, type TopicCatalog } from './topic-catalog.ts';

/** A segment that is removed between the look at the database and the opening of its file: the next look knows. */
const ATTEMPTS_MAX = 3;

/** A queue and the one segment that matters for the question, as of the same moment; `null` where no record answers it. */
interface Found {
  readonly state: QueueState;
  readonly segment: Segment | null;
}

/** Finds the segment in question. */
type Find = (catalog: TopicCatalog, state: QueueState) => Segment | null | undefined;

/** What is asked about a queue's records: first the database, then the file that it names. */
export class QueueLookups {
  readonly #folder: string;
  readonly #database: LogDatabase;
  readonly #files: SegmentFiles;
  readonly #tails: TailChecks;
  readonly #indexes: SegmentIndexes;
  readonly #reader: QueueReader;

  constructor(deps: {
    readonly folder: string;
    readonly database: LogDatabase;
    readonly files: SegmentFiles;
    readonly tails: TailChecks;
  }) {
    this.#folder = deps.folder;
    this.#database = deps.database;
    this.#files = deps.files;
    this.#tails = deps.tails;
    this.#indexes = new SegmentIndexes(deps.files);
    this.#reader = new QueueReader({ files: deps.files, indexes: this.#indexes });
  }

  /** The queue, whose end was found in order, or put in order. @throws {FatalTaskError} `broker.topic_missing`, `log.damaged`. */
  async state(queue: MessageQueue): Promise<QueueState> {
    return this.#checked(this.#database.read((catalog) => stateIn(catalog, queue)));
  }

  /** Of a damaged queue what the database says: whoever reads it learns the rest, and nobody else is held up. */
  async bounds(queues: readonly MessageQueue[]): Promise<readonly (QueueBounds | null)[]> {
    const states = this.#database.readTogether((catalog) => queues.map((queue) => catalog.state(queue)));
    return Promise.all(states.map(async (state) => (state === undefined ? null : this.#boundsOf(state))));
  }

  /** Records from `from` on, or none where there are none. @throws as `state`. */
  read(queue: MessageQueue, from: Offset, limits: Pick<ReadLimits, 'records' | 'bytes'>): Promise<ReadResult> {
    const find: Find = (catalog, state) => (from < state.min || from >= state.next ? null : segmentHolding(catalog, state, from));
    return this.#lookUp(queue, find, async ({ state, segment }) => {
      const records = segment === null ? [] : await this.#reader.read(state, segment, from, limits);
      return { records, next: nextOf(records, from), bounds: boundsOf(state) };
    });
  }

  /** The first offset stored at or after `atMs`; the end where there is none. @throws as `state`. */
  offsetAt(queue: MessageQueue, atMs: number): Promise<Offset> {
    const find: Find = (catalog, state) =>
      state.min === state.next || state.storedAtMs < atMs ? null : (catalog.segmentSince(state.id, atMs) ?? lastSegment(state));
    return this.#lookUp(queue, find, async ({ state, segment }) =>
      segment === null ? state.next : maxOffset(state.min, await this.#indexes.offsetAt(state, segment, atMs)),
    );
  }

  /** Files may go while one looks: then again, at what is left. */
  async #lookUp<Answer>(queue: MessageQueue, find: Find, look: (found: Found) => Promise<Answer>): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const found = this.#find(queue, find);
        const isInOrder = (await this.#checked(found.state)) === found.state;
        return await look(isInOrder ? found : this.#find(queue, find));
      } catch (error) {
        if (!isMissingFile(error)) throw fileError(error, this.#folder);
        if (attempt === ATTEMPTS_MAX) throw logDamaged({ path: error.path, position: 0 }, 'the file is missing', error);
      }
    }
  }

  #find(queue: MessageQueue, find: Find): Found {
    const { state, segment } = this.#database.readTogether((catalog) => {
      const found = stateIn(catalog, queue);
      return { state: found, segment: find(catalog, found) };
    });
    if (segment === undefined) throw logDamaged({ path: this.#files.queueFolder(state), position: 0 }, 'a segment is missing');
    return { state, segment };
  }

  async #checked(state: QueueState): Promise<QueueState> {
    try {
      return await this.#tails.check(state);
    } catch (error) {
      throw fileError(error, this.#folder);
    }
  }

  async #boundsOf(state: QueueState): Promise<QueueBounds> {
    try {
      return boundsOf(await this.#checked(state));
    } catch (error) {
      if (error instanceof ConnectError && (error.code === 'log.damaged' || error.code === 'log.newer')) return boundsOf(state);
      throw error;
    }
  }
}

function stateIn(catalog: TopicCatalog, queue: MessageQueue): QueueState {
  const state = catalog.state(queue);
  if (state === undefined) throw queueMissing(queue);
  return state;
}

function boundsOf({ min, next }: QueueState): QueueBounds {
  return { min, max: next };
}

function nextOf(records: readonly LogRecord[], from: Offset): Offset {
  const last = records.at(-1)?.offset;
  return last === undefined ? from : ((last + 1n) as Offset);
}
