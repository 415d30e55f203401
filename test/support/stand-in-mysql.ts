/** What a server of MySQL answers to a source of changes: one table, `shop.t` with two numbers, and a log of transactions with GTIDs. */
import { EventType } from '../../clients/binlog/event-type.ts';
import { WireType } from '../../clients/binlog/wire-type.ts';
import { END, type MysqlAnswer, MysqlServer, OK, refusal } from './mysql-server.ts';

/** A transaction that inserts rows, or deletes them. */
export interface LoggedTransaction {
  readonly uuid: string;
  readonly number: number;
  readonly deletes?: boolean;
  /** Statements, and the rows of each. */
  readonly statements: readonly (readonly (readonly [id: number, v: number])[])[];
}

/** What its replies to `SELECT` are made of; a test changes them as it goes on. */
export interface StandInState {
  readonly uuid: string;
  log: readonly LoggedTransaction[];
  /** As `SHOW BINARY LOG STATUS` prints it. */
  executed: string;
  /** As `@@global.gtid_owned` prints it. */
  owned: string;
  rows: readonly (readonly [id: number, v: number])[];
  hasKey: boolean;
  /** Of a row, as the server estimates it. */
  rowBytes: number;
}

const FILE = 'binlog.000001';
const LOG_LOST = 1_236;

/** Where the first transaction begins. */
const LOG_BEGINS = 157;

const COMMAND_QUERY = 3;
const COMMAND_DUMP = 0x12;
const COMMAND_DUMP_GTID = 0x1e;
const FLAG_ENDS = 1;
const TABLE = 42;
const SERVER_ID = 7;
const COMMITTED_AT = 1_795_000_000;

type TextRow = readonly (string | null)[];

export class StandInMysql {
  readonly state: StandInState;
  /** In their order. */
  readonly statements: string[] = [];
  readonly #server: MysqlServer;
  /** Of statements that a test answers by itself. */
  readonly #answers = new Map<RegExp, (sql: string) => MysqlAnswer>();

  private constructor(state: StandInState, server: MysqlServer) {
    this.state = state;
    this.#server = server;
  }

  /** Ends with the test. */
  static async start(uuid: string, fields: Partial<StandInState> = {}): Promise<StandInMysql> {
    let standIn: StandInMysql | null = null;
    const server = await MysqlServer.start({ command: (code, rest) => standIn?.answer(code, rest) ?? [OK] });
    const state = { uuid, log: [], executed: '', owned: '', rows: [], hasKey: true, rowBytes: 8, ...fields };
    standIn = new StandInMysql(state, server);
    return standIn;
  }

  get port(): number {
    return this.#server.port;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#server.sockets.size;
  }

  /** Before anything else. */
  when(statement: RegExp, answer: (sql: string) => MysqlAnswer): void {
    this.#answers.set(statement, answer);
  }

  answer(code: number, rest: Buffer): MysqlAnswer {
    if (code === COMMAND_DUMP) return this.#dumpFrom(rest);
    if (code === COMMAND_DUMP_GTID) return this.#dumpBehind(rest);
    if (code !== COMMAND_QUERY) return [OK];
    const sql = rest.toString();
    this.statements.push(sql);
    for (const [statement, answer] of this.#answers) if (statement.test(sql)) return answer(sql);
    return this.#result(sql);
  }

  /** Where the log ends. */
  get end(): number {
    return this.#events().at(-1)?.end ?? LOG_BEGINS;
  }

  #result(sql: string): MysqlAnswer {
    const { uuid, executed, owned, rows, hasKey, rowBytes } = this.state;
    if (sql === 'SELECT @@global.server_uuid') return result([[uuid]]);
    if (sql === 'SELECT @@global.gtid_mode') return result([['ON']]);
    if (sql === 'SELECT @@global.gtid_owned') return result([[owned]]);
    if (sql.startsWith('SELECT @@global.server_id,')) return result([[String(SERVER_ID), '0']]);
    if (sql === 'SHOW BINARY LOG STATUS') return result([[FILE, String(this.end), '', '', executed]]);
    if (sql.startsWith('SELECT WAIT_FOR_EXECUTED_GTID_SET')) return result([['0']]);
    if (sql === 'SHOW BINARY LOGS') return result([[FILE, String(this.end), 'No']]);
    if (sql.includes('COLUMN_KEY')) return result(hasKey ? [['shop', 't']] : []);
    if (sql.includes('information_schema.COLUMNS')) return result(['id', 'v'].map(intColumn));
    if (sql.startsWith('SHOW INDEX FROM')) return result(hasKey ? [index('PRIMARY', 'id')] : []);
    if (sql.includes('AVG_ROW_LENGTH')) return result([[String(rowBytes), 'InnoDB', '']]);
    if (sql.includes('information_schema.TABLES')) return result([['shop', 't']]);
    if (sql.includes('FROM `shop`.`t`')) return result(rowsBehind(rows, sql).map(([id, v]) => [String(id), String(v)]));
    return [OK];
  }

  #dumpFrom(rest: Buffer): MysqlAnswer {
    const position = rest.readUInt32LE(0);
    const flags = rest.readUInt16LE(4);
    const file = rest.toString('latin1', 10);
    if (file !== FILE || position > this.end)
      return [refusal(LOG_LOST, 'Could not find first log file name in binary log index file')];
    const events = this.#events().filter(({ end, bytes }) => end - bytes.length >= position);
    return this.#dumped(
      position,
      flags,
      events.map(({ bytes }) => bytes),
    );
  }

  /** Leaves transactions out that are in the set. */
  #dumpBehind(rest: Buffer): MysqlAnswer {
    const flags = rest.readUInt16LE(0);
    const isIn = setIn(rest.subarray(22));
    const events = this.#events().filter(({ of }) => !isIn(of));
    return this.#dumped(
      4,
      flags,
      events.map(({ bytes }) => bytes),
    );
  }

  #dumped(position: number, flags: number, events: readonly Buffer[]): MysqlAnswer {
    const head = Buffer.concat([uint64(position), Buffer.from(FILE)]);
    const first = [
      event(EventType.ROTATE, head, 0, ARTIFICIAL),
      event(EventType.FORMAT_DESCRIPTION, Buffer.alloc(100), 0, ARTIFICIAL),
    ];
    const heartbeat = event(EventType.HEARTBEAT, Buffer.from(FILE), this.end, 0);
    const packets = [...first, ...events].map(packetOf);
    return (flags & FLAG_ENDS) !== 0 ? [...packets, END] : [...packets, packetOf(heartbeat)];
  }

  #events(): readonly { readonly of: LoggedTransaction; readonly end: number; readonly bytes: Buffer }[] {
    let at = LOG_BEGINS;
    return this.state.log.flatMap((of) =>
      bodiesOf(of, this.state.hasKey).map(([type, body]) => {
        at += HEADER_BYTES + body.length;
        return { of, end: at, bytes: event(type, body, at, 0) };
      }),
    );
  }
}

// ---------------------------------------------------------------------------------------------------------------------

const HEADER_BYTES = 19;
const ARTIFICIAL = 0x20;

function event(type: number, body: Buffer, end: number, flags: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(COMMITTED_AT, 0);
  header.writeUInt8(type, 4);
  header.writeUInt32LE(SERVER_ID, 5);
  header.writeUInt32LE(HEADER_BYTES + body.length, 9);
  header.writeUInt32LE(end, 13);
  header.writeUInt16LE(flags, 17);
  return Buffer.concat([header, body]);
}

function packetOf(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0), bytes]);
}

function bodiesOf(
  { uuid, number, statements, deletes = false }: LoggedTransaction,
  hasKey: boolean,
): readonly (readonly [type: number, body: Buffer])[] {
  const gtid = Buffer.concat([Buffer.of(0), Buffer.from(uuid.replaceAll('-', ''), 'hex'), uint64(number)]);
  const begin = Buffer.concat([Buffer.alloc(8), Buffer.of(4, 0, 0, 0, 0), Buffer.from('shop\0BEGIN')]);
  const changes = statements.flatMap((rows) => [
    [EventType.TABLE_MAP, tableMap(hasKey)] as const,
    [
      deletes ? EventType.DELETE_ROWS : EventType.WRITE_ROWS,
      Buffer.concat([tableNumber(), Buffer.of(1, 0, 2, 0, 2, 0xff), ...rows.map(rowBytes)]),
    ] as const,
  ]);
  return [[EventType.GTID, gtid], [EventType.QUERY, begin], ...changes, [EventType.XID, uint64(number)]];
}

/** Two INT columns. */
function tableMap(hasKey: boolean): Buffer {
  const names = Buffer.from('\x02id\x01v', 'latin1');
  const key = hasKey ? [Buffer.of(8, 1, 0)] : [];
  const metadata = [Buffer.of(1, 1, 0), Buffer.of(4, names.length), names, ...key];
  const columns = Buffer.of(2, WireType.LONG, WireType.LONG, 0, 0);
  return Buffer.concat([tableNumber(), Buffer.of(1, 0), Buffer.from('\x04shop\0\x01t\0', 'latin1'), columns, ...metadata]);
}

function tableNumber(): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntLE(TABLE, 0, 6);
  return bytes;
}

function rowBytes([id, v]: readonly [id: number, v: number]): Buffer {
  const bytes = Buffer.alloc(9);
  bytes.writeInt32LE(id, 1);
  bytes.writeInt32LE(v, 5);
  return bytes;
}

/** As COM_BINLOG_DUMP_GTID has it, without tags. */
function setIn(set: Buffer): (transaction: LoggedTransaction) => boolean {
  const found: { readonly uuid: string; readonly first: number; readonly end: number }[] = [];
  let at = 8;
  for (let source = 0n; source < set.readBigUInt64LE(0); source += 1n) {
    const uuid = set.toString('hex', at, at + 16);
    const intervals = Number(set.readBigUInt64LE(at + 16));
    at += 24;
    for (let interval = 0; interval < intervals; interval += 1, at += 16) {
      found.push({ uuid, first: Number(set.readBigUInt64LE(at)), end: Number(set.readBigUInt64LE(at + 8)) });
    }
  }
  return ({ uuid, number }) =>
    found.some((one) => one.uuid === uuid.replaceAll('-', '') && number >= one.first && number < one.end);
}

/** What `WHERE id > ...`, `LIMIT` and `OFFSET` leave. */
function rowsBehind(rows: StandInState['rows'], sql: string): StandInState['rows'] {
  const [, after] = /`id` > (-?\d+)/.exec(sql) ?? [];
  const [, limit = rows.length, skipped = 0] = / LIMIT (\d+)(?: OFFSET (\d+))?/.exec(sql) ?? [];
  const behind = rows.filter(([id]) => after === undefined || id > Number(after));
  return behind.slice(Number(skipped), Number(skipped) + Number(limit));
}

function intColumn(name: string): TextRow {
  return [name, 'int', 'int', null, null, '10', '0', null, 'NO'];
}

/** A line of `SHOW INDEX`. */
export function index(name: string, column: string, { isUnique = true, nullable = '' } = {}): TextRow {
  return ['t', isUnique ? '0' : '1', name, '1', column, 'A', '0', null, null, nullable, 'BTREE', '', '', 'YES', null];
}

/** Rows as a server sends them. */
export function result(rows: readonly TextRow[]): readonly Buffer[] {
  const columns = rows[0]?.length ?? 1;
  const definitions = Array.from({ length: columns }, () => Buffer.from('\x03def', 'latin1'));
  return [Buffer.of(columns), ...definitions, END, ...rows.map(cells), END];
}

function cells(row: TextRow): Buffer {
  return Buffer.concat(
    row.map((cell) => {
      if (cell === null) return Buffer.of(0xfb);
      const text = Buffer.from(cell);
      return Buffer.concat([
        text.length < 0xfb ? Buffer.of(text.length) : Buffer.of(0xfc, text.length & 0xff, text.length >> 8),
        text,
      ]);
    }),
  );
}

function uint64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
