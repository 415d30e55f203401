/** How long a row takes from its commit in the shop until the replica shows it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

/** Half of this is added to what is measured, on average. */
const LOOK_EVERY_MS = 2;

export class ReplicaWatch {
  readonly #path: string;
  readonly #latenciesMs: number[] = [];
  #lastProbe = 0;

  constructor(folder: string) {
    this.#path = join(folder, 'replica.db');
  }

  /** The newest probe that has arrived. */
  get lastProbe(): number {
    return this.#lastProbe;
  }

  async run(signal: AbortSignal): Promise<void> {
    const newer = await this.#open(signal);
    while (newer !== null && !signal.aborted) {
      for (const { id, committed_at_ms: committedAtMs } of newer.all(this.#lastProbe)) {
        this.#lastProbe = Number(id);
        this.#latenciesMs.push(Date.now() - Number(committedAtMs));
      }
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** The latency that `share` of the probes stayed below, ms. */
  quantileMs(share: number): number {
    const sorted = this.#latenciesMs.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  }

  /** Once the replica and its table are there. */
  async #open(signal: AbortSignal): Promise<StatementSync | null> {
    while (!signal.aborted) {
      if (existsSync(this.#path)) {
        try {
          const database = new DatabaseSync(this.#path, { readOnly: true, timeout: 1_000 });
          return database.prepare('SELECT id, committed_at_ms FROM probes WHERE id > ? ORDER BY id');
        } catch {
          // Its table comes with the first row.
        }
      }
      await sleep(LOOK_EVERY_MS * 10);
    }
    return null;
  }
}
