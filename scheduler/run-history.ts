/**
 * The history of invocations, kept in the store for a while: pages of run records per connector, written some seconds after
 * the fact, so that history costs a write per page and not one per invocation. What a scheduler that dies had not written yet is
 * missing from history, and nowhere else.
 */
import { FatalTaskError, RetryableError } from '../core/errors.ts';
import type { Offer, RunRecord } from '../core/offer.ts';
import type { CancelSignal, Clock, DocumentKey, StateStore } from '../core/ports.ts';
import { sideBySide } from '../core/side-by-side.ts';

export interface RunHistoryDeps {
  readonly store: StateStore;
  readonly clock: Clock;
}

const FORMAT = 1;

/** A page holds what came within so long. */
const PAGE_MS = 5_000;
/** Where thousands of connectors run, pages are written later and hold more, so that history holds up no look at the rest. */
const PAGES_PER_FLUSH = 100;
const WRITES_AT_ONCE = 4;
/** No write begins after so long: what is left waits for longest in the next round. */
const FLUSH_FOR_MS = 1_000;
/** At the end of the process, which somebody waits for; Kubernetes, for one, ends it by force after 30 s. */
const FLUSH_ALL_FOR_MS = 10_000;
/** Of one connector between two writes; of a burst the newest, and failures before others. */
const PAGE_RUNS_MAX = 100;
const PAGES_KEPT = 100;
const KEPT_MS = 7 * 24 * 3_600_000;
/** Old pages are looked for once in so many writes. */
const PRUNE_EVERY_PAGES = 10;

/**
 * Half of what every store takes, which may refuse a text of fewer characters but more bytes. A run is some 1,000 characters long, and
 * 3,500 where its error says a lot.
 */
const PAGE_CHARACTERS_MAX = 131_072;

interface Unwritten {
  /** The oldest first. */
  readonly runs: RunRecord[];
  /** When the first of them came, or could not be written, monotonic. */
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
  async flush(signal?: CancelSignal): Promise<void> {
    await this.#write(this.#due(), { forMs: FLUSH_FOR_MS, signal });
  }

  /**
   * Writes everything: once nothing runs any more, before the process ends. Runs that the store does not take within ten seconds
   * are lost.
   *
   * @throws {RetryableError} when some are.
   */
  async flushAll(): Promise<void> {
    const { clock } = this.#deps;
    const untilMs = clock.monotonicMs() + FLUSH_ALL_FOR_MS;
    // Each turn writes at least one run, or throws.
    while (this.#unwritten.size > 0) {
      const forMs = untilMs - clock.monotonicMs();
      if (forMs <= 0) throw new RetryableError('the store takes too long', { code: 'store.unavailable' });
      await this.#write([...this.#unwritten.keys()], { forMs });
    }
  }

  #due(): readonly string[] {
    const dueMs = this.#deps.clock.monotonicMs() - PAGE_MS;
    const due: string[] = [];
    for (const [uid, { sinceMs }] of this.#unwritten) {
      if (sinceMs > dueMs || due.length === PAGES_PER_FLUSH) break;
      due.push(uid);
    }
    return due;
  }

  async #write(
    uids: readonly string[],
    { forMs, signal }: { readonly forMs: number; readonly signal?: CancelSignal | undefined },
  ): Promise<void> {
    const { clock } = this.#deps;
    const untilMs = clock.monotonicMs() + forMs;
    const goesOn = (): boolean => signal?.aborted !== true && clock.monotonicMs() < untilMs;
    const write = async (uid: string): Promise<void> => {
      await this.#writeOne(uid);
      await this.#notePage(uid, goesOn);
    };
    await sideBySide(uids, WRITES_AT_ONCE, write, goesOn);
  }

  /**
   * Where the store does not answer, the page may be there all the same: the next attempt sends the very same one, and finds it.
   */
  async #writeOne(uid: string): Promise<void> {
    const unwritten = this.#unwritten.get(uid);
    if (unwritten === undefined) return;
    const { store, clock } = this.#deps;
    const { runs } = unwritten;
    const sent = unwritten.sent ?? pageOf(uid, runs.splice(0, fitting(runs)));
    // One that the store does not take keeps no other waiting: until it is written it comes after them.
    this.#unwritten.delete(uid);
    this.#unwritten.set(uid, { runs, sinceMs: clock.monotonicMs(), sent });
    const value = JSON.stringify({ v: FORMAT, runs: sent.runs.toReversed() });
    await store.put(sent.key, value, { ifAbsent: true }, { expiresAtMs: clock.nowMs() + KEPT_MS });
    this.#unwritten.delete(uid);
    // What was left over, or came meanwhile, is for the next page.
    if (runs.length > 0) this.#unwritten.set(uid, { runs, sinceMs: clock.monotonicMs(), sent: null });
  }

  async #notePage(uid: string, goesOn: () => boolean): Promise<void> {
    const { store, clock } = this.#deps;
    const atMs = clock.monotonicMs();
    const count = (this.#pages.get(uid)?.count ?? 0) + 1;
    this.#pages.delete(uid);
    this.#pages.set(uid, { count, atMs });
    for (const [other, { atMs: lastAtMs }] of this.#pages) {
      if (lastAtMs > atMs - KEPT_MS) break;
      this.#pages.delete(other);
    }
    if (count % PRUNE_EVERY_PAGES === 0) await prune(store, uid, goesOn);
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

/** Where to go on in a history of runs. */
export interface RunPlace {
  /** A run of a stored page, by the page's key and counted from its newest. */
  readonly page: string;
  readonly index: number;
  /** What the list of pages that has it came after; `null`: the first one. */
  readonly after: string | null;
}

/** Of one call of the store: at most as many are more than 1.3 MB. */
const PAGES_AT_ONCE = 10;

/**
 * As `readRuns`, from a place on, and where the next ones are; `null`: there are none. Runs that came since that place was told are
 * left out, and every other one comes once.
 */
export async function readRunsFrom(
  store: StateStore,
  uid: string,
  { runsMax, from }: { readonly runsMax: number; readonly from: RunPlace | null },
): Promise<{ readonly runs: readonly RunRecord[]; readonly next: RunPlace | null }> {
  const runs: RunRecord[] = [];
  let after = from?.after ?? null;
  // As many turns as there are pages kept.
  for (;;) {
    const { documents, next } = await store.list(partitionOf(uid), {
      limit: PAGES_AT_ONCE,
      ...(after === null ? {} : { after }),
    });
    for (const { key, value } of documents) {
      if (from !== null && key.sort < from.page) continue;
      const first = key.sort === from?.page ? from.index : 0;
      for (const [index, run] of decodePage(value, uid).entries()) {
        if (index < first) continue;
        if (runs.length === runsMax) return { runs, next: { page: key.sort, index, after } };
        runs.push(run);
      }
    }
    if (next === undefined) return { runs, next: null };
    after = next;
  }
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

async function prune(store: StateStore, uid: string, goesOn: () => boolean): Promise<void> {
  const { next } = await store.list(partitionOf(uid), { limit: PAGES_KEPT });
  if (next === undefined) return;
  const { documents } = await store.list(partitionOf(uid), { limit: PAGES_KEPT, after: next });
  // What is left is found again ten pages later.
  for (const { key, version } of documents) {
    if (!goesOn()) return;
    await store.delete(key, { ifVersion: version });
  }
}

function partitionOf(uid: string): string {
  return `runs/${uid}`;
}

/** 13 digits of milliseconds last until the year 2286; the rest of the key tells two pages of one millisecond apart. */
const LAST_MS = 9_999_999_999_999;

function newestFirst({ endedAtMs, offerId }: RunRecord): string {
  return `${String(LAST_MS - endedAtMs).padStart(13, '0')}-${offerId}`;
}
