/**
 * What goes from the log: first from the database, durably, then from the disk. A crash in between leaves files that nobody
 * knows; `sweep` removes them.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { MessageQueue } from '../../core/message-queue.ts';
import { maxOffset, minOffset, type Offset } from '../../core/offset.ts';
import type { Clock } from '../../core/ports.ts';
import { queueMissing } from '../../core/topic-missing.ts';
import type { LogDatabase } from './log-database.ts';
import { expiryOf, type Retention } from './retention.ts';
import type { SegmentFiles } from './segment-files.ts';
import type { QueueState } from './topic-catalog.ts';

export interface RemovalDeps {
  readonly database: LogDatabase;
  readonly files: SegmentFiles;
  readonly clock: Clock;
  readonly retention: Retention;
}

export class Removal {
  readonly #deps: RemovalDeps;

  constructor(deps: RemovalDeps) {
    this.#deps = deps;
  }

  /** Applies the retention to a queue. Answers whether anything has expired. */
  async expire(queue: MessageQueue): Promise<boolean> {
    const { database, retention, clock } = this.#deps;
    const isDue = database.read((catalog) => {
      const state = catalog.state(queue);
      return state !== undefined && expiryOf(catalog, state, retention, clock.nowMs()) !== null;
    });
    return isDue && (await this.#expire(queue, (state) => state));
  }

  /** Drops the records below `min`, at most all there are; their files go by whole segments. */
  async truncateBefore(queue: MessageQueue, min: Offset): Promise<void> {
    await this.#expire(queue, (state) => ({ ...state, min: maxOffset(state.min, minOffset(min, state.next)) }));
  }

  async deleteTopic(topic: string): Promise<void> {
    const { database, files } = this.#deps;
    const gone = await database.write(
      ({ catalog, changes }) => {
        const states = catalog.states().filter(({ queue }) => queue.topic === topic);
        changes.deleteTopic(topic);
        return states;
      },
      { durable: true },
    );
    for (const state of gone) files.forgetQueue(state);
    const [first] = gone;
    if (first !== undefined) await rm(files.topicFolder(first), { recursive: true, force: true });
  }

  /** Removes folders of topics that were deleted, and segments that had expired, when a crash came before the files went. */
  async sweep(): Promise<void> {
    const { database, files } = this.#deps;
    // In this order: a folder is made after its topic, so a folder without one is of a topic that is gone.
    const folders = await namesIn(files.topicsFolder);
    const states = database.read((catalog) => catalog.states());
    const known = new Set(states.map((state) => files.topicFolder(state)));
    for (const name of folders) {
      const folder = join(files.topicsFolder, name);
      if (!known.has(folder)) await rm(folder, { recursive: true, force: true });
    }
    for (const state of states) await this.#sweepQueue(state);
  }

  async #sweepQueue(state: QueueState): Promise<void> {
    const { database, files } = this.#deps;
    const [oldest] = database.read((catalog) => catalog.segments(state.id));
    const firstPath = files.path(state, oldest?.firstOffset ?? state.segmentOffset);
    for (const name of await namesIn(files.queueFolder(state))) {
      const path = join(files.queueFolder(state), name);
      // Names have as many digits as the largest offset, so they are in the order of their offsets.
      if (path < firstPath) await rm(path, { force: true });
    }
  }

  async #expire(queue: MessageQueue, change: (state: QueueState) => QueueState): Promise<boolean> {
    const { database, files, retention, clock } = this.#deps;
    const expiry = await database.write(
      ({ catalog, changes }) => {
        const state = catalog.state(queue);
        if (state === undefined) throw queueMissing(queue);
        const changed = change(state);
        const found = expiryOf(catalog, changed, retention, clock.nowMs());
        if (found !== null) changes.dropSegments(state.id, found.firstKept);
        changes.save(found?.state ?? changed);
        return found;
      },
      { durable: true },
    );
    if (expiry === null) return false;
    for (const firstOffset of expiry.segments) {
      const path = files.path(expiry.state, firstOffset);
      files.forget(path);
      await rm(path, { force: true });
    }
    return true;
  }
}

/** None where there is no such folder yet. */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}
