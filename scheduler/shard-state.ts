/** What a scheduler remembers of one shard. Nothing of it is ever the truth: the stored cursor is. */
import { decodeCursor } from '../core/cursor/codec.ts';
import { type Cursor, type Holder, holdersOf, type LogCursor } from '../core/cursor/cursor.ts';
import { FatalTaskError } from '../core/errors.ts';
import { jsonEquals } from '../core/json.ts';
import type { MessageQueue } from '../core/message-queue.ts';
import type { EndedHolder } from '../core/offer.ts';
import type { Offset } from '../core/offset.ts';
import { isHolderOf, offerIdOf } from '../core/owner.ts';
import type { Demand } from '../core/planner/demand.ts';
import type { PlannedShard } from '../core/planner/view.ts';
import type { StoredDocument } from '../core/ports.ts';
import { parseShardId, queueOfShard, type ShardId } from '../core/shard-id.ts';
import { backlogOf } from './status.ts';

export class ShardState implements PlannedShard {
  readonly shard: ShardId;
  readonly uid: string;
  readonly queue: MessageQueue | undefined;
  cursor: Cursor | null = null;
  version: string | null = null;
  /** What keeps its stored document from being read. */
  problem: FatalTaskError | null = null;
  bounds: PlannedShard['bounds'];
  readonly offers = new Set<string>();
  /** Holders whose end was seen. */
  readonly endedOwners = new Map<string, EndedHolder>();
  notBeforeMs = 0;
  pollAfterMs = 0;
  /** Behind which offset the log last told of a record. */
  toldFrom: Offset | null = null;
  /** Times in a row that invocations got nowhere: claimed nothing, were fenced, or died. */
  empties = 0;
  /** When the last of these was, monotonic. */
  emptyAtMs = Number.NEGATIVE_INFINITY;
  waitingSinceMs: number | null = null;
  /** When it was last seen to have finished more. */
  movedAtMs: number | null = null;
  demand: Demand | null = null;
  /** Invocations of it as they are counted now, among those of its connector. */
  running = 0;
  /** Whether it is counted among those of its connector that want one now and then. */
  isUnsettled = false;
  /** The number of its last observation, in the order of all. */
  observedAs = 0;
  isTriggered = false;
  /** For which moment the agenda has it, the one that was asked for last. */
  onAgendaAtMs: number | null = null;
  isDirty = false;
  /** Until when it was last known to have nothing to do; `null`: it never was. */
  #drainedUntilMs: number | null = null;
  #isDrained = false;
  /** Where it never was: since when it was seen to have something to do. */
  #behindSinceMs: number | null = null;

  constructor(shard: ShardId) {
    this.shard = shard;
    this.uid = parseShardId(shard).uid;
    this.queue = queueOfShard(shard);
    this.bounds = this.queue === undefined ? null : 'unknown';
  }

  /** Takes note of a document; `false` when it says nothing new. What is older than what is known is left out. */
  observe({ value, version }: StoredDocument, nowMs: number): boolean {
    if (version === this.version) return false;
    let seen: Cursor;
    try {
      seen = decodeCursor(value, this.shard);
    } catch (error) {
      if (!(error instanceof FatalTaskError)) throw error;
      this.problem = error;
      return true;
    }
    if (this.cursor !== null && isOlder(seen, this.cursor)) return false;
    if (this.cursor !== null && hasMoved(this.cursor, seen)) this.movedAtMs = nowMs;
    this.cursor = seen;
    this.version = version;
    this.problem = null;
    this.#forgetEnded(seen);
    if (seen.kind === 'log') this.#reaches(seen.next);
    return true;
  }

  /** Its document is gone, or its connector. What else was seen of it says nothing of a shard that is found again. */
  forget(): void {
    this.cursor = null;
    this.version = null;
    this.problem = null;
    this.bounds = this.queue === undefined ? null : 'unknown';
    this.toldFrom = null;
    this.notBeforeMs = 0;
    this.empties = 0;
    this.#drainedUntilMs = null;
    this.#isDrained = false;
    this.#behindSinceMs = null;
  }

  /** What this scheduler noted for itself moves with its clock. What stands in cursors is other clocks' too. */
  clockPutBack(byMs: number): void {
    this.notBeforeMs -= byMs;
    this.pollAfterMs -= byMs;
    if (this.waitingSinceMs !== null) this.waitingSinceMs -= byMs;
    if (this.movedAtMs !== null) this.movedAtMs -= byMs;
    if (this.#drainedUntilMs !== null) this.#drainedUntilMs -= byMs;
    if (this.#behindSinceMs !== null) this.#behindSinceMs -= byMs;
  }

  /** Records that wait or are being moved, as last seen; `null` for what has no end that is known. */
  get backlogRecords(): number | null {
    return backlogOf(this.cursor, typeof this.bounds === 'object' ? this.bounds : null);
  }

  /** To be called when anything about it has changed. What keeps a watch for records hears of the first one at once. */
  noteBacklog(nowMs: number): void {
    const records = this.backlogRecords;
    if (records === null) return;
    if (records === 0 || this.#isDrained) this.#drainedUntilMs = nowMs;
    this.#isDrained = records === 0;
    if (records > 0) this.#behindSinceMs ??= nowMs;
  }

  /** At most so old is the oldest record that is not finished. Where none ever was, it may be older: since when it is known to wait. */
  behindMs(nowMs: number): number {
    if (this.cursor?.kind !== 'log' || (this.backlogRecords ?? 0) === 0) return 0;
    const finishedMs = Math.max(this.#drainedUntilMs ?? 0, this.cursor.lastStoredAtMs ?? 0);
    return Math.max(0, nowMs - (finishedMs > 0 ? finishedMs : (this.#behindSinceMs ?? nowMs)));
  }

  /** The log was empty behind `next` when an invocation looked: whatever came since is told by its watch. */
  noteDrained(): void {
    if (this.cursor?.kind === 'log' && typeof this.bounds === 'object' && this.bounds !== null) {
      this.bounds = { min: this.bounds.min, max: this.cursor.next };
    }
  }

  /** What was claimed was there: the bounds are from an earlier look. */
  #reaches(next: Offset): void {
    const { bounds } = this;
    if (typeof bounds === 'object' && bounds !== null && bounds.max < next) this.bounds = { min: bounds.min, max: next };
  }

  /** This run has ended: what it still holds may be claimed at once. Another run of the same offer may go on. */
  noteEnd(run: string, { isGone }: Pick<EndedHolder, 'isGone'>): void {
    for (const { owner, epoch } of holders(this.cursor)) {
      if (isHolderOf(run, owner)) this.endedOwners.set(owner, { owner, epoch, isGone });
    }
  }

  /** What invocations of such offers still hold may be claimed at once. `true`: there is more of it than was known. */
  noteEndedOffers(prefixes: readonly string[]): boolean {
    if (prefixes.length === 0) return false;
    const before = this.endedOwners.size;
    for (const { owner, epoch } of holders(this.cursor)) {
      if (prefixes.some((prefix) => owner.startsWith(prefix))) this.endedOwners.set(owner, { owner, epoch, isGone: true });
    }
    return this.endedOwners.size > before;
  }

  /** Whether an invocation of this offer holds anything that was not to be over by then. */
  isHeldBy(offerId: string, afterMs: number): boolean {
    return holders(this.cursor).some(({ owner, deadlineAtMs }) => offerIdOf(owner) === offerId && deadlineAtMs > afterMs);
  }

  /** Whether invocations died on what comes next. */
  get isDeadly(): boolean {
    if (this.cursor === null) return false;
    return this.cursor.kind === 'checkpoint' ? this.cursor.deaths > 0 : this.cursor.open.some(({ deaths }) => deaths > 0);
  }

  ended(): readonly EndedHolder[] {
    return [...this.endedOwners.values()];
  }

  #forgetEnded(cursor: Cursor): void {
    if (this.endedOwners.size === 0) return;
    const present = new Set(holders(cursor).map(({ owner }) => owner));
    for (const owner of this.endedOwners.keys()) if (!present.has(owner)) this.endedOwners.delete(owner);
  }
}

function holders(cursor: Cursor | null): readonly (Holder & { readonly epoch: number })[] {
  if (cursor === null) return [];
  if (cursor.kind === 'checkpoint') return cursor.holder === null ? [] : [{ ...cursor.holder, epoch: cursor.epoch }];
  return cursor.open.flatMap((range) => (range.kind === 'held' ? [{ ...range.holder, epoch: range.epoch }] : []));
}

/**
 * Two reads may be answered in another order than they were made. Of one generation and epoch, the one that has finished less is
 * older, and so is the one that holds more: whatever is held anew has an epoch of its own. What has an equal place in all of them
 * may be either.
 */
function isOlder(seen: Cursor, known: Cursor): boolean {
  if (seen.generation < known.generation || seen.gate.revision < known.gate.revision) return true;
  if (seen.generation > known.generation || seen.epoch !== known.epoch) return seen.epoch < known.epoch;
  if (holdersOf(seen).length > holdersOf(known).length) return true;
  return seen.kind === 'log' && known.kind === 'log' && finishedOf(seen) < finishedOf(known);
}

/** Whether anything more is finished. A reset moves nothing. */
function hasMoved(before: Cursor, after: Cursor): boolean {
  if (before.generation !== after.generation) return false;
  if (before.kind === 'log') return after.kind === 'log' && finishedOf(after) > finishedOf(before);
  return after.kind === 'checkpoint' && !jsonEquals(before.checkpoint, after.checkpoint);
}

/** Offsets below `next` that nobody has to look at any more. */
function finishedOf({ next, open }: LogCursor): bigint {
  return open.reduce((finished, { start, end }) => finished - ((end ?? next) - start), BigInt(next));
}
