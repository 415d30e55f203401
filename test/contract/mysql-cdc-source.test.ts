/** What `mysql-cdc-source` makes of servers at moments that real ones are seldom caught at. */
import { describe, expect, test } from 'vitest';
import type { Json } from '../../core/json.ts';
import { comparePositions } from '../../core/record/position.ts';
import type { Struct } from '../../core/record/schema.ts';
import type { PolledRecord, SourceReader } from '../../plugins/api/source.ts';
import { aCdcReader, type CdcKeys, drain, pollOnce, recordsIn } from '../support/mysql-cdc.ts';
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

describe('another server', () => {
  const shared = [inserted(A, 1, [1]), inserted(A, 2, [2])];
  const both = `${A}:1-2`;

  test('is named by a checkpoint of its own before any of its records comes', async () => {
    const a = await StandInMysql.start(A, { log: shared, executed: both });
    const b = await StandInMysql.start(B, { log: [...shared, inserted(B, 1, [3])], executed: `${both},${B}:1` });
    const [begun] = await drain(await aReader(a, null, CHANGES));

    const reader = await aReader(b, begun?.checkpoint ?? null, CHANGES);
    const first = await pollOnce(reader);
    const then = await drain(reader);

    expect(first).toMatchObject({ records: [], checkpoint: { server: B, era: 1, gtids: both } });
    expect(first.idleForMs).toBeUndefined();
    expect(recordsIn(then).map(idOf)).toEqual([3]);
  });

  test.each([
    ['the first one again', A],
    ['a third one', C],
  ])(
    'that dies with records that were not committed is followed by %s, behind them and with nothing left out',
    async (_, next) => {
      const a = await StandInMysql.start(A, { log: shared, executed: both });
      const b = await StandInMysql.start(B, {
        log: [...shared, inserted(B, 1, [3]), inserted(B, 2, [4])],
        executed: `${both},${B}:1-2`,
      });
      const [begun] = await drain(await aReader(a, null, CHANGES));
      const onB = await aReader(b, begun?.checkpoint ?? null, CHANGES);
      const { checkpoint } = await pollOnce(onB);
      const sent = recordsIn(await drain(onB));
      const last = await StandInMysql.start(next, { log: [...shared, inserted(C, 1, [5])], executed: `${both},${C}:1` });

      const reader = await aReader(last, checkpoint, CHANGES);
      const moved = await pollOnce(reader);
      const records = recordsIn(await drain(reader));

      expect(moved).toMatchObject({ records: [], checkpoint: { server: next, era: 2 } });
      expect(records.map(idOf)).toEqual([5]);
      expect(comparePositions(sent.at(-1)?.position ?? [], records[0]?.position ?? [])).toBeLessThan(0);
    },
  );

  test('is read from its checkpoint on with the same records, at the same positions', async () => {
    const a = await StandInMysql.start(A, { log: shared, executed: both });
    const b = await StandInMysql.start(B, { log: [...shared, inserted(B, 1, [3, 4], [5])], executed: `${both},${B}:1` });
    const [begun] = await drain(await aReader(a, null, CHANGES));
    const reader = await aReader(b, begun?.checkpoint ?? null, CHANGES);
    const moved = await pollOnce(reader);
    const whole = recordsIn(await drain(reader));

    const again = await drain(await aReader(b, moved.checkpoint, CHANGES), { records: 1 });
    const rest: unknown[] = [];
    for (const { checkpoint } of again) rest.push(recordsIn(await drain(await aReader(b, checkpoint, CHANGES))).map(idOf));

    expect(recordsIn(again).map(placeOf)).toEqual(whole.map(placeOf));
    expect(rest).toEqual([[4, 5], [5], [], []]);
  });

  test('gives nothing again that it logged behind changes of its own', async () => {
    const a = await StandInMysql.start(A, { log: shared, executed: both });
    const [first, second] = shared as [LoggedTransaction, LoggedTransaction];
    const log = [first, inserted(B, 1, [3]), second, inserted(B, 2, [4])];
    const b = await StandInMysql.start(B, { log, executed: `${both},${B}:1-2` });
    const [begun] = await drain(await aReader(a, null, CHANGES));
    const results = await drain(await aReader(b, begun?.checkpoint ?? null, CHANGES), { records: 1 });
    const [, afterOne] = results;

    const rest = recordsIn(await drain(await aReader(b, afterOne?.checkpoint ?? null, CHANGES)));

    expect(recordsIn(results).map(idOf)).toEqual([3, 4]);
    expect(rest.map(idOf)).toEqual([4]);
  });

  test('that has nothing more to say gives the rows that are still to be read', async () => {
    const rows: [number, number][] = [
      [1, 1],
      [2, 2],
    ];
    const a = await StandInMysql.start(A, { log: shared, executed: both, rows });
    const b = await StandInMysql.start(B, { log: shared, executed: both, rows });
    const onA = await aReader(a, null);
    await pollOnce(onA);
    const { records, checkpoint } = await pollOnce(onA, { records: 1 });
    expect(records.map(idOf)).toEqual([1]);

    const onB = await aReader(b, checkpoint);
    const moved = await pollOnce(onB);
    const read = await pollOnce(onB);

    expect(moved.records).toEqual([]);
    expect(read.records.map(idOf)).toEqual([2]);
    expect(comparePositions(records[0]?.position ?? [], read.records[0]?.position ?? [])).toBeLessThan(0);
  });
});

function aReader(server: StandInMysql, checkpoint: Json, keys: CdcKeys = {}): Promise<SourceReader> {
  return aCdcReader({ server: () => server }, checkpoint, keys);
}

function inserted(uuid: string, number: number, ...statements: readonly (readonly number[])[]): LoggedTransaction {
  return { uuid, number, statements: statements.map((ids) => ids.map((id) => [id, id])) };
}

function placeOf(record: PolledRecord): unknown {
  return [idOf(record), record.position];
}

function idOf({ key }: PolledRecord): unknown {
  return (key.value as Struct)['id'];
}
