/** Reading real binary logs in tests. */
import { onTestFinished } from 'vitest';
import type { BinlogEvent, BinlogPlace } from '../../clients/binlog/binlog-events.ts';
import { BinlogReader } from '../../clients/binlog/binlog-reader.ts';
import type { Cell, Row } from '../../clients/binlog/cell.ts';
import type { RowOperation } from '../../clients/binlog/rows-event.ts';
import type { DumpOptions } from '../../clients/binlog/start-dump.ts';
import type { TestDatabase } from './databases.ts';

const WAIT_MS = 1_000;

/** Of each reader another. */
let serverId = 1_000;

export async function binlogEnd({ isMariadb, run }: TestDatabase): Promise<BinlogPlace> {
  const [[file, position] = []] = await run(isMariadb ? 'SHOW MASTER STATUS' : 'SHOW BINARY LOG STATUS');
  return { file: file ?? '', position: Number(position) };
}

export async function aBinlogReader(
  { connect }: TestDatabase,
  from: DumpOptions['from'],
  options: Partial<DumpOptions> = {},
): Promise<BinlogReader> {
  serverId += 1;
  const reader = await BinlogReader.start(await connect(), { serverId, follows: false, ...options, from });
  onTestFinished(() => reader.close());
  return reader;
}

/** An event, with the rows that it held. */
export type ReadEvent =
  | Exclude<BinlogEvent, { readonly kind: 'rows' }>
  | {
      readonly kind: 'rows';
      readonly operation: RowOperation;
      readonly table: string;
      readonly rows: readonly { readonly before: Row | null; readonly after: Row | null }[];
    };

/** Until it answers `null` and nothing more comes; of a reader that follows, until `isEnough`. */
export async function readBinlog(
  reader: BinlogReader,
  isEnough: (events: readonly ReadEvent[]) => boolean = () => false,
): Promise<readonly ReadEvent[]> {
  const events: ReadEvent[] = [];
  while (!isEnough(events)) {
    const event = reader.next();
    if (event === null) {
      if (reader.isAtEnd) break;
      await reader.arrival(WAIT_MS);
    } else if (event.kind === 'rows') {
      const { layout, operation } = event;
      const rows: { readonly before: Row | null; readonly after: Row | null }[] = [];
      for (let change = event.next(); change !== null; change = event.next()) rows.push(change);
      events.push({ kind: 'rows', operation, table: `${layout.database}.${layout.table}`, rows });
    } else {
      events.push(event);
    }
  }
  return events;
}

/** The rows that were inserted or changed, as they are then. */
export function rowsAfter(events: readonly ReadEvent[]): readonly Row[] {
  return events.flatMap((event) =>
    event.kind === 'rows' ? event.rows.flatMap(({ after }) => (after === null ? [] : [after])) : [],
  );
}

/** What `SELECT` prints for it, where a column of bytes is selected by `HEX`. */
export function printed(cell: Cell): string | null {
  if (cell === null) return null;
  return cell instanceof Uint8Array ? Buffer.from(cell).toString('hex').toUpperCase() : String(cell);
}
