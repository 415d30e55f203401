import { describe, expect, test } from 'vitest';
import { parseConnectorConfig } from '../../../core/config/connector-config.ts';
import type { ConfigError } from '../../../core/errors.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import { offset } from '../../../core/offset.ts';
import type { LogRecord } from '../../../core/record/connect-record.ts';
import { Pipeline } from '../../../functions/pipeline.ts';
import { configureSteps } from '../../../plugins/configure.ts';
import { registry } from '../../../plugins/registry.ts';
import { comparable, type RecordVector, recordOf, recordVectors } from '../../support/connect-form.ts';
import { bytesOf, textOf } from '../../support/log-records.ts';
import { aRecord } from '../../support/transform-records.ts';

const ORDERS: MessageQueue = { topic: 'orders', brokerName: 'b', queueId: 0 };
const TRANSFORMS = 'org.apache.kafka.connect.transforms';

/** Plain JSON values, text keys. */
function aPipeline(config: Record<string, string> = {}, writes: 'values' | 'bytes' = 'values'): Pipeline {
  const plain = { 'connector.class': 'any', 'value.converter.schemas.enable': 'false' };
  const parsed = parseConnectorConfig({ ...plain, ...config });
  return new Pipeline(configureSteps(registry, parsed), {
    writes,
    stopsAtRefusal: parsed.runtime['errors.tolerance'] === 'none',
  });
}

function aLogRecord(value: string | null, fields: Partial<LogRecord> = {}): LogRecord {
  return {
    queue: ORDERS,
    offset: offset(7),
    key: bytesOf('k'),
    value: value === null ? null : bytesOf(value),
    tag: null,
    headers: [],
    bornAtMs: 5,
    storedAtMs: 6,
    ...fields,
  };
}

/** `a` then `b`, each inserting a field. */
const TWO_INSERTS = {
  transforms: 'a,b',
  'transforms.a.type': `${TRANSFORMS}.InsertField$Value`,
  'transforms.a.static.field': 'from',
  'transforms.a.static.value': 'a',
  'transforms.b.type': `${TRANSFORMS}.ReplaceField$Value`,
  'transforms.b.renames': 'from:origin',
};

function dropsWhere(negate: string): Record<string, string> {
  return {
    transforms: 'drop',
    'transforms.drop.type': `${TRANSFORMS}.Filter`,
    'transforms.drop.predicate': 'marked',
    'transforms.drop.negate': negate,
    predicates: 'marked',
    'predicates.marked.type': `${TRANSFORMS}.predicates.HasHeaderKey`,
    'predicates.marked.name': 'mark',
  };
}

describe('Pipeline', () => {
  test('reads a record of a log', () => {
    const pipeline = aPipeline();
    const log = aLogRecord('{"id":1}', { headers: [['trace', '7']], tag: 'urgent' });

    const { records } = pipeline.apply([pipeline.fromLog(log)]);

    expect(records).toMatchObject([{ topic: 'orders', key: 'k', value: { id: 1 }, timestampMs: 5, tag: 'urgent', log }]);
    expect(records[0]?.headers).toEqual([{ name: 'trace', schema: null, value: '7' }]);
  });

  test('applies transforms in the order that is configured', () => {
    const pipeline = aPipeline(TWO_INSERTS);

    const { records } = pipeline.apply([pipeline.fromLog(aLogRecord('{"id":1}'))]);

    expect(records.map(({ value }) => value)).toEqual([{ id: 1, origin: 'a' }]);
  });

  test.each([
    ['false', ['1']],
    ['true', ['0']],
  ])('applies a transform where its predicate holds, negate %s', (negate, kept) => {
    const pipeline = aPipeline(dropsWhere(negate));
    const batch = [aLogRecord('0', { headers: [['mark', '']] }), aLogRecord('1')].map((log) => pipeline.fromLog(log));

    const { records, indexes, filtered } = pipeline.apply(batch);

    expect(records.map(({ value }) => String(value))).toEqual(kept);
    expect(indexes).toEqual(kept.map(Number));
    expect(filtered).toBe(1);
  });

  test('hands on the bytes that came when nobody changed them', () => {
    const pipeline = aPipeline({}, 'bytes');
    const log = aLogRecord('{ "id" : 1.0 }');

    const { records } = pipeline.apply([pipeline.fromLog(log)]);

    expect(records[0]?.valueDatum.bytes).toBe(log.value);
    expect(records[0]?.keyDatum.bytes).toBe(log.key);
  });

  test('never looks at bytes that only pass through', () => {
    const pipeline = aPipeline({}, 'bytes');

    const { records, refusals } = pipeline.apply([pipeline.fromLog(aLogRecord('{ not json'))]);

    expect(records).toHaveLength(1);
    expect(refusals).toEqual([]);
  });

  test('writes what a transform changed, and only that', () => {
    const pipeline = aPipeline(TWO_INSERTS, 'bytes');
    const log = aLogRecord('{"id":1}');

    const { records } = pipeline.apply([pipeline.fromLog(log)]);

    expect(textOf(records[0]?.valueDatum.bytes ?? null)).toBe('{"id":1,"origin":"a"}');
    expect(records[0]?.keyDatum.bytes).toBe(log.key);
  });

  test('refuses in stage convert what a converter cannot write', () => {
    const pipeline = aPipeline({}, 'bytes');
    const record = aRecord({ value: { schema: { type: 'int8', optional: false }, value: 'text' } });

    const { refusals } = pipeline.apply([record]);

    expect(refusals).toMatchObject([{ index: 0, stage: 'convert', error: { code: 'record.conversion_failed' } }]);
  });

  test('refuses in stage convert what a transform found unreadable', () => {
    const pipeline = aPipeline(TWO_INSERTS);

    const { refusals } = pipeline.apply([pipeline.fromLog(aLogRecord('{'))]);

    expect(refusals).toMatchObject([{ stage: 'convert', error: { code: 'record.conversion_failed' } }]);
  });

  test('goes on behind a refused record unless told to stop', () => {
    const pipeline = aPipeline();
    const batch = ['1', '{', '2', '{', '3'].map((value) => pipeline.fromLog(aLogRecord(value)));

    const all = aPipeline({ 'errors.tolerance': 'all' }).apply(batch);
    const first = pipeline.apply(batch);

    expect([all.indexes, all.refusals.map(({ index }) => index)]).toEqual([
      [0, 2, 4],
      [1, 3],
    ]);
    expect([first.indexes, first.refusals.map(({ index }) => index)]).toEqual([[0], [1]]);
  });

  test('does not open with a plugin that nobody knows', () => {
    expect(() => aPipeline({ 'value.converter': 'unheard.Of' })).toThrow(wrongKey('value.converter'));
    expect(() => aPipeline({ transforms: 'a', 'transforms.a.type': 'unheard.Of' })).toThrow(wrongKey('transforms.a.type'));
    expect(() => aPipeline({ ...dropsWhere('false'), 'predicates.marked.type': 'unheard.Of' })).toThrow(
      wrongKey('predicates.marked.type'),
    );
  });

  test('does not open with a key that a plugin does not have', () => {
    expect(() => aPipeline({ ...TWO_INSERTS, 'transforms.a.static.feild': 'x' })).toThrow(wrongKey('transforms.a.static.feild'));
    expect(() => aPipeline({ 'value.converter.schemas.enabled': 'x' })).toThrow(wrongKey('value.converter.schemas.enabled'));
  });
});

function wrongKey(path: string): ConfigError {
  return expect.objectContaining({ name: 'ConfigError', message: expect.stringContaining(path) });
}

describe('Pipeline answers as Kafka Connect does', () => {
  const chains = recordVectors().filter((vector) => vector.kind === 'chain' && areKnown(vector));

  test('to more than one recorded chain', () => {
    expect(chains.length).toBeGreaterThan(1);
  });

  test.each(chains.map((vector) => [vector.id, vector] as const))('%s', (_, { config, input, output }) => {
    const pipeline = aPipeline(config);

    const { records, refusals } = pipeline.apply([recordOf(input)]);

    expect(refusals).toEqual([]);
    expect(records.map(comparable)).toEqual(output ? [comparable(recordOf(output))] : []);
  });
});

/** Chains of transforms that do not exist here yet answer nothing. */
function areKnown({ config }: RecordVector): boolean {
  return Object.entries(config).every(
    ([key, type]) => !/^transforms\.\w+\.type$/.test(key) || registry.findTransform(type) !== undefined,
  );
}
