/** A folder for everything, its state and log, and the product on them: for benchmarks of the whole. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DataFolder, openDataFolder } from '../../adapters/data-folder.ts';
import { systemClock, systemRandom } from '../../adapters/system.ts';
import { readConnector } from '../../core/connector.ts';
import { watermark } from '../../core/cursor/cursor.ts';
import { cursorPartition, StoredCursor } from '../../core/cursor/stored-cursor.ts';
import type { LogBroker, StateStore } from '../../core/ports.ts';
import type { ShardId } from '../../core/shard-id.ts';
import { silent } from '../scheduler/daemon.ts';
import { Sortie } from './sortie.ts';

/** More shards than any benchmark has. */
const SHARDS_MAX = 1_000;

export class Whole {
  /** For sources and targets. */
  readonly folder: string;
  readonly #data: DataFolder;
  readonly #started: Sortie[] = [];

  constructor(folder: string, data: DataFolder) {
    this.folder = folder;
    this.#data = data;
  }

  /** Shared with the product, and written in the same way. */
  get log(): LogBroker {
    return this.#data.broker;
  }

  get store(): StateStore {
    return this.#data.store;
  }

  get dataFolder(): string {
    return dataFolderIn(this.folder);
  }

  start(env: NodeJS.ProcessEnv = {}): Sortie {
    const sortie = new Sortie(this.dataFolder, env);
    this.#started.push(sortie);
    return sortie;
  }

  /** Records that a sink is finished with, in all of its queues. */
  async finished(connector: string): Promise<number> {
    const found = await readConnector({ store: this.store }, connector);
    if (found === null) return 0;
    const { documents } = await this.store.list(cursorPartition(found.uid), { limit: SHARDS_MAX });
    const deps = { store: this.store, clock: systemClock, random: systemRandom };
    return documents.reduce((sum, { key, ...document }) => {
      const { cursor } = StoredCursor.of(deps, key.sort as ShardId, document);
      return cursor.kind === 'log' ? sum + Number(watermark(cursor)) : sum;
    }, 0);
  }

  /** Records that a topic has, and had. */
  async appended(topic: string): Promise<number> {
    const bounds = await this.log.bounds(await this.log.queues(topic));
    return bounds.reduce((sum, queue) => sum + Number(queue?.max ?? 0), 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.#started.map((sortie) => sortie.stop()));
    await this.#data.close();
  }
}

export async function withWhole(body: (whole: Whole) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-bench-'));
  const data = await openDataFolder(dataFolderIn(folder), { clock: systemClock, random: systemRandom, telemetry: silent });
  const whole = new Whole(folder, data);
  try {
    await body(whole);
  } finally {
    await whole.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function dataFolderIn(folder: string): string {
  return join(folder, 'data');
}
