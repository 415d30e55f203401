/**
 * Gives rows of tables that are read as a whole between the changes of the log, without a state twice and without an older one after a
 * newer one: each chunk at the place in the log that it is as of, see `SnapshotChunk`.
 *
 * A row is at the position right below what is committed next. When a poll is repeated after a crash, with other changes between, its
 * rows are at other positions and so are given anew, in their newer state.
 */
import type { CancelSignal } from '../../../core/ports.ts';
import type { PolledRecord } from '../../api/source.ts';
import { eventBytes, type PollBatch } from '../change-capture/poll-batch.ts';
import type { SnapshotProgress } from './cdc-checkpoint.ts';
import type { TableEvents } from './change-events.ts';
import type { ChangePoller } from './change-poller.ts';
import type { LogFollower, LoggedChange } from './log-follower.ts';
import { isKnown } from './log-places.ts';
import type { ReadRow } from './origin.ts';
import type { Snapshot } from './snapshot.ts';
import type { SnapshotChunk } from './snapshot-chunk.ts';
import type { TableShape } from './table-shape.ts';

/** One wait for changes that are in the log already. */
const WAIT_MS = 1_000;

interface Chunk {
  readonly rows: SnapshotChunk;
  readonly events: TableEvents;
  /** Of the snapshot, before this chunk. */
  readonly rowsBefore: number;
}

export class SnapshotPoller {
  readonly #snapshot: Snapshot;
  readonly #follower: LogFollower;
  readonly #changes: ChangePoller;
  readonly #eventsOf: (shape: TableShape) => TableEvents | null;
  readonly #nowMs: () => number;
  readonly #serverId: bigint;
  #chunk: Chunk | null = null;
  #isDone = false;

  constructor(
    snapshot: Snapshot,
    parts: {
      readonly follower: LogFollower;
      readonly changes: ChangePoller;
      readonly eventsOf: (shape: TableShape) => TableEvents | null;
      readonly nowMs: () => number;
      readonly serverId: bigint;
    },
  ) {
    this.#snapshot = snapshot;
    this.#follower = parts.follower;
    this.#changes = parts.changes;
    this.#eventsOf = parts.eventsOf;
    this.#nowMs = parts.nowMs;
    this.#serverId = parts.serverId;
  }

  /** A change that is given from the log. */
  note(logged: LoggedChange): void {
    this.#snapshot.note(logged);
    const { layout, change } = logged;
    const rows = this.#chunk?.rows;
    if (rows === undefined || rows.shape.table !== layout.table || rows.shape.database !== layout.database) return;
    if (rows.isOf(layout)) rows.leaveOut(change);
    else this.#chunk = null;
  }

  async poll(batch: PollBatch, signal: CancelSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#chunk === null) {
        // The read goes on while what is here is delivered.
        if (batch.records.length > 0) return;
        if (!(await this.#hasBegun(batch, signal)) || batch.records.length > 0) return;
        if (!(await this.#readChunk())) return;
      }
      if (!this.#follower.isAtLimit) await this.#changes.poll(batch, { waitMs: WAIT_MS, signal });
      if (!this.#follower.isAtLimit || this.#chunk === null) return;
      if (this.#snapshot.isTorn(this.#chunk.rows)) this.#chunk = null;
      else if (!(await this.#giveRows(this.#chunk, batch))) return;
    }
  }

  /** How far it has come; `null`: all tables are read. */
  get progress(): SnapshotProgress | null {
    return this.#isDone ? null : this.#snapshot.progress;
  }

  /** Rows that were read, by this snapshot and those before. */
  get rows(): number {
    return this.#snapshot.rows;
  }

  /** Whether the server has begun to give its log: behind a set of transactions it does not where it lacks one of them. */
  async #hasBegun(batch: PollBatch, signal: CancelSignal): Promise<boolean> {
    if (this.#follower.reached === null) await this.#changes.poll(batch, { waitMs: WAIT_MS, signal });
    return this.#follower.reached !== null;
  }

  /** `false`: there is none any more. */
  async #readChunk(): Promise<boolean> {
    const rows = await this.#snapshot.nextChunk(this.#changes.checkpoint());
    if (rows === null) this.#end();
    else this.#follower.limit = rows.upTo;
    const events = rows === null ? null : this.#eventsOf(rows.shape);
    // Only tables that are wanted are read.
    if (rows !== null && events !== null) this.#chunk = { rows, events, rowsBefore: this.#snapshot.rows };
    return rows !== null;
  }

  /** Whether all of them fitted, and more may come. */
  async #giveRows(chunk: Chunk, batch: PollBatch): Promise<boolean> {
    const { rows, events, rowsBefore } = chunk;
    const { era, place: known } = this.#changes.checkpoint();
    const place = isKnown(known) ? known : rows.upTo;
    const atMs = this.#nowMs();
    for (let next = rows.peek(); next !== null; next = rows.peek()) {
      const read: ReadRow = { era, place, index: rowsBefore + next.index, serverId: this.#serverId, atMs };
      const record: PolledRecord = events.row(next.row, read);
      if (!batch.add(record, eventBytes(next.row))) break;
      rows.take();
    }
    const isGiven = rows.peek() === null;
    await this.#snapshot.advance(rows, { rowsBefore });
    if (isGiven) this.#chunk = null;
    if (this.#snapshot.isEnded) this.#end();
    return isGiven && !this.#isDone;
  }

  #end(): void {
    this.#isDone = true;
    this.#follower.limit = null;
  }
}
