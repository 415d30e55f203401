/** A folder for everything, its state, its log unless that is elsewhere, and the product on them: for benchmarks of the whole. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DataFolder, openDataFolder } from '../../adapters/data-folder.ts';
import type { LogSettings } from '../../adapters/open-log.ts';
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

/** Where topics are, for this process and for the product. */
export interface WholeLog {
  readonly settings: LogSettings;
  readonly env: NodeJS.ProcessEnv;
}

const EMBEDDED: WholeLog = { settings: { kind: 'embedded' }, env: {} };

export class Whole {
  /** For sources and targets. */
  readonly folder: string;
  readonly #data: DataFolder;
  readonly #env: NodeJS.ProcessEnv;
  readonly #started: Sortie[] = [];

  constructor(folder: string, data: DataFolder, env: NodeJS.ProcessEnv) {
    this.folder = folder;
    this.#data = data;
    this.#env = env;
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
    const sortie = new Sortie(this.dataFolder, { ...this.#env, ...env });
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

export async function withWhole(body: (whole: Whole) => Promise<void>, { settings, env }: WholeLog = EMBEDDED): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-bench-'));
  const world = { clock: systemClock, random: systemRandom, telemetry: silent };
  const data = await openDataFolder(dataFolderIn(folder), { ...world, log: settings });
  const whole = new Whole(folder, data, env);
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
