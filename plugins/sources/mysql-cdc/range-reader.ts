/**
 * Reads a range of a table, from its beginning to its end, without regard to the log: changes are given when all ranges are read, from
 * where the log ended before the first of them was. So a row may be newer than what is said of it next; the last change of it is the
 * last in the log, too.
 */
import type { Cell, Row } from '../../../clients/binlog/cell.ts';
import type { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import { FatalTaskError } from '../../../core/errors.ts';
import type { Json } from '../../../core/json.ts';
import type { PluginContext } from '../../api/context.ts';
import type { PollLimits, PollResult, SourceReader } from '../../api/source.ts';
import { eventBytes, PollBatch } from '../change-capture/poll-batch.ts';
import { type CdcSettings, tableFilter } from './cdc-config.ts';
import { TableEvents } from './change-events.ts';
import { rowsPerChunk, tableFacts } from './chunk-rows.ts';
import { connect } from './connection-of.ts';
import { decodeRange, encodeRange, type RangeCheckpoint } from './range-checkpoint.ts';
import { waitOf } from './ranges.ts';
import { keyCells } from './row-key.ts';
import { type SelectedRows, selectedRows } from './selected-rows.ts';
import { namingFacts, serverIdentity } from './server-facts.ts';
import { SESSION, settleSession } from './settled-read.ts';
import { sourceError } from './source-error.ts';
import { rangeOf, type TableRange } from './table-range.ts';
import { readTableShape, type TableShape } from './table-shape.ts';
import { TableTopics } from './table-topics.ts';

interface Session {
  readonly connection: MysqlConnection;
  readonly waitsForWriters: boolean;
  readonly serverId: bigint;
}

interface Chunk extends SelectedRows {
  readonly shape: TableShape;
  readonly events: TableEvents;
  readonly serverId: bigint;
  /** The first row that was not given. */
  next: number;
}

class RangeReader implements SourceReader {
  readonly #config: CdcSettings;
  readonly #context: PluginContext;
  readonly #range: TableRange;
  /** `null`: it is not to be read. */
  #at: RangeCheckpoint | null;
  #session: Session | null = null;
  #chunk: Chunk | null = null;
  #rowBytes: number | null = null;

  constructor(
    config: CdcSettings,
    { range, checkpoint, context }: { readonly range: TableRange; readonly checkpoint: Json; readonly context: PluginContext },
  ) {
    this.#config = config;
    this.#context = context;
    this.#range = range;
    // Whoever resets offsets has rows read between changes: no discovery has chosen a place for this range then.
    this.#at = tableFilter(config)(range.database, range.table) ? decodeRange(checkpoint) : null;
  }

  async poll(limits: PollLimits): Promise<PollResult> {
    if (this.#at === null) return ENDED;
    try {
      if (this.#session === null && !(await this.#isWaitedFor())) return ENDED;
      this.#chunk ??= await this.#read(this.#at);
      return this.#chunk === null ? this.#end([]) : this.#give(this.#at, this.#chunk, new PollBatch(limits));
    } catch (error) {
      this.#leave();
      throw sourceError(error, this.#config);
    }
  }

  async close(): Promise<void> {
    this.#leave();
  }

  /** Where changes are given already, a row that is read would stand behind those that came after it. */
  async #isWaitedFor(): Promise<boolean> {
    if (waitOf(await this.#context.shards()) === 'all') return true;
    const { database, table } = this.#range;
    this.#context.log('warn', 'a range was found when changes were given already: it is not read', {
      table: `${database}.${table}`,
    });
    return false;
  }

  #give(at: RangeCheckpoint, chunk: Chunk, batch: PollBatch): PollResult {
    const { rows, shape, events, serverId, isLast } = chunk;
    const first = chunk.next;
    const atMs = this.#context.clock.nowMs();
    for (; chunk.next < rows.length; chunk.next += 1) {
      const row = rows[chunk.next] as Row;
      const index = at.rows + chunk.next - first;
      if (!batch.add(events.row(row, { era: 0, place: at.place, index, serverId, atMs }), eventBytes(row))) break;
    }
    const after = shape.primaryKey.length === 0 ? null : this.#behind(chunk, at);
    this.#at = { ...at, after, rows: at.rows + chunk.next - first };
    if (chunk.next < rows.length) return { records: batch.records, checkpoint: encodeRange(this.#at) };
    this.#chunk = null;
    return isLast ? this.#end(batch.records) : { records: batch.records, checkpoint: encodeRange(this.#at) };
  }

  #behind({ rows, shape, next }: Chunk, at: RangeCheckpoint): readonly Cell[] | null {
    const last = rows[next - 1];
    return last === undefined ? at.after : keyCells(shape, last);
  }

  #end(records: PollResult['records']): PollResult {
    this.#leave();
    return { records, checkpoint: this.#at === null ? null : encodeRange(this.#at), finished: true };
  }

  /** `null`: the table was dropped meanwhile. */
  async #read({ place, server, after }: RangeCheckpoint): Promise<Chunk | null> {
    this.#session ??= await this.#open(server, place);
    const { connection, waitsForWriters, serverId } = this.#session;
    const { database, table, within } = this.#range;
    const shape = await readTableShape(connection, { database, table });
    if (shape === null) return null;
    this.#rowBytes ??= (await tableFacts(connection, [database, table])).rowBytes;
    // A table that lost its key since its ranges were found has no other order.
    const rows = shape.primaryKey.length === 0 ? ALL_ROWS : rowsPerChunk(this.#rowBytes);
    const selected = await selectedRows(connection, shape, { after, within, skipped: 0, rows, waitsForWriters });
    if (selected.rows.length > 0) this.#rowBytes = Math.ceil(selected.bytes / selected.rows.length);
    const connector = connection.server.isMariadb ? 'mariadb' : 'mysql';
    const topic = new TableTopics(this.#config).of(database, table);
    return { ...selected, shape, serverId, events: new TableEvents(shape, this.#config, { connector, topic }), next: 0 };
  }

  async #open(server: string, place: RangeCheckpoint['place']): Promise<Session> {
    const connection = await connect(this.#config, this.#context);
    try {
      await connection.query(SESSION);
      const found = await serverIdentity(connection);
      if (found !== server) throw new FatalTaskError(`it is another server (${found}) than before (${server}); next: ${RESET}`);
      const { number: serverId } = await namingFacts(connection);
      return { connection, serverId, waitsForWriters: await settleSession(connection, place) };
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  #leave(): void {
    this.#session?.connection.close();
    this.#session = null;
    this.#chunk = null;
  }
}

/** Of the shard that is found last, and has no rows, too. */
export function openRange(
  config: CdcSettings,
  {
    names,
    checkpoint,
    context,
  }: { readonly names: readonly string[]; readonly checkpoint: Json; readonly context: PluginContext },
): SourceReader {
  const range = rangeOf(names);
  if (range === null) return { poll: async () => ENDED, close: async () => undefined };
  return new RangeReader(config, { range, checkpoint, context });
}

const ENDED: PollResult = { records: [], checkpoint: null, finished: true };

const ALL_ROWS = Number.MAX_SAFE_INTEGER;

const RESET = 'reset the offsets of the connector, to read all tables anew';
