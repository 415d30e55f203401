/**
 * Reads the rows of a server's tables, and their changes from its binary log, in the order of their commits.
 *
 * A poll gives what has arrived. It opens the log where the reader stands, to follow it or to read it to its end, as it is asked to;
 * an end, or a failure, leaves no connection behind, and the next poll opens another.
 */
import type { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import type { Json } from '../../../core/json.ts';
import type { CancelSignal } from '../../../core/ports.ts';
import { murmur2 } from '../../../core/record/murmur2.ts';
import type { PluginContext } from '../../api/context.ts';
import type { PolledRecord, PollLimits, PollResult, SourceReader } from '../../api/source.ts';
import { PollBatch } from '../change-capture/poll-batch.ts';
import { beginning, withNextTables } from './beginning.ts';
import { filterOf } from './captured-lists.ts';
import { demandCaptured } from './captured-tables.ts';
import { type CdcCheckpoint, decodeCheckpoint, encodeCheckpoint } from './cdc-checkpoint.ts';
import { type CdcSettings, tableFilter } from './cdc-config.ts';
import { TableEvents } from './change-events.ts';
import { ChangePoller } from './change-poller.ts';
import { connect } from './connection-of.ts';
import { Heartbeat } from './heartbeat.ts';
import { LogFollower, type Logged } from './log-follower.ts';
import { RangeWait } from './range-wait.ts';
import { namingFacts } from './server-facts.ts';
import { Snapshot } from './snapshot.ts';
import { SnapshotPoller } from './snapshot-poller.ts';
import { isLogLost, sourceError } from './source-error.ts';
import { StatementEvents } from './statement-events.ts';
import type { TableShape } from './table-shape.ts';
import { TableTopics } from './table-topics.ts';
import { TransactionEvents } from './transaction-events.ts';

/** Numbers that people give to servers are smaller. */
const REPLICA_ID_MIN = 2 ** 30;

/** A log that is being read. */
interface Opened {
  readonly follower: LogFollower;
  readonly changes: ChangePoller;
  /** `null`: no table is to be read as a whole (any more). */
  rows: { readonly snapshot: Snapshot; readonly poller: SnapshotPoller } | null;
}

export class CdcReader implements SourceReader {
  readonly #config: CdcSettings;
  readonly #context: PluginContext;
  readonly #isWanted: (database: string, table: string) => boolean;
  /** `null`: of a table that is not wanted. */
  readonly #events = new WeakMap<TableShape, TableEvents | null>();
  readonly #topics: TableTopics;
  readonly #rangeWait: RangeWait;
  readonly #heartbeat: Heartbeat;
  #at: CdcCheckpoint | null;
  #opened: Opened | null = null;

  constructor(config: CdcSettings, checkpoint: Json, context: PluginContext) {
    this.#config = config;
    this.#context = context;
    this.#isWanted = tableFilter(config);
    this.#topics = new TableTopics(config);
    this.#rangeWait = new RangeWait(config, context);
    this.#heartbeat = new Heartbeat(config);
    this.#at = decodeCheckpoint(checkpoint);
  }

  async poll(limits: PollLimits, signal: CancelSignal): Promise<PollResult> {
    try {
      // Where it begins is given before any change is, so that what comes later is behind it, whoever reads on.
      return await (this.#at === null ? this.#begin() : this.#pollFrom(this.#at, limits, signal));
    } catch (error) {
      this.#leave();
      throw sourceError(error, this.#config);
    }
  }

  async close(): Promise<void> {
    this.#leave();
  }

  async #wait(waiting: CdcCheckpoint): Promise<PollResult> {
    const { at, idleForMs } = await this.#rangeWait.look(waiting);
    this.#at = at;
    const looked = { records: [], checkpoint: encodeCheckpoint(at) };
    return idleForMs === null ? looked : { ...looked, idleForMs };
  }

  async #begin(): Promise<PollResult> {
    const connection = await this.#connect();
    try {
      this.#at = await beginning(connection, this.#config, this.#at);
      return { records: [], checkpoint: encodeCheckpoint(this.#at) };
    } finally {
      connection.close();
    }
  }

  async #pollFrom(at: CdcCheckpoint, limits: PollLimits, signal: CancelSignal): Promise<PollResult> {
    if (at.waits !== null) return this.#wait(at);
    try {
      return await this.#poll(at, limits, signal);
    } catch (error) {
      if (!isLogLost(error) || this.#config['snapshot.mode'] !== 'when_needed') throw error;
      this.#leave();
      this.#context.log('warn', 'the log of the server does not reach back any more: its tables are read again');
      return this.#begin();
    }
  }

  async #poll(at: CdcCheckpoint, limits: PollLimits, signal: CancelSignal): Promise<PollResult> {
    const from = this.#opened === null ? withNextTables(at, this.#config) : at;
    this.#opened ??= await this.#open(from, { follows: limits.waitMs > 0, again: at.again ?? [] });
    const { follower, changes, rows } = this.#opened;
    if (changes.checkpoint().era !== from.era) return this.#enterEra({ ...from, ...changes.checkpoint() });
    const batch = new PollBatch(limits);
    let isIdle = false;
    if (rows === null) isIdle = await changes.poll(batch, { waitMs: limits.waitMs, signal });
    else await rows.poller.poll(batch, signal);
    const { progress: snapshot = null, rows: read = from.rows } = rows?.poller ?? {};
    this.#at = { ...from, ...changes.checkpoint(), snapshot, rows: read };
    if (snapshot === null) this.#endSnapshot(this.#opened);
    const hasNextTables = withNextTables(this.#at, this.#config) !== this.#at;
    if ((follower.isAtEnd && isIdle) || hasNextTables) this.#leave();
    const polled = this.#withHeartbeat(batch.records, this.#at);
    if (!isIdle) return polled;
    // Whoever follows comes back at once: the wait is in the poll.
    return { ...polled, idleForMs: limits.waitMs > 0 && follower.follows ? 0 : this.#config['poll.interval.ms'] };
  }

  #withHeartbeat(records: PollResult['records'], at: CdcCheckpoint): PollResult {
    const nowMs = this.#context.clock.nowMs();
    const heartbeat = this.#heartbeat.due(at, nowMs);
    if (heartbeat === null) return { records, checkpoint: encodeCheckpoint(at) };
    this.#at = { ...at, beatAtMs: nowMs };
    return { records: [...records, heartbeat], checkpoint: encodeCheckpoint(this.#at) };
  }

  /** Committed before anything of it is given, see `resumption`. */
  #enterEra(at: CdcCheckpoint): PollResult {
    this.#at = at;
    this.#context.log('info', 'goes on with another server, behind the same transactions', {
      server: at.server,
      gtids: at.gtids,
    });
    return { records: [], checkpoint: encodeCheckpoint(at) };
  }

  /** `again`: names of tables that are read next, or later. */
  async #open(
    at: CdcCheckpoint,
    { follows, again }: { readonly follows: boolean; readonly again: readonly string[] },
  ): Promise<Opened> {
    const connection = await this.#connect();
    try {
      await demandCaptured(connection, again, this.#isWanted);
      const connector = connection.server.isMariadb ? 'mariadb' : 'mysql';
      const eventsOf = (shape: TableShape): TableEvents | null => this.#eventsOf(shape, connector);
      const { number: serverId, foldsNames } = await namingFacts(connection);
      const follower = await LogFollower.start(connection, at, {
        serverId: this.#replicaId(),
        // A snapshot goes on until the log has come to where its rows are as of.
        follows: follows || at.snapshot !== null,
        isWanted: (layout) => eventsOf(layout) !== null,
        tellsTransactions: this.#config['provide.transaction.metadata'],
      });
      const statements = new StatementEvents(this.#config, { topics: this.#topics, server: { connector, foldsNames } });
      const transactions = this.#config['provide.transaction.metadata'] ? new TransactionEvents(this.#config) : null;
      const recordsOf = (logged: Logged): readonly PolledRecord[] => {
        const nowMs = this.#context.clock.nowMs();
        if (logged.kind === 'statement') return statements.records(logged, nowMs);
        if (logged.kind === 'end') return transactions?.end(logged, nowMs) ?? NONE;
        this.#opened?.rows?.poller.note(logged);
        const hasBegun = transactions?.hasBegun(logged.transaction) ?? true;
        const records = eventsOf(logged.layout)?.records(logged, nowMs, transactions) ?? NONE;
        if (hasBegun || transactions === null || records.length === 0) return records;
        return [transactions.beginning(logged, nowMs), ...records];
      };
      const changes = new ChangePoller(follower, { recordsOf, clock: this.#context.clock });
      return {
        follower,
        changes,
        rows: this.#rows(at, { follower, changes, eventsOf, serverId }),
      };
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  #rows(
    at: CdcCheckpoint,
    parts: {
      readonly follower: LogFollower;
      readonly changes: ChangePoller;
      readonly eventsOf: (shape: TableShape) => TableEvents | null;
      readonly serverId: bigint;
    },
  ): Opened['rows'] {
    if (at.snapshot === null) return null;
    // Where the configuration was changed meanwhile: the others come behind them.
    const isMeant = at.lists === null ? () => true : filterOf(at.lists);
    const isWanted = (database: string, table: string): boolean => this.#isWanted(database, table) && isMeant(database, table);
    const progress = { progress: at.snapshot, rows: at.rows };
    const snapshot = new Snapshot(progress, { connect: () => this.#connect(), isWanted });
    const poller = new SnapshotPoller(snapshot, { ...parts, nowMs: () => this.#context.clock.nowMs() });
    return { snapshot, poller };
  }

  #eventsOf(shape: TableShape, connector: 'mysql' | 'mariadb'): TableEvents | null {
    const known = this.#events.get(shape);
    if (known !== undefined) return known;
    const events = this.#isWanted(shape.database, shape.table) ? this.#newEvents(shape, connector) : null;
    this.#events.set(shape, events);
    return events;
  }

  #newEvents(shape: TableShape, connector: 'mysql' | 'mariadb'): TableEvents {
    return new TableEvents(shape, this.#config, { connector, topic: this.#topics.of(shape.database, shape.table) });
  }

  #connect(): Promise<MysqlConnection> {
    return connect(this.#config, this.#context);
  }

  #replicaId(): number {
    const configured = this.#config['database.server.id'];
    return configured > 0 ? configured : REPLICA_ID_MIN + (murmur2(Buffer.from(this.#context.shard)) % REPLICA_ID_MIN);
  }

  #endSnapshot(opened: Opened): void {
    opened.rows?.snapshot.close();
    opened.rows = null;
  }

  #leave(): void {
    if (this.#opened === null) return;
    this.#endSnapshot(this.#opened);
    this.#opened.follower.close();
    this.#opened = null;
  }
}

const NONE: readonly PolledRecord[] = [];
