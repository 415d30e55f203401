/** What `mysql-cdc-source` makes of servers at moments that real ones are seldom caught at. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../core/json.ts';
import { comparePositions } from '../../core/record/position.ts';
import type { Struct } from '../../core/record/schema.ts';
import type { FoundShard } from '../../plugins/api/context.ts';
import type { PolledRecord, SourceReader } from '../../plugins/api/source.ts';
import { aCdcReader, aShardReader, type CdcKeys, drain, pollOnce, recordsIn } from '../support/mysql-cdc.ts';
// Loaded with this file, so that the first test does not wait for it.
import '../../plugins/sources/mysql-cdc/cdc-reader.ts';
import { index, type LoggedTransaction, result, StandInMysql } from '../support/stand-in-mysql.ts';

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

describe('a reader in the middle of a transaction', () => {
  test.each([
    ['changes', CHANGES],
    ['changes and transactions', { ...CHANGES, 'provide.transaction.metadata': 'true', 'tombstones.on.delete': 'true' }],
  ])('gives the same %s as one that read it from its beginning', async (_, keys: CdcKeys) => {
    const server = await StandInMysql.start(A);
    const { checkpoint } = await pollOnce(await aReader(server, null, keys));
    server.state.log = [inserted(A, 1, [1, 2], [3]), { ...inserted(A, 2, [1], [2, 3]), deletes: true }, inserted(A, 3, [4])];
    const whole = recordsIn(await drain(await aReader(server, checkpoint, keys))).map(saidBy);
    const steps = await drain(await aReader(server, checkpoint, keys), { records: 1 });

    let given = 0;
    for (const { records, checkpoint: behind } of steps) {
      given += records.length;
      const rest = recordsIn(await drain(await aReader(server, behind, keys))).map(saidBy);

      expect(rest).toEqual(whole.slice(given));
    }
    expect(given).toBe(whole.length);
    expect(given).toBeGreaterThanOrEqual(7);
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

  test('gives a transaction as a whole of which the first one gave a part, however either divides it', async () => {
    const a = await StandInMysql.start(A, { log: shared, executed: both });
    const [begun] = await drain(await aReader(a, null, CHANGES));
    a.state.log = [...shared, inserted(A, 3, [3, 4], [5])];
    const part = await pollOnce(await aReader(a, begun?.checkpoint ?? null, CHANGES), { records: 2 });
    const b = await StandInMysql.start(B, { log: [...shared, inserted(A, 3, [3], [4, 5])], executed: `${A}:1-3` });

    const whole = recordsIn(await drain(await aReader(b, part.checkpoint, CHANGES)));

    expect(part.records.map(idOf)).toEqual([3, 4]);
    expect(whole.map(idOf)).toEqual([3, 4, 5]);
    expect(comparePositions(part.records.at(-1)?.position ?? [], whole[0]?.position ?? [])).toBeLessThan(0);
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

describe('changes behind ranges of tables', () => {
  const RANGE = ['snapshot', 'shop', 't'];
  const begins = { file: 'binlog.000001', pos: 157 };
  const waiting = { v: 1, server: A, era: 0, ...begins, gtids: '', waits: true } as const;
  const ofLog = (checkpoint: Json): FoundShard => ({ names: ['binlog'], checkpoint, isDone: false });
  const ofRange = (isDone: boolean): FoundShard => ({ names: RANGE, checkpoint: null, isDone });
  const ofLast: FoundShard = { names: ['snapshot'], checkpoint: null, isDone: true };

  async function aWaitingReader(server: StandInMysql, shards: () => readonly FoundShard[], keys: CdcKeys = {}) {
    return aShardReader({ server: () => server }, { names: ['binlog'], checkpoint: waiting, keys, shards });
  }

  test('begin only when no range was opened before it was committed that they do', async () => {
    const server = await StandInMysql.start(A, { log: [inserted(A, 1, [1])], executed: `${A}:1` });
    let committed: Json = waiting;
    let isStrayDone = true;
    const reader = await aWaitingReader(server, () => [ofLog(committed), ofRange(isStrayDone), ofLast]);

    const toBegin = await pollOnce(reader);
    const uncommitted = await pollOnce(reader);
    // A discovery that was held up has made it meanwhile.
    [committed, isStrayDone] = [toBegin.checkpoint, false];
    const unread = await pollOnce(reader);
    isStrayDone = true;
    const begun = await pollOnce(reader);

    expect(toBegin).toMatchObject({ records: [], checkpoint: { waits: 'toBegin' } });
    expect(toBegin.idleForMs).toBeUndefined();
    expect([uncommitted, unread].map(({ checkpoint }) => checkpoint)).toEqual([toBegin.checkpoint, toBegin.checkpoint]);
    expect(begun.checkpoint).not.toHaveProperty('waits');
    expect(recordsIn(await drain(reader)).map(idOf)).toEqual([1]);
  });

  test.each([
    ['are about to', { ...waiting, waits: 'toBegin' }],
    ['have begun to', { ...waiting, waits: undefined }],
  ])('%s be given when a range is found: it is not read', async (_, log) => {
    const server = await StandInMysql.start(A, { rows: [[1, 1]] });
    const shards = () => [ofLog(log as Json), ofRange(false), ofLast];
    const range = { v: 1, server: A, ...begins };

    const reader = await aShardReader({ server: () => server }, { names: RANGE, checkpoint: range, shards });

    expect(await pollOnce(reader)).toMatchObject({ records: [], finished: true });
  });

  test('are looked for less and less often, up to every five seconds', async () => {
    const server = await StandInMysql.start(A);
    const reader = await aWaitingReader(server, () => [ofLog(waiting), ofRange(false), ofLast]);

    const idle: unknown[] = [];
    for (let poll = 0; poll < 5; poll += 1) idle.push((await pollOnce(reader)).idleForMs);

    expect(idle).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
  });

  test('that the server does not have any more are missed while ranges are read', async () => {
    const server = await StandInMysql.start(A);
    server.when(/SHOW BINARY LOGS/, () => result([['binlog.000002', '157', 'No']]));
    const shards = () => [ofLog(waiting), ofRange(false), ofLast];

    const polled = pollOnce(await aWaitingReader(server, shards));

    await expect(polled).rejects.toMatchObject({ name: 'FatalTaskError', code: 'source.log_lost' });
    const again = await pollOnce(await aWaitingReader(server, shards, { 'snapshot.mode': 'when_needed' }));
    expect(again.idleForMs).toBe(1_000);
  });
});

describe('rows of a table without a primary key', () => {
  test('have the key that the log tells them by: the first unique one that takes no nulls', async () => {
    const server = await StandInMysql.start(A, { log: [inserted(A, 1, [1])], executed: `${A}:1`, rows: [[1, 1]] });
    server.when(/SHOW INDEX/, () =>
      result([
        index('by_both', 'id', { nullable: 'YES' }),
        index('by_id', 'id'),
        index('by_v', 'v'),
        index('others', 'v', { isUnique: false }),
      ]),
    );

    const records = recordsIn(await drain(await aReader(server, null)));

    expect(records.map(({ key }) => key.value)).toEqual([{ id: 1 }]);
  });
});

describe('rows of a table without a key', () => {
  const KEYLESS = { hasKey: false, executed: `${A}:1` };
  const valuesOf = (records: readonly PolledRecord[]) => records.map(({ value }) => (value.value as Struct)['id']);
  const FLAT: CdcKeys = { 'output.format': 'flat' };

  /** By a reader for each poll, as where invocations end. */
  async function readOneByOne(
    server: StandInMysql,
    { records, between = () => undefined }: { readonly records: number; readonly between?: (poll: number) => void },
  ): Promise<readonly PolledRecord[]> {
    const given: PolledRecord[] = [];
    let checkpoint: Json = null;
    for (let poll = 0; poll < 60; poll += 1) {
      const reader = await aReader(server, checkpoint, FLAT);
      const polled = await pollOnce(reader, { records });
      await reader.close();
      given.push(...polled.records);
      checkpoint = polled.checkpoint;
      if ((checkpoint as { readonly snapshot?: Json }).snapshot === undefined) return given;
      between(poll);
    }
    throw new Error(`it came to no end: ${JSON.stringify(checkpoint)}`);
  }

  test('are read on from where the reader before stood', async () => {
    const rows = [1, 2, 3, 4, 5].map((id) => [id, id] as const);
    const server = await StandInMysql.start(A, { ...KEYLESS, log: [inserted(A, 1, [1, 2, 3, 4, 5])], rows });

    const records = await readOneByOne(server, { records: 2 });

    expect(valuesOf(records)).toEqual([1, 2, 3, 4, 5]);
  });

  test('are read so many at once as fit into memory', async () => {
    const rows = [1, 2, 3, 4, 5].map((id) => [id, id] as const);
    const rowBytes = 2 * 1024 * 1024;
    const server = await StandInMysql.start(A, { ...KEYLESS, log: [inserted(A, 1, [1, 2, 3, 4, 5])], rows, rowBytes });

    await drain(await aReader(server, null, FLAT));

    expect(
      server.statements.filter((sql) => sql.includes('FROM `shop`.`t` USE')).map((sql) => sql.replace(/.* LIMIT/, 'LIMIT')),
    ).toEqual(['LIMIT 2 OFFSET 0', 'LIMIT 10000 OFFSET 2']);
  });

  test('are not missed, and not given behind their end, whatever is deleted meanwhile', { timeout: 60_000 }, async () => {
    const ids = [1, 2, 3, 4, 5, 6, 7, 8];
    const deletions = fc.uniqueArray(fc.record({ id: fc.constantFrom(...ids), afterPoll: fc.integer({ min: 0, max: 8 }) }), {
      selector: ({ id }) => id,
      maxLength: 5,
    });

    await fc.assert(
      fc.asyncProperty(deletions, fc.integer({ min: 1, max: 3 }), async (deleted, records) => {
        const server = await StandInMysql.start(A, { ...KEYLESS, log: [inserted(A, 1, ids)], rows: ids.map((id) => [id, id]) });
        const between = (poll: number): void => {
          for (const { id } of deleted.filter(({ afterPoll }) => afterPoll === poll)) remove(server, id);
        };

        const given = await readOneByOne(server, { records, between });

        const left = new Set<unknown>();
        for (const { value } of given) {
          const { id, __deleted: isDeleted } = value.value as Struct;
          if (isDeleted === 'true') left.delete(id);
          else left.add(id);
        }
        expect([...left].sort()).toEqual(server.state.rows.map(([id]) => id));
      }),
      { numRuns: 25 },
    );
  });

  function remove({ state }: StandInMysql, id: number): void {
    const number = state.log.length + 1;
    state.rows = state.rows.filter(([of]) => of !== id);
    state.log = [...state.log, { ...inserted(A, number, [id]), deletes: true }];
    state.executed = `${A}:1-${number}`;
  }
});

describe('tables that an operator has read again', () => {
  const log = [inserted(A, 1, [1, 2, 3])];
  const aServer = () => StandInMysql.start(A, { log, executed: `${A}:1`, rows: [1, 2, 3].map((id) => [id, id]) });

  test('come when what is being read is read', async () => {
    const server = await aServer();
    const reader = await aReader(server, null);
    await pollOnce(reader);
    const { records, checkpoint } = await pollOnce(reader, { records: 1 });

    const rest = await drain(await aReader(server, { ...(checkpoint as object), again: ['shop.t'] }), { records: 1 });

    expect([...records, ...recordsIn(rest)].map(idOf)).toEqual([1, 2, 3, 1, 2, 3]);
    expect(rest.map((polled) => 'again' in (polled.checkpoint as object)).slice(0, 4)).toEqual([true, true, false, false]);
  });

  test.each([
    [['shop.t', 'shop.ordres', 't'], '"again" of the checkpoint names no captured table: shop.ordres, t; next: '],
    ['shop.t', '"again" of the checkpoint is no list of tables: "shop.t"; next: '],
  ])('are refused where they are none: %j', async (again, message) => {
    const server = await aServer();
    const { checkpoint } = await pollOnce(await aReader(server, null));

    const polled = aReader(server, { ...(checkpoint as object), again }).then(pollOnce);

    await expect(polled).rejects.toMatchObject({ name: 'FatalTaskError', message: expect.stringContaining(message) as string });
  });
});

describe('heartbeats', () => {
  const BEATS: CdcKeys = { ...CHANGES, 'heartbeat.interval.ms': '1', 'topic.delimiter': '-' };
  const topicsOf = (records: readonly PolledRecord[]) => records.map(({ topic }) => topic);

  test('come while nothing is changed, and behind what is, each at a position of its own', async () => {
    const server = await StandInMysql.start(A);
    const { checkpoint } = await pollOnce(await aReader(server, null, BEATS));
    const quiet = await pollOnce(await aReader(server, checkpoint, BEATS));
    server.state.log = [inserted(A, 1, [1])];
    const busy = await pollOnce(await aReader(server, quiet.checkpoint, BEATS));

    expect(topicsOf(quiet.records)).toEqual(['__debezium-heartbeat-test']);
    expect(quiet.records[0]).toMatchObject({
      key: { value: { serverName: 'test' } },
      value: { value: { ts_ms: expect.any(BigInt) } },
    });
    expect(topicsOf(busy.records)).toEqual(['test-shop-t', '__debezium-heartbeat-test']);
    const positions = [...quiet.records, ...busy.records].map(({ position = [] }) => position);
    expect(positions.toSorted(comparePositions)).toEqual(positions);
  });

  test('come no more often than they are to, whoever reads', async () => {
    const server = await StandInMysql.start(A);
    const rarely: CdcKeys = { ...BEATS, 'heartbeat.interval.ms': '3600000' };
    const { checkpoint } = await pollOnce(await aReader(server, null, rarely));
    const first = await pollOnce(await aReader(server, checkpoint, rarely));
    const second = await pollOnce(await aReader(server, first.checkpoint, rarely));

    expect(first.records).toHaveLength(1);
    expect(second.records).toEqual([]);
  });

  test('do not come where nobody asks for them, nor in the middle of a transaction', async () => {
    const server = await StandInMysql.start(A);
    const { checkpoint } = await pollOnce(await aReader(server, null, BEATS));
    server.state.log = [inserted(A, 1, [1, 2])];

    const within = await pollOnce(await aReader(server, checkpoint, BEATS), { records: 1 });
    const none = await drain(await aReader(server, checkpoint, CHANGES));

    expect(topicsOf(within.records)).toEqual(['test-shop-t']);
    expect(topicsOf(recordsIn(none))).toEqual(['test.shop.t', 'test.shop.t']);
  });
});

function aReader(server: StandInMysql, checkpoint: Json, keys: CdcKeys = {}): Promise<SourceReader> {
  return aCdcReader({ server: () => server }, checkpoint, keys);
}

function inserted(uuid: string, number: number, ...statements: readonly (readonly number[])[]): LoggedTransaction {
  return { uuid, number, statements: statements.map((ids) => ids.map((id) => [id, id])) };
}

/** Without the time at which it was read. */
function saidBy({ topic, key, value, position }: PolledRecord): unknown {
  const { ts_ms: _, ...rest } = (value.value ?? {}) as Struct;
  return { topic, key: key.value, rest, position };
}

function placeOf(record: PolledRecord): unknown {
  return [idOf(record), record.position];
}

function idOf({ key }: PolledRecord): unknown {
  return (key.value as Struct)['id'];
}
