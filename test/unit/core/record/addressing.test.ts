import { describe, expect, test } from 'vitest';
import { parseConnectorConfig } from '../../../../core/config/connector-config.ts';
import { ConfigError, RecordError } from '../../../../core/errors.ts';
import { addressingOf } from '../../../../core/record/addressing.ts';
import { ConnectRecord } from '../../../../core/record/connect-record.ts';
import { memorySystem, rows } from '../../../support/memory-source.ts';
import { aSourceShard } from '../../../support/source-shard.ts';

const VALUE = { after: { id: 7n, status: 'paid', note: null }, op: 'u' };

function aRecord(): ConnectRecord {
  return new ConnectRecord({
    log: null,
    position: null,
    topic: 'orders',
    key: { schema: null, value: { id: 7n } },
    value: { schema: null, value: VALUE },
    timestampMs: null,
    tag: 'from-source',
    headers: [],
  });
}

function addressed(config: Readonly<Record<string, string>>): ConnectRecord {
  const address = addressingOf(parseConnectorConfig({ 'connector.class': 'any-source', ...config }).runtime);
  return address === null ? aRecord() : address(aRecord());
}

describe('addressingOf', () => {
  test('fills templates with parts of a record', () => {
    const { tag, keys, shardingKey } = addressed({
      'producer.override.tag': '${value.after.status}',
      'producer.override.keys': 'order-${key.id} ${value.op}',
      'producer.override.sharding.key': '${topic}/${value.after.id}',
    });

    expect([tag, keys, shardingKey]).toEqual(['paid', 'order-7 u', 'orders/7']);
  });

  test('leaves what a record lacks as its source made it', () => {
    const { tag, keys } = addressed({
      'producer.override.tag': '${value.after.note}',
      'producer.override.keys': '${value.gone}',
    });

    expect([tag, keys]).toEqual(['from-source', null]);
  });

  test('chooses the queue by a sharding key that is set, though the source chose one', () => {
    const address = addressingOf(
      parseConnectorConfig({ 'connector.class': 'any-source', 'producer.override.sharding.key': '${value.after.id}' }).runtime,
    );
    const chosen = aRecord().with({ queueIndex: 3 });

    expect(address?.(chosen)).toMatchObject({ shardingKey: '7', queueIndex: null });
    expect(address?.(chosen.with({ value: { schema: null, value: {} } }))).toMatchObject({ shardingKey: null, queueIndex: 3 });
  });

  test('is nothing where nothing is set', () => {
    expect(addressingOf(parseConnectorConfig({ 'connector.class': 'any-source' }).runtime)).toBeNull();
  });

  test('refuses a record whose part is no text', () => {
    expect(() => addressed({ 'producer.override.tag': '${value.after}' })).toThrow(RecordError);
  });

  test('refuses a template that names nothing of a record', () => {
    expect(() => addressed({ 'producer.override.tag': '${colour}' })).toThrow(ConfigError);
    expect(() => addressed({ 'producer.override.keys': '${key' })).toThrow('producer.override.keys: has a ${ without its }');
  });
});

describe('runInvocation of a source whose records are addressed', () => {
  test.each([false, true])(
    'tags them, and sends those of one sharding key to one queue (exactly once: %s)',
    async (exactlyOnce) => {
      const config = { 'producer.override.tag': '${topic}-${key}', 'producer.override.sharding.key': 'all' };
      const source = await aSourceShard({ system: memorySystem({ rows: rows(8) }), exactlyOnce, queues: 4, config });

      await source.run();

      const sent = await source.sent();
      expect(sent.map(({ tag }) => tag)).toEqual(rows(8).map(({ key }) => `rows-${key}`));
      expect(new Set(sent.map(({ queue }) => queue.queueId)).size).toBe(1);
    },
  );
});
