/**
 * Reads a database's rows and its changes as one ordered sequence, without a gap and without giving a state twice.
 *
 * Each poll is one read transaction, so it sees tables and change log as of one moment H, the last change by then. In it, in
 * this order:
 * 1. Changes up to H, in the order of their commits. A row that is not read yet, because it lies behind the place up to which its
 *    table is read, needs no event: step 2 will bring it in its state of then.
 * 2. Once all changes up to H are given: further rows of the tables that are not read as a whole yet, as of H.
 *
 * So whatever has been given is, at every moment, the state of all rows read so far as of the last change given. Rows are at the
 * position (H, table, rowid), behind all changes they contain; of a table without rowid, the row's rank at H takes its place. When a poll is repeated after a crash, with other changes between,
 * its rows are at other positions and so are given anew, in their newer state; deletions are therefore given always, for a row
 * that is gone by then may have been given before.
 *
 * A table that is new, or looks different than when its triggers were made, gets new triggers and is read as a whole.
 */
import type { DatabaseSync } from 'node:sqlite';
import { openShared } from '../../../clients/sqlite/open-shared.ts';
import { reading } from '../../../clients/sqlite/transaction.ts';
import { FatalTaskError, RetryableError } from '../../../core/errors.ts';
import type { Json } from '../../../core/json.ts';
import type { CancelSignal, Clock } from '../../../core/ports.ts';
import { parseShardId } from '../../../core/shard-id.ts';
import type { PluginContext } from '../../api/context.ts';
import type { PolledRecord, PollLimits, PollResult, SourceReader } from '../../api/source.ts';
import { eventBytes, PollBatch } from '../change-capture/poll-batch.ts';
import type { CapturedTable } from './captured-table.ts';
import { Captures } from './captures.ts';
import { type CdcCheckpoint, decodeCheckpoint, encodeCheckpoint } from './cdc-checkpoint.ts';
import { type CdcSettings, tableFilter } from './cdc-config.ts';
import { isBusy, sourceError } from './cdc-error.ts';
import { TableEvents } from './change-events.ts';
import { ChangeLog, type ChangeRow, IMAGES } from './change-log.ts';
import { type OwnNames, ownNames } from './own-names.ts';
import { type Cell, imageOf } from './row-image.ts';
import { SnapshotRows } from './snapshot-rows.ts';
import { demandOwnTopics } from './table-topics.ts';
import { unreadLogs } from './unread-logs.ts';

/** Changes looked at in one go, where most of them are of rows that are not read yet. About 50 ms. */
const LOOKED_AT_MAX = 20_000;

/** Between two looks at the schema a few milliseconds pass. */
const SCHEMA_CHANGES_MAX = 5;

/** Goes without a record before a poll gives way. */
const SILENT_READS_MAX = 10;

/**
 * A reader that is still polled has had everything committed that it gave so long ago: a claim lasts 20 s, and a reader that does
 * not stand at its shard's checkpoint is dropped.
 */
const COMMITTED_AFTER_MS = 600_000;

export class CdcReader implements SourceReader {
  readonly #database: DatabaseSync;
  readonly #config: CdcSettings;
  readonly #clock: Clock;
  readonly #wanted: (table: string) => boolean;
  readonly #captures: Captures;
  readonly #log: ChangeLog;
  readonly #events = new Map<number, TableEvents>();
  /** Statements of the table that is being read as a whole. */
  #snapshot: { readonly capture: number; readonly rows: SnapshotRows } | null = null;
  /**
   * `null`: before the oldest change that is kept. Nothing is deleted before a checkpoint is stored, so what a run without one has
   * given is followed by all that happened since.
   */
  #at: CdcCheckpoint | null;
  #committed: bigint;
  /** What was given by some moment, which makes it committed some time later. */
  #given: { readonly seq: bigint; readonly atMs: number };

  private constructor(
    database: DatabaseSync,
    config: CdcSettings,
    { at, context }: { readonly at: CdcCheckpoint | null; readonly context: PluginContext },
  ) {
    const names = ownNames({ connector: context.connector, uid: at?.v === 1 ? null : parseShardId(context.shard).uid });
    this.#database = database;
    this.#config = config;
    this.#clock = context.clock;
    this.#wanted = tableFilter(config);
    this.#captures = new Captures(database, {
      path: config['connection.url'],
      names,
      wanted: this.#wanted,
      demand: (tables) => demandOwnTopics(config, tables),
    });
    this.#captures.refresh();
    this.#log = new ChangeLog(database, names);
    this.#warnOfUnreadLogs(names, context);
    this.#at = at;
    this.#committed = at?.seq ?? 0n;
    this.#given = { seq: this.#committed, atMs: this.#clock.monotonicMs() };
  }

  /** @throws {FatalTaskError} when the file is missing or cannot be used; {RetryableError} while it is busy. */
  static async open(config: CdcSettings, checkpoint: Json, context: PluginContext): Promise<CdcReader> {
    const path = config['connection.url'];
    const at = decodeCheckpoint(checkpoint);
    let database: DatabaseSync | null = null;
    try {
      database = await openShared(path, { create: false });
      return new CdcReader(database, config, { at, context });
    } catch (error) {
      database?.close();
      throw sourceError(error, path);
    }
  }

  async poll(limits: PollLimits, signal: CancelSignal): Promise<PollResult> {
    const endMs = this.#clock.monotonicMs() + limits.waitMs;
    for (let silent = 1; ; ) {
      const { at, records, isAtEnd } = await this.#read(limits, signal);
      this.#at = at;
      const checkpoint = encodeCheckpoint(at);
      if (records.length > 0) return { records, checkpoint };
      const leftMs = endMs - this.#clock.monotonicMs();
      if (isAtEnd && (leftMs <= 0 || signal.aborted)) {
        return { records, checkpoint, idleForMs: this.#config['poll.interval.ms'] };
      }
      if (isAtEnd) await this.#clock.sleep(Math.min(this.#config['poll.interval.ms'], leftMs), signal);
      else if (signal.aborted || silent >= SILENT_READS_MAX) return { records, checkpoint };
      else silent += 1;
    }
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  #warnOfUnreadLogs(own: OwnNames, { log }: PluginContext): void {
    const path = this.#config['connection.url'];
    for (const { table, changes, sinceMs } of unreadLogs(this.#database, own)) {
      log(
        'warn',
        `${table} in ${path} has ${changes} changes that its connector has not read, the oldest of ${new Date(sinceMs).toISOString()}, and grows with each write; next: start that connector or, where it was deleted, remove what it left as docs/plugins/sqlite-cdc-source.md says`,
        { path, table, changes },
      );
    }
  }

  async #read(limits: PollLimits, signal: CancelSignal): Promise<Reading> {
    try {
      for (let attempt = 1; attempt <= SCHEMA_CHANGES_MAX; attempt += 1) {
        if (!this.#captures.isCurrent()) this.#captures.refresh();
        // Nobody can change the schema for a transaction that has begun to read.
        const found = await reading(this.#database, async () =>
          this.#captures.isCurrent() ? await this.#readNow(limits, signal) : null,
        );
        if (found === null) continue;
        this.#prune(found);
        return found;
      }
    } catch (error) {
      throw sourceError(error, this.#config['connection.url']);
    }
    throw new RetryableError('the schema of the database changes all the time', { code: 'source.unavailable' });
  }

  async #readNow(limits: PollLimits, signal: CancelSignal): Promise<Reading> {
    const [first, last] = this.#log.bounds();
    const at = this.#at ?? { v: 2, seq: first - 1n, part: 0, capture: 0, ...AT_FIRST_ROW };
    this.#demandLog(at, first, last);
    const batch = new PollBatch(limits);
    const behind = this.#readChanges(at, last, batch);
    if (behind.seq < last || batch.isFull) return { at: behind, records: batch.records, isAtEnd: false, first };
    const { at: reached, isAtEnd } = await this.#readRows(behind, { batch, signal });
    return { at: reached, records: batch.records, isAtEnd, first };
  }

  /** @throws {FatalTaskError} when the log does not go on where the checkpoint ends. */
  #demandLog({ seq }: CdcCheckpoint, first: bigint, last: bigint): void {
    if (seq <= last && seq >= first - 1n) return;
    throw new FatalTaskError(
      `the change log of ${this.#config['connection.url']} holds changes ${first} to ${last}, and change ${seq} was the last one read: the database is another one, or an older copy; next: reset the offsets of the connector to read it anew`,
    );
  }

  #readChanges(at: CdcCheckpoint, last: bigint, batch: PollBatch): CdcCheckpoint {
    let { seq, part } = at;
    let lookedAt = 0;
    const nowMs = BigInt(this.#clock.nowMs());
    if (seq === last) return at;
    for (const change of this.#log.changes(seq, last)) {
      const records = this.#recordsOf(change, at, nowMs);
      const bytes = records.length === 0 ? 0 : eventBytes(change);
      for (; part < records.length; part += 1) {
        if (!batch.add(records[part] as PolledRecord, bytes)) return { ...at, seq, part };
      }
      seq = change[0];
      part = 0;
      lookedAt += 1;
      if (lookedAt === LOOKED_AT_MAX || batch.isFull) break;
    }
    return { ...at, seq, part };
  }

  #recordsOf(change: ChangeRow, at: CdcCheckpoint, nowMs: bigint): readonly PolledRecord[] {
    const [seq, capture, op, atMs, rowId] = change;
    const events = this.#eventsOf(Number(capture));
    const { table } = events;
    if (!this.#wanted(table.name)) return NONE;
    const cells = change as readonly Cell[];
    const image = { ...imageOf(table, cells, IMAGES), rowId };
    if (op === 'd') return events.deleted(image, { seq, atMs }, nowMs);
    const isRead = isRowRead(table, rowId, at);
    if (op === 'c') return isRead ? events.created(image, { seq, atMs }, nowMs) : NONE;
    const after = { ...imageOf(table, cells, IMAGES + table.columns.length), rowId };
    return events.updated(image, after, { seq, atMs, withAfter: isRead }, nowMs);
  }

  /** Rows of tables that are not read as a whole, as of the last change. */
  async #readRows(from: CdcCheckpoint, poll: RowsPoll): Promise<{ readonly at: CdcCheckpoint; readonly isAtEnd: boolean }> {
    let at = from;
    for (const table of this.#captures.current) {
      if (table.capture < at.capture) continue;
      if (table.capture > at.capture) at = { ...at, capture: table.capture, ...AT_FIRST_ROW };
      const { reached, isWhole } = await this.#readTable(table, at, poll);
      if (!isWhole) return { at: reached, isAtEnd: false };
      at = { ...at, capture: table.capture + 1, ...AT_FIRST_ROW };
      if (poll.batch.isFull) return { at, isAtEnd: false };
    }
    return { at, isAtEnd: true };
  }

  async #readTable(
    table: CapturedTable,
    at: CdcCheckpoint,
    { batch, signal }: RowsPoll,
  ): Promise<{ readonly reached: CdcCheckpoint; readonly isWhole: boolean }> {
    const events = this.#eventsOf(table.capture);
    const source = this.#snapshotOf(table);
    const atMs = BigInt(this.#clock.nowMs());
    let rank = table.rowid === null ? await this.#rankAt(at, source, signal) : 0n;
    if (rank === null) return { reached: at, isWhole: false };
    let lastRow: readonly Cell[] | null = null;
    for (const row of source.rows(at.after)) {
      const rowId = table.rowid === null ? null : (row[0] as bigint);
      const image = { ...imageOf(table, row, source.placeCells), rowId };
      const record = events.row(image, { seq: at.seq, atMs, place: rowId === null ? rank : rowId + ROWID_BIAS });
      if (!batch.add(record, eventBytes(row))) {
        const after = lastRow === null ? at.after : lastRow.slice(0, source.placeCells);
        return { reached: { ...at, after, rank: rowId === null ? { seq: at.seq, rows: rank } : null }, isWhole: false };
      }
      lastRow = row;
      rank += 1n;
    }
    return { reached: at, isWhole: true };
  }

  /**
   * Rows before the next one; `null` once aborted. Counted again where the table may have changed since: a row's place has to be
   * the same in every poll.
   */
  async #rankAt({ seq, after, rank }: CdcCheckpoint, source: SnapshotRows, signal: CancelSignal): Promise<bigint | null> {
    return rank?.seq === seq ? rank.rows : await source.rank(after, { clock: this.#clock, signal });
  }

  #eventsOf(capture: number): TableEvents {
    const known = this.#events.get(capture);
    if (known !== undefined) return known;
    const events = new TableEvents(this.#captures.byNumber(capture), this.#config);
    this.#events.set(capture, events);
    return events;
  }

  #snapshotOf(table: CapturedTable): SnapshotRows {
    if (this.#snapshot?.capture !== table.capture) {
      this.#snapshot = { capture: table.capture, rows: new SnapshotRows(this.#database, table) };
    }
    return this.#snapshot.rows;
  }

  /** The application comes first: while it writes, nothing is deleted. */
  #prune({ at, first }: Reading): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#given.atMs >= COMMITTED_AFTER_MS) {
      this.#committed = this.#given.seq;
      this.#given = { seq: at.seq, atMs: nowMs };
    }
    try {
      this.#log.prune(first, this.#committed);
    } catch (error) {
      if (!isBusy(error)) throw error;
    }
  }
}

interface RowsPoll {
  readonly batch: PollBatch;
  readonly signal: CancelSignal;
}

interface Reading {
  readonly at: CdcCheckpoint;
  readonly records: readonly PolledRecord[];
  /** Nothing is left for now. */
  readonly isAtEnd: boolean;
  /** The oldest change that is kept. */
  readonly first: bigint;
}

const NONE: readonly PolledRecord[] = [];

const AT_FIRST_ROW = { after: [], rank: null } as const;

/** Rowids begin at -2^63, positions at 0. */
const ROWID_BIAS = 2n ** 63n;

/** Whether a row is among those that were read. Rows without a rowid have no order that could be compared here: given always. */
function isRowRead({ capture }: CapturedTable, rowId: bigint | null, at: CdcCheckpoint): boolean {
  if (capture < at.capture || rowId === null) return true;
  const [after] = at.after;
  return capture === at.capture && typeof after === 'bigint' && rowId <= after;
}
