/** What `mysql-cdc-source` makes of servers at moments that real ones are seldom caught at. */
import { describe, expect, test } from 'vitest';
import type { Json } from '../../core/json.ts';
import { comparePositions } from '../../core/record/position.ts';
import type { Struct } from '../../core/record/schema.ts';
import type { PolledRecord, SourceReader } from '../../plugins/api/source.ts';
import { aCdcReader, type CdcKeys, drain, lastCheckpoint, pollOnce, recordsIn } from '../support/mysql-cdc.ts';
import { type LoggedTransaction, result, StandInMysql } from '../support/stand-in-mysql.ts';

const A = 'aaaaaaaa-0000-0000-0000-000000000001';
const B = 'bbbbbbbb-0000-0000-0000-000000000002';
const C = 'cccccccc-0000-0000-0000-000000000003';

const CHANGES: CdcKeys = { 'snapshot.mode': 'schema_only' };

describe('where it begins', () => {
  test('has rows of a transaction that is in the log before that, and was not seen by others yet', async () => {
    const server = await StandInMysql.start(A, {
      log: [inserted(A, 1, [1]), inserted(A, 2, [2])],
      executed: `${A}:1`,
      owned: `${A}:2#12`,
      rows: [[1, 1]],
    });
    server.when(/WAIT_FOR_EXECUTED_GTID_SET/, (sql) => {
      if (sql.includes(`'${A}:2'`)) server.state.rows = [...server.state.rows, [2, 2]];
      return result([['0']]);
    });

    const records = recordsIn(await drain(await aReader(server, null)));

    expect(records.map(idOf)).toEqual([1, 2]);
  });

  test('is not found as long as such a transaction is not seen', async () => {
    const server = await StandInMysql.start(A, { log: [inserted(A, 1, [1])], owned: `${A}:1#12${B}:4#13:5#14${B}:tag:1#15` });
    server.when(/WAIT_FOR_EXECUTED_GTID_SET/, () => result([['1']]));

    await expect(pollOnce(await aReader(server, null))).rejects.toMatchObject({ name: 'RetryableError' });

    expect(server.statements.at(-1)).toContain(`'${A}:1,${B}:4:5,${B}:tag:1'`);
  });
});

function aReader(server: StandInMysql, checkpoint: Json, keys: CdcKeys = {}): Promise<SourceReader> {
  return aCdcReader({ server: () => server }, checkpoint, keys);
}

function inserted(uuid: string, number: number, ...statements: readonly (readonly number[])[]): LoggedTransaction {
  return { uuid, number, statements: statements.map((ids) => ids.map((id) => [id, id])) };
}

function idOf({ key }: PolledRecord): unknown {
  return (key.value as Struct)['id'];
}
