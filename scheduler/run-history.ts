/**
 * The history of invocations, kept in the store for a while: pages of run records per connector, written some seconds after
 * the fact, so that history costs a write per page and not one per invocation. What a scheduler that dies had not written yet is
 * missing from history, and nowhere else.
 */
import { FatalTaskError } from '../core/errors.ts';
import type { Offer, RunRecord } from '../core/offer.ts';
import type { Clock, DocumentKey, StateStore } from '../core/ports.ts';

export interface RunHistoryDeps {
  readonly store: StateStore;
  readonly clock: Clock;
}

const FORMAT = 1;

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

/**
 * Half of what every store takes, which may refuse a text of fewer characters but more bytes. A run is some 600 characters long, and
 * 3,000 where its error says a lot.
 */
const PAGE_CHARACTERS_MAX = 131_072;

interface Unwritten {
  /** The oldest first. */
  readonly runs: RunRecord[];
  /** When the first of them came, monotonic. */
  readonly sinceMs: number;
  /** Older than all of them: a page that was sent to the store, and no reply came. */
  readonly sent: Page | null;
}

interface Page {
  readonly key: DocumentKey;
  readonly runs: readonly RunRecord[];
}

export class RunHistory {
  readonly #deps: RunHistoryDeps;
  /** By connector; whose runs wait longest comes first. */
  readonly #unwritten = new Map<string, Unwritten>();
  /** Pages that were written, by connector; whose last one is oldest comes first, and goes when that is not kept any more. */
  readonly #pages = new Map<string, { readonly count: number; readonly atMs: number }>();

  constructor(deps: RunHistoryDeps) {
    this.#deps = deps;
  }

  /** One that claimed nothing is not worth a line. */
  add({ uid }: Offer, run: RunRecord): void {
    if (run.outcome === null) return;
    let unwritten = this.#unwritten.get(uid);
    if (unwritten === undefined) {
      unwritten = { runs: [], sinceMs: this.#deps.clock.monotonicMs(), sent: null };
      this.#unwritten.set(uid, unwritten);
    }
    unwritten.runs.push(run);
    if (unwritten.runs.length > PAGE_RUNS_MAX) dropOne(unwritten.runs);
  }

  /** Runs of the connector that no page holds yet, newest first. */
  unwritten(uid: string): readonly RunRecord[] {
    const { runs = [], sent = null } = this.#unwritten.get(uid) ?? {};
    return [...(sent?.runs ?? []), ...runs].reverse();
  }

  /** Writes what has come together, where it is time to. */
  async flush(): Promise<void> {
    const dueMs = this.#deps.clock.monotonicMs() - PAGE_MS;
    let pages = 0;
    for (const [uid, { sinceMs }] of this.#unwritten) {
      if (sinceMs > dueMs || pages === PAGES_PER_FLUSH) return;
      await this.#writeOne(uid);
      pages += 1;
    }
  }

  /** Writes everything: once nothing runs any more, before the process ends. */
  async flushAll(): Promise<void> {
    // Each turn writes at least one run, or throws.
    for (const uid of this.#unwritten.keys()) while (this.#unwritten.has(uid)) await this.#writeOne(uid);
  }

  /**
   * Where the store does not answer, the page may be there all the same: the next attempt sends the very same one, and finds it.
   */
  async #writeOne(uid: string): Promise<void> {
    const unwritten = this.#unwritten.get(uid);
    if (unwritten === undefined) return;
    const { runs, sinceMs } = unwritten;
    const sent = unwritten.sent ?? pageOf(uid, runs.splice(0, fitting(runs)));
    this.#unwritten.set(uid, { runs, sinceMs, sent });
    const { store, clock } = this.#deps;
    const value = JSON.stringify({ v: FORMAT, runs: sent.runs.toReversed() });
    await store.put(sent.key, value, { ifAbsent: true }, { expiresAtMs: clock.nowMs() + KEPT_MS });
    this.#unwritten.delete(uid);
    // What was left over, or came meanwhile, is for the next page.
    if (runs.length > 0) this.#unwritten.set(uid, { runs, sinceMs: clock.monotonicMs(), sent: null });
    await this.#notePage(uid);
  }

  async #notePage(uid: string): Promise<void> {
    const { store, clock } = this.#deps;
    const atMs = clock.monotonicMs();
    const count = (this.#pages.get(uid)?.count ?? 0) + 1;
    this.#pages.delete(uid);
    this.#pages.set(uid, { count, atMs });
    for (const [other, { atMs: lastAtMs }] of this.#pages) {
      if (lastAtMs > atMs - KEPT_MS) break;
      this.#pages.delete(other);
    }
    if (count % PRUNE_EVERY_PAGES === 0) await prune(store, uid);
  }
}

/** Runs of a connector as they are stored, newest first. @throws {FatalTaskError} when a page of them cannot be read. */
export async function readRuns(
  store: StateStore,
  uid: string,
  { runsMax }: { readonly runsMax: number },
): Promise<readonly RunRecord[]> {
  const { documents } = await store.list(partitionOf(uid), { limit: PAGES_KEPT });
  const runs: RunRecord[] = [];
  for (const { value } of documents) {
    if (runs.length >= runsMax) break;
    runs.push(...decodePage(value, uid));
  }
  return runs.slice(0, runsMax);
}

/** @throws {FatalTaskError} `store.document_corrupt` or `store.document_newer`, naming the connector by its uid. */
function decodePage(text: string, uid: string): readonly RunRecord[] {
  const corrupt = (cause?: unknown): FatalTaskError =>
    new FatalTaskError(`a page of the history of connector ${uid} cannot be read`, { code: 'store.document_corrupt', cause });
  let page: { readonly v?: unknown; readonly runs?: unknown } | null;
  try {
    page = JSON.parse(text);
  } catch (cause) {
    throw corrupt(cause);
  }
  if (typeof page?.v === 'number' && page.v > FORMAT)
    throw new FatalTaskError(
      `a page of the history of connector ${uid} is stored in format ${page.v}, this version reads up to ${FORMAT}`,
      { code: 'store.document_newer' },
    );
  if (page?.v !== FORMAT || !Array.isArray(page.runs)) throw corrupt();
  return page.runs as readonly RunRecord[];
}

/** Failures are what history is read for. */
function dropOne(runs: RunRecord[]): void {
  const index = runs.findIndex(({ outcome }) => outcome !== 'failed');
  runs.splice(Math.max(index, 0), 1);
}

/** How many of them, the oldest first, a page takes; at least one. */
function fitting(runs: readonly RunRecord[]): number {
  let characters = 0;
  const index = runs.findIndex((run) => {
    characters += JSON.stringify(run).length;
    return characters > PAGE_CHARACTERS_MAX;
  });
  return index < 0 ? runs.length : Math.max(index, 1);
}

function pageOf(uid: string, runs: readonly RunRecord[]): Page {
  return { key: { partition: partitionOf(uid), sort: newestFirst(runs.at(-1) as RunRecord) }, runs };
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
