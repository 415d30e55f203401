import { type FileHandle, open } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Offset } from '../../core/offset.ts';
import type { QueueState } from './topic-catalog.ts';

/** Open files that nobody uses at the moment are kept up to this number. */
const IDLE_FILES_MAX = 32;

/** Digits of the largest offset. */
const OFFSET_DIGITS = 19;

/** Of a topic's name in a folder's; the id before it tells topics apart. */
const NAME_CHARACTERS_MAX = 64;

const TOPICS_FOLDER = 'topics';

export interface OpenSegment {
  readonly path: string;
  readonly file: FileHandle;
  /** To be called once, when nothing more is asked of the file. */
  release(): void;
}

interface Entry {
  readonly opening: Promise<FileHandle>;
  users: number;
}

/** The segment files of a log; those that are read are kept open while they are in use and some time longer. */
export class SegmentFiles {
  /** Holds one folder for each topic, named by its id, so that a topic created again has another one. */
  readonly topicsFolder: string;
  readonly #entries = new Map<string, Entry>();

  /** `folder`: of the log. */
  constructor(folder: string) {
    this.topicsFolder = join(folder, TOPICS_FOLDER);
  }

  topicFolder({ topicId, queue }: QueueState): string {
    const readable = queue.topic.slice(0, NAME_CHARACTERS_MAX).replaceAll(/[^A-Za-z0-9_.-]/g, '_');
    return join(this.topicsFolder, `${topicId}-${readable}`);
  }

  queueFolder(state: QueueState): string {
    return join(this.topicFolder(state), String(state.queue.queueId));
  }

  path(state: QueueState, firstOffset: Offset): string {
    return join(this.queueFolder(state), `${String(firstOffset).padStart(OFFSET_DIGITS, '0')}.segment`);
  }

  /** Throws `ENOENT` where there is no such file. */
  async open(state: QueueState, firstOffset: Offset): Promise<OpenSegment> {
    const path = this.path(state, firstOffset);
    const entry = this.#entries.get(path) ?? this.#newEntry(path);
    entry.users += 1;
    // At the end of the order: the first ones have not been used for the longest time.
    this.#entries.delete(path);
    this.#entries.set(path, entry);
    try {
      const file = await entry.opening;
      return { path, file, release: () => this.#release(path, entry) };
    } catch (error) {
      if (this.#entries.get(path) === entry) this.#entries.delete(path);
      throw error;
    }
  }

  /** Lets go of a file that was removed, so that the disk gets its space back. */
  forget(path: string): void {
    const entry = this.#entries.get(path);
    if (entry === undefined) return;
    this.#entries.delete(path);
    if (entry.users === 0) closeSoon(entry);
  }

  /** As `forget`, for all files of a queue. */
  forgetQueue(state: QueueState): void {
    const folder = join(this.queueFolder(state), sep);
    for (const path of [...this.#entries.keys()]) if (path.startsWith(folder)) this.forget(path);
  }

  /** Once nobody uses a file any more. */
  async close(): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(entries.map(closed));
  }

  #newEntry(path: string): Entry {
    void this.#forgetRemoved();
    return { opening: open(path, 'r+'), users: 0 };
  }

  /** What another process has removed keeps its space on the disk as long as it is open here. Never rejects. */
  async #forgetRemoved(): Promise<void> {
    const idle = [...this.#entries].filter(([, { users }]) => users === 0);
    for (const [path, { opening }] of idle) {
      const links = await opening
        .then((file) => file.stat())
        .then(
          ({ nlink }) => nlink,
          () => 0,
        );
      if (links === 0) this.forget(path);
    }
  }

  #release(path: string, entry: Entry): void {
    entry.users -= 1;
    if (entry.users > 0) return;
    if (this.#entries.get(path) !== entry) closeSoon(entry);
    else this.#closeIdle();
  }

  #closeIdle(): void {
    let surplus = this.#entries.size - IDLE_FILES_MAX;
    for (const [path, entry] of this.#entries) {
      if (surplus <= 0) return;
      if (entry.users > 0) continue;
      this.#entries.delete(path);
      closeSoon(entry);
      surplus -= 1;
    }
  }
}

/** A file that could not be opened needs no closing, and whoever asked for it knows. */
async function closed({ opening }: Entry): Promise<void> {
  await opening.then(
    (file) => file.close(),
    () => undefined,
  );
}

/** Nobody waits for it, and nothing is left to be written that its closing could lose. */
function closeSoon(entry: Entry): void {
  void closed(entry).catch(() => undefined);
}
