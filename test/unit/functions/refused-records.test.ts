import { describe, expect, test } from 'vitest';
import { RecordError } from '../../../core/errors.ts';
import { deadLetterId } from '../../../functions/dead-letter.ts';
import { DEAD_LETTERS } from '../../support/configs.ts';
import { aSinkRecord } from '../../support/connect-records.ts';
import { brokerUnavailable, brokerWith } from '../../support/faulty-ports.ts';
import { anOutgoingRecord, bytesOf } from '../../support/log-records.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, valuesIn } from '../../support/sink-shard.ts';
import { recordsOf, valuesOf } from '../../support/source-shard.ts';

const JSON_VALUES = { 'value.converter': 'json', 'value.converter.schemas.enable': 'false' };
const FAILS = { value: bytesOf('{"a":') };
const GOOD = { value: bytesOf('{"a":1}') };

describe('runInvocation with records that cannot be read', () => {
  test('fails its shard at the first of them, with stage and position, and delivers those before it', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: [GOOD, FAILS, GOOD], config: JSON_VALUES });

    const { run } = await sink.run();

    expect(target.entries.map(({ value }) => value)).toEqual([{ a: 1 }]);
    expect(run).toMatchObject({
      outcome: 'failed',
      counts: { read: 3, delivered: 1 },
      error: { code: 'record.conversion_failed', stage: 'convert', position: 'orders/memory/0@1' },
    });
    expect(await sink.cursor()).toMatchObject({
      status: { state: 'failed', code: 'record.conversion_failed' },
      open: [{ start: 1n, end: 3n }],
    });
  });

  test('dead-letters them as they came, and delivers the others in order (I7)', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: [FAILS, GOOD, FAILS, GOOD], config: { ...JSON_VALUES, ...DEAD_LETTERS } });

    const { run } = await sink.run();

    expect(target.entries.map(({ id }) => id)).toEqual(['orders/memory/0@1', 'orders/memory/0@3']);
    expect(valuesOf(await recordsOf(sink.log, 'refused-orders'))).toEqual(['{"a":', '{"a":']);
    expect(run).toMatchObject({ outcome: 'drained', counts: { read: 4, delivered: 2, deadLettered: 2 } });
  });

  test('counts those that transforms and predicates refuse, with their stage', async () => {
    const config = {
      ...JSON_VALUES,
      'errors.tolerance': 'all',
      transforms: 'stamp',
      'transforms.stamp.type': 'org.apache.kafka.connect.transforms.InsertField$Value',
      'transforms.stamp.static.field': 'from',
      'transforms.stamp.static.value': 'orders',
    };
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: [{ value: bytesOf('7') }, GOOD, FAILS], config });

    const { run } = await sink.run();

    expect(target.entries.map(({ value }) => value)).toEqual([{ a: 1, from: 'orders' }]);
    expect(run.counts).toMatchObject({ read: 3, delivered: 1, dropped: 2 });
    expect(sink.host.telemetry.logs.map(({ fields }) => [fields['stage'], fields['code'], fields['position']])).toEqual([
      ['transform', 'record.transform_failed', 'orders/memory/0@0'],
      ['convert', 'record.conversion_failed', 'orders/memory/0@2'],
    ]);
  });

  test('looks at nothing that is behind a record it stops at', async () => {
    const target = memoryTarget('append');
    const config = { ...JSON_VALUES, 'consumer.override.max.poll.records': '10' };
    const sink = await aSinkShard({ target, values: [GOOD, FAILS, { value: null }, GOOD], config });

    const { run } = await sink.run();

    expect(run.counts).toMatchObject({ filtered: 0, delivered: 1 });
  });
});

describe('runInvocation with a dead-letter topic', () => {
  const refusal = new RecordError('too\nlong\u0001', { code: 'record.too_large' });

  test('keeps a record as it was read, and says where it came from and why', async () => {
    const target = memoryTarget('append');
    const record = anOutgoingRecord({
      key: bytesOf('k'),
      value: bytesOf('v'),
      tag: 'urgent',
      headers: [['trace', '7']],
      bornAtMs: 1_234,
    });
    const sink = await aSinkShard({ target, values: ['fine', record], config: DEAD_LETTERS });
    target.refusal = ({ value }) => (value === 'v' ? refusal : undefined);

    await sink.run();

    expect(await recordsOf(sink.log, 'refused-orders')).toMatchObject([
      {
        key: bytesOf('k'),
        value: bytesOf('v'),
        tag: 'urgent',
        bornAtMs: 1_234,
        headers: [
          ['trace', '7'],
          ['sortie.errors.id', `${sink.shard}/1/1`],
          ['sortie.errors.connector', 'orders-sink'],
          ['sortie.errors.topic', 'orders'],
          ['sortie.errors.stage', 'put'],
          ['sortie.errors.code', 'record.too_large'],
          ['sortie.errors.message', 'too long '],
        ],
      },
    ]);
  });

  test("adds Kafka Connect's headers where they are asked for", async () => {
    const target = memoryTarget('append');
    const config = { ...DEAD_LETTERS, 'errors.deadletterqueue.context.headers.enable': 'true' };
    const sink = await aSinkShard({ target, values: ['fine', 'v'], config });
    target.refusal = ({ value }) => (value === 'v' ? refusal : undefined);

    await sink.run();

    const [letter] = await recordsOf(sink.log, 'refused-orders');
    expect(Object.fromEntries(letter?.headers ?? [])).toMatchObject({
      '__connect.errors.topic': 'orders',
      '__connect.errors.partition': '0',
      '__connect.errors.offset': '1',
      '__connect.errors.connector.name': 'orders-sink',
      '__connect.errors.stage': 'TASK_PUT',
      '__connect.errors.exception.message': 'too long ',
    });
  });

  test('logs what it dead-letters only where that is asked for', async () => {
    const logs: (readonly unknown[])[] = [];
    for (const enabled of ['false', 'true']) {
      const target = memoryTarget('append');
      target.refusal = () => refusal;
      const sink = await aSinkShard({ target, values: ['v'], config: { ...DEAD_LETTERS, 'errors.log.enable': enabled } });
      await sink.run();
      logs.push(sink.host.telemetry.logs);
    }

    expect(logs).toEqual([
      [],
      [
        {
          level: 'warn',
          message: expect.stringContaining('dead-lettered'),
          fields: expect.objectContaining({ position: 'orders/memory/0@0', stage: 'put', code: 'record.too_large' }),
        },
      ],
    ]);
  });

  test('cuts a message that is longer than a header should be', async () => {
    const target = memoryTarget('append');
    target.refusal = () => new RecordError('x'.repeat(100_000));
    const sink = await aSinkShard({ target, values: ['v'], config: DEAD_LETTERS });

    await sink.run();

    const [letter] = await recordsOf(sink.log, 'refused-orders');
    expect(Object.fromEntries(letter?.headers ?? [])['sortie.errors.message']).toBe('x'.repeat(1_024));
  });

  test('commits nothing of a record whose letter could not be sent (I5)', async () => {
    const target = memoryTarget('append');
    target.refusal = ({ value }) => (value === 'b' ? refusal : undefined);
    let isUp = false;
    const sink = await aSinkShard({
      target,
      values: ['a', 'b'],
      config: DEAD_LETTERS,
      broker: (broker) =>
        brokerWith(broker, { send: (...batch) => (isUp ? broker.send(...batch) : Promise.reject(brokerUnavailable())) }),
    });

    const failed = await sink.run();
    const cursor = await sink.cursor();
    isUp = true;
    await sink.host.clock.sleep(1_000);
    await sink.run();

    expect(failed.run).toMatchObject({ outcome: 'failed', error: { code: 'broker.unavailable', stage: 'deadLetter' } });
    expect(cursor).toMatchObject({ status: { state: 'active' }, open: [{ start: 0n, end: 2n, attempts: 1 }] });
    expect(valuesOf(await recordsOf(sink.log, 'refused-orders'))).toEqual(['b']);
    expect(await sink.cursor()).toMatchObject({ next: 2n, open: [] });
  });

  test('ends within its claim where the broker never answers a letter', async () => {
    const target = memoryTarget('append');
    target.refusal = () => refusal;
    const send = () => new Promise<never>(() => undefined);
    const sink = await aSinkShard({
      target,
      values: ['a'],
      config: DEAD_LETTERS,
      broker: (broker) => brokerWith(broker, { send }),
    });

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'broker.unavailable', stage: 'deadLetter' } });
    expect(run.endedAtMs - run.startedAtMs).toBe(18_000);
    expect(await sink.cursor()).toMatchObject({ open: [{ kind: 'free', start: 0n, attempts: 1 }] });
  });

  test('fails its shard when the topic refuses a letter for good', async () => {
    const target = memoryTarget('append');
    target.refusal = () => refusal;
    const sink = await aSinkShard({ target, values: [{ value: new Uint8Array(4 * 1024 * 1024) }], config: DEAD_LETTERS });

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', counts: { deadLettered: 0 }, error: { stage: 'deadLetter' } });
    expect(await sink.cursor()).toMatchObject({ status: { state: 'failed', code: 'record.too_large' }, open: [{ start: 0n }] });
  });

  test('needs no topic while nothing is refused', async () => {
    const sink = await aSinkShard({ values: ['a'], config: DEAD_LETTERS });

    await sink.run();

    expect(await sink.log.topics()).toEqual(['orders']);
  });

  test('is not used without tolerance', async () => {
    const target = memoryTarget('append');
    target.refusal = () => refusal;
    const sink = await aSinkShard({ target, values: ['a'], config: { 'errors.deadletterqueue.topic.name': 'refused-orders' } });

    const { run } = await sink.run();

    expect(run.outcome).toBe('failed');
    expect(await sink.log.topics()).toEqual(['orders']);
  });
});

describe('runInvocation that tolerates without a dead-letter topic', () => {
  test('drops each refused record with a log line that says which it was (I10)', async () => {
    const target = memoryTarget('append');
    target.refusal = ({ value }) => (value === 'b' ? new RecordError('not this one') : undefined);
    const sink = await aSinkShard({ target, values: ['a', 'b'], config: { 'errors.tolerance': 'all' } });

    const { run } = await sink.run();

    expect(valuesIn(target)).toEqual(['a']);
    expect(run.counts).toMatchObject({ delivered: 1, dropped: 1, deadLettered: 0 });
    expect(run.error).toBeUndefined();
    expect(sink.host.telemetry.logs).toEqual([
      {
        level: 'warn',
        message: 'dropped: not this one',
        fields: {
          connector: 'orders-sink',
          shard: sink.shard,
          epoch: 1,
          position: 'orders/memory/0@1',
          stage: 'put',
          code: 'record.rejected',
        },
      },
    ]);
  });
});

describe('deadLetterId', () => {
  test('tells generations apart, and is the same whenever a record is refused again', () => {
    const record = aSinkRecord();
    const slice = { shard: 'uid/queue' as never, generation: 2, epoch: 3 };

    const id = deadLetterId(slice, record);

    expect(id).toBe(`uid/queue/2/${record.log.offset}`);
    expect(deadLetterId({ ...slice, epoch: 9 }, record)).toBe(id);
    expect(deadLetterId({ ...slice, generation: 3 }, record)).not.toBe(id);
  });
});
