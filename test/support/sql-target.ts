/** A database that `sql-sink` writes to, and what it holds, read back as its schema declares. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { decimalScale, parseDecimal, unscaledAt, unscaledBytes } from '../../core/record/decimal.ts';
import { parseExactJson } from '../../core/record/lossless-json.ts';
import { logicalNames, type Schema, type Value } from '../../core/record/schema.ts';
import type { SinkPlugin, SinkWriter } from '../../plugins/api/sink.ts';
import { jsonReader } from '../../plugins/converters/json-reader.ts';
import { sqlSink } from '../../plugins/sinks/sql-sink.ts';
import type { SinkTarget } from '../contract/sink/sink-under-test.ts';
import { aSinkRecord, STRING, textDatum } from './connect-records.ts';

const DAY_MS = 86_400_000;

export type Cell = null | bigint | number | string | Uint8Array;

/** The rows of a table, each as a list of cells; integers as `bigint`. Empty where the table is missing. */
export function rowsIn(path: string, table: string, columns = '*'): Cell[][] {
  const database = new DatabaseSync(path);
  try {
    if (database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(table) === undefined) return [];
    const statement = database.prepare(`SELECT ${columns} FROM "${table.replaceAll('"', '""')}" ORDER BY 1`);
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    return statement.all() as unknown as Cell[][];
  } finally {
    database.close();
  }
}

/** The target of the acceptance kit: rows of `orders` with a key `id`, and a plugin that remembers the schemas it was given. */
export function sqlAcceptanceTarget(): { readonly plugin: SinkPlugin; readonly newTarget: () => Promise<SinkTarget> } {
  const schemas = new Map<Value, Schema | null>();

  const plugin: SinkPlugin = {
    ...sqlSink,
    open: async (config, context) => {
      const writer = await sqlSink.open(config as never, context);
      return {
        ...methodsOf(writer),
        put: (batch, signal) => {
          for (const { key, valueSchema } of batch.records) schemas.set(key, valueSchema);
          return writer.put(batch, signal);
        },
      };
    },
  };

  const newTarget = async (): Promise<SinkTarget> => {
    const folder = mkdtempSync(join(tmpdir(), 'sortie-test-'));
    const path = join(folder, 'target.db');
    let lock: DatabaseSync | null = null;
    return {
      config: {
        'connection.url': `sqlite:${path}`,
        'insert.mode': 'upsert',
        'pk.mode': 'record_key',
        'pk.fields': 'id',
        'auto.create': 'true',
      },
      makeRecord: ({ key, text, offset }) => aSinkRecord({ key: textDatum(key), value: textRow(text), offset }),
      makeRefused: ({ key, offset }) =>
        aSinkRecord({ key: textDatum(key), value: { schema: null, value: { text: Number.NaN } }, offset }),
      held: async () => rowsIn(path, 'orders', 'id, text').map(([key, text]) => ({ key: String(key), text: String(text) })),
      heldField: async (key) => {
        const [row] = rowsIn(path, 'orders', 'id, field');
        const schema = schemas.get(key);
        const field = schema?.type === 'struct' ? schema.fields.find(({ name }) => name === 'field') : undefined;
        return readBack(field?.schema as Schema, row?.[1] as Cell);
      },
      breakDown: async () => {
        lock = new DatabaseSync(path);
        lock.exec('BEGIN IMMEDIATE');
      },
      close: async () => {
        lock?.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  };

  return { plugin, newTarget };
}

function methodsOf(writer: SinkWriter) {
  return {
    begin: (...args: Parameters<NonNullable<typeof writer.begin>>) => writer.begin?.(...args) ?? Promise.resolve(null),
    flush: (...args: Parameters<typeof writer.flush>) => writer.flush(...args),
    close: () => writer.close(),
  };
}

function textRow(text: string): { readonly schema: Schema; readonly value: Value } {
  return { schema: { type: 'struct', optional: false, fields: [{ name: 'text', schema: STRING }] }, value: { text } };
}

/** What a cell stands for. */
function readBack(schema: Schema, cell: Cell): Value {
  if (cell === null) return null;
  const { name, type } = schema;
  if (name === logicalNames.decimal) return decimalBytes(schema, String(cell));
  if (name === logicalNames.date) return Date.parse(`${cell}T00:00:00Z`) / DAY_MS;
  if (name === logicalNames.time) return Date.parse(`1970-01-01T${cell}Z`);
  if (name === logicalNames.timestamp) return BigInt(Date.parse(`${String(cell).replace(' ', 'T')}Z`));
  if (type === 'int8' || type === 'int16' || type === 'int32') return Number(cell);
  if (type === 'boolean') return cell === 1n;
  if (type === 'array' || type === 'map' || type === 'struct') {
    return jsonReader(schema, { replaceNullWithDefault: false })(parseExactJson(String(cell)));
  }
  return cell instanceof Uint8Array ? Uint8Array.from(cell) : cell;
}

function decimalBytes(schema: Schema, text: string): Uint8Array | null {
  const decimal = parseDecimal(text);
  return decimal === undefined ? null : unscaledBytes(unscaledAt(decimalScale(schema), decimal));
}
