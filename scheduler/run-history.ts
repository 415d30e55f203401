/**
 * The history of invocations, kept in the store for a while: pages of run records per connector, written some seconds after
 * the fact, so that history costs a write per page and not one per invocation. What a scheduler that dies had not written yet is
 * missing from history, and nowhere else.
 */
import type { Offer, RunRecord } from '../core/offer.ts';
import type { Clock, StateStore } from '../core/ports.ts';

export interface RunHistoryDeps {
  readonly store: StateStore;
  readonly clock: Clock;
}

/** A page holds what came within so long. */
const PAGE_MS = 5_000;
/** Where thousands of connectors run, pages are written later and hold more, so that history holds up no look at the rest. */
const PAGES_PER_FLUSH = 100;
/** Of one connector between two writes; of a burst the newest, and failures before others. */
const PAGE_RUNS_MAX = 100;
const PAGES_KEPT = 100;
const KEPT_MS = 7 * 24 * 3_600_000;
/** Old pages are looked for once in so many writes. */
const PRUNE_EVERY_PAGES = 10;

interface Unwritten {
  readonly runs: RunRecord[];
  /** When the first of them came, monotonic. */
  readonly sinceMs: number;
}

export class RunHistory {
  readonly #deps: RunHistoryDeps;
  /** By connector; whose runs wait longest comes first. */
  readonly #unwritten = new Map<string, Unwritten>();
  /** Pages that were written, by connector: as many entries as connectors have run. */
  readonly #pages = new Map<string, number>();

  constructor(deps: RunHistoryDeps) {
    this.#deps = deps;
  }

  /** One that claimed nothing is not worth a line. */
  add({ uid }: Offer, run: RunRecord): void {
    if (run.outcome === null) return;
    let unwritten = this.#unwritten.get(uid);
    if (unwritten === undefined) {
      unwritten = { runs: [], sinceMs: this.#deps.clock.monotonicMs() };
      this.#unwritten.set(uid, unwritten);
    }
    unwritten.runs.push(run);
    if (unwritten.runs.length > PAGE_RUNS_MAX) dropOne(unwritten.runs);
  }

  /** Runs of the connector that no page holds yet, newest first. */
  unwritten(uid: string): readonly RunRecord[] {
    return (this.#unwritten.get(uid)?.runs ?? []).toReversed();
  }

  /** Writes what has come together, where it is time to. */
  async flush(): Promise<void> {
    const dueMs = this.#deps.clock.monotonicMs() - PAGE_MS;
    let pages = 0;
    for (const [uid, { runs, sinceMs }] of this.#unwritten) {
      if (sinceMs > dueMs || pages === PAGES_PER_FLUSH) return;
      await this.#write(uid, [...runs]);
      pages += 1;
    }
  }

  async #write(uid: string, runs: readonly RunRecord[]): Promise<void> {
    const { store, clock } = this.#deps;
    const key = { partition: partitionOf(uid), sort: newestFirst(runs.at(-1) as RunRecord) };
    const page = JSON.stringify({ v: 1, runs: runs.toReversed() });
    await store.put(key, page, { ifAbsent: true }, { expiresAtMs: clock.nowMs() + KEPT_MS });
    // Where the store did not answer, all of it stays.
    this.#written(uid, new Set(runs));
    const pages = (this.#pages.get(uid) ?? 0) + 1;
    this.#pages.set(uid, pages);
    if (pages % PRUNE_EVERY_PAGES === 0) await prune(store, uid);
  }

  /** What came meanwhile is for the next page. */
  #written(uid: string, written: ReadonlySet<RunRecord>): void {
    const runs = this.#unwritten.get(uid)?.runs.filter((run) => !written.has(run)) ?? [];
    this.#unwritten.delete(uid);
    if (runs.length > 0) this.#unwritten.set(uid, { runs, sinceMs: this.#deps.clock.monotonicMs() });
  }
}

/** Runs of a connector as they are stored, newest first. */
export async function readRuns(
  store: StateStore,
  uid: string,
  { runsMax }: { readonly runsMax: number },
): Promise<readonly RunRecord[]> {
  const { documents } = await store.list(partitionOf(uid), { limit: PAGES_KEPT });
  const runs: RunRecord[] = [];
  for (const { value } of documents) {
    if (runs.length >= runsMax) break;
    runs.push(...(JSON.parse(value) as { readonly runs: readonly RunRecord[] }).runs);
  }
  return runs.slice(0, runsMax);
}

/** Failures are what history is read for. */
function dropOne(runs: RunRecord[]): void {
  const index = runs.findIndex(({ outcome }) => outcome !== 'failed');
  runs.splice(Math.max(index, 0), 1);
}

async function prune(store: StateStore, uid: string): Promise<void> {
  const { next } = await store.list(partitionOf(uid), { limit: PAGES_KEPT });
  if (next === undefined) return;
  const { documents } = await store.list(partitionOf(uid), { limit: PAGES_KEPT, after: next });
  for (const { key, version } of documents) await store.delete(key, { ifVersion: version });
}

function partitionOf(uid: string): string {
  return `runs/${uid}`;
}

/** 13 digits of milliseconds last until the year 2286; the rest of the key tells two pages of one millisecond apart. */
const LAST_MS = 9_999_999_999_999;

function newestFirst({ endedAtMs, offerId }: RunRecord): string {
  return `${String(LAST_MS - endedAtMs).padStart(13, '0')}-${offerId}`;
}
