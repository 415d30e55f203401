/** Records of what is done to tables as a whole: rows that all go at once, and changes of what tables are like. */
import type { Datum } from '../../../core/record/connect-record.ts';
import { NULL_DATUM } from '../../../core/record/connect-record.ts';
import type { Position } from '../../../core/record/position.ts';
import type { PolledRecord } from '../../api/source.ts';
import type { CdcSettings } from './cdc-config.ts';
import { databaseFilter, tableFilter } from './cdc-config.ts';
import type { LoggedStatement } from './log-follower.ts';
import { type Origin, originOf, sourceOf } from './origin.ts';
import { effectOf, type TableName, type Truncation } from './schema-changes.ts';
import { schemaChangeSchemas, truncationSchemas } from './table-schemas.ts';
import type { TableTopics } from './table-topics.ts';

/** What a server has to do with it. */
export interface StatementServer {
  readonly connector: 'mysql' | 'mariadb';
  readonly foldsNames: boolean;
}

/** A statement has one record of each, so these are parts of it. */
const TRUNCATION_PART = 0n;
const SCHEMA_PART = 1n;

export class StatementEvents {
  readonly #config: CdcSettings;
  readonly #topics: TableTopics;
  readonly #server: StatementServer;
  readonly #isWanted: (database: string, table: string) => boolean;
  readonly #isDatabaseWanted: (database: string) => boolean;

  constructor(config: CdcSettings, { topics, server }: { readonly topics: TableTopics; readonly server: StatementServer }) {
    this.#config = config;
    this.#topics = topics;
    this.#server = server;
    this.#isWanted = tableFilter(config);
    this.#isDatabaseWanted = databaseFilter(config);
  }

  records(logged: LoggedStatement, nowMs: number): readonly PolledRecord[] {
    const effect = effectOf(logged.statement, this.#server);
    if (effect === null) return [];
    const origin = originOf(logged, nowMs);
    if (effect.kind === 'database') {
      const { database } = effect;
      return this.#isDatabaseWanted(database) ? this.#schemaChange(origin, logged, { database, table: null }) : [];
    }
    const tables = effect.kind === 'table' ? effect.tables : [effect];
    const table = tables.find((one) => this.#isWanted(one.database, one.table));
    if (table === undefined) return [];
    const truncations = effect.kind === 'truncation' ? this.#truncation(origin, effect) : [];
    return [...truncations, ...this.#schemaChange(origin, logged, table)];
  }

  #truncation(origin: Origin, { database, table }: Truncation): readonly PolledRecord[] {
    if (this.#config['skipped.operations'].includes('t')) return [];
    const { topic } = this.#topics.of(database, table);
    const prefix = this.#config['topic.prefix'];
    const { connector } = this.#server;
    const schemas = truncationSchemas({ name: `${prefix}.${database}.${table}`, connector });
    const source = sourceOf(origin, { connector, name: prefix, db: database, table });
    const marks = { __op: 't', __db: database, __table: table, __source_ts_ms: origin.tsMs, __deleted: 'true' };
    const value: Datum =
      this.#config['output.format'] === 'flat'
        ? { schema: schemas.flat, value: marks }
        : { schema: schemas.envelope, value: { before: null, after: null, source, op: 't', ts_ms: origin.nowMs } };
    return [record(origin, { topic, key: NULL_DATUM, value, part: TRUNCATION_PART })];
  }

  #schemaChange(
    origin: Origin,
    { statement }: LoggedStatement,
    { database, table }: Pick<TableName, 'database'> & { readonly table: string | null },
  ): readonly PolledRecord[] {
    const topic = this.#config['schema.changes.topic'];
    if (topic === '') return [];
    const { connector } = this.#server;
    const schemas = schemaChangeSchemas(connector);
    const source = sourceOf(origin, { connector, name: this.#config['topic.prefix'], db: database, table });
    const value = { source, ts_ms: origin.nowMs, databaseName: database, schemaName: null, ddl: statement.sql };
    return [
      record(origin, {
        topic,
        key: { schema: schemas.key, value: { databaseName: database } },
        value: { schema: schemas.value, value },
        part: SCHEMA_PART,
      }),
    ];
  }
}

interface Made {
  readonly topic: string;
  readonly key: Datum;
  readonly value: Datum;
  readonly part: bigint;
}

function record({ prefix, atMs }: Origin, { topic, key, value, part }: Made): PolledRecord {
  const position: Position = [...prefix, part];
  return { topic, key, value, timestampMs: atMs, headers: [], position };
}
