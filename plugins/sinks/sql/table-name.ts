import { RecordError } from '../../../core/errors.ts';
import type { ConnectRecord } from '../../../core/record/connect-record.ts';
import { fieldOf, isStruct } from '../../../core/record/struct.ts';

const TOPIC = '${topic}';
const SOURCE_TABLE = '${source.table}';

/** The table of a record; `null` for a tombstone where the format asks for what only an event says. */
export function tableNames(format: string): (record: ConnectRecord) => string | null {
  if (format === TOPIC) return ({ topic }) => topic;
  if (!format.includes(SOURCE_TABLE)) return ({ topic }) => format.replaceAll(TOPIC, () => topic);
  return (record) => {
    if (record.value === null) return null;
    const source = sourceTable(record);
    const table = format.replaceAll(TOPIC, () => record.topic).replaceAll(SOURCE_TABLE, () => source);
    if (!isUsable(table))
      throw new RecordError(`the change event is for a table ${JSON.stringify(table)}, which cannot be written`);
    return table;
  };
}

/** Neither the database's nor the product's own, and what SQL can write: a record must not stop all others of its shard. */
function isUsable(table: string): boolean {
  return !/^(?:sqlite|_sortie)_/i.test(table) && !table.includes('\0') && table.isWellFormed();
}

function sourceTable({ value }: ConnectRecord): string {
  const source = isStruct(value) ? fieldOf(value, 'source') : undefined;
  const table = source !== undefined && isStruct(source) ? fieldOf(source, 'table') : undefined;
  if (typeof table === 'string' && table !== '') return table;
  throw new RecordError(`table.name.format asks for ${SOURCE_TABLE}, and the record is no change event that names its table`);
}
