import { deflateSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readProperties } from '../../../../../clients/rocketmq/properties.ts';
import { PulledRecord } from '../../../../../clients/rocketmq/records/pulled-record.ts';
import { RecordCollector } from '../../../../../clients/rocketmq/records/record-collector.ts';
import { offset } from '../../../../../core/offset.ts';
import type { OutgoingRecord } from '../../../../../core/ports.ts';
import { anOutgoingRecord, asSent, bytesOf, textOf } from '../../../../support/log-records.ts';
import { messageOf, storedMessage } from '../../../../support/stored-message.ts';

const QUEUE = { topic: 'T', brokerName: 'broker-a', queueId: 0 };

/** What a reader gets of it. */
function throughMessage(record: OutgoingRecord, batchBornAtMs = record.bornAtMs): PulledRecord {
  return pulled(storedMessage({ ...messageOf(record, batchBornAtMs), bornAtMs: batchBornAtMs }));
}

function pulled(answer: Buffer): PulledRecord {
  return new PulledRecord(answer, 0, { queue: QUEUE, offset: offset(0) });
}

/** The properties that others see. */
function propertiesOf(record: OutgoingRecord): Record<string, string> {
  const bytes = Buffer.from(messageOf(record, record.bornAtMs).properties);
  return Object.fromEntries(readProperties(bytes, { at: 0, end: bytes.length }));
}

const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('', 'KEYS', 'TAGS', 'SORTIE_VALUE', 'a\u0001b\u0002'));

const record: fc.Arbitrary<OutgoingRecord> = fc.record({
  key: fc.option(fc.oneof(fc.uint8Array({ maxLength: 20 }), text.map(bytesOf))),
  value: fc.option(fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.constantFrom(bytesOf('null'), bytesOf(' ')))),
  tag: fc.option(text),
  headers: fc.array(fc.tuple(text, text), { maxLength: 5 }),
  bornAtMs: fc.nat(),
});

describe('writeRecord', () => {
  test('keeps all of a record', () => {
    fc.assert(
      fc.property(record, fc.nat(), (sent, batchBornAtMs) => {
        expect(asSent(throughMessage(sent, batchBornAtMs))).toEqual(sent);
      }),
    );
  });

  test('keeps the key of a record beside other words that find it, and none where there is none', () => {
    for (const key of [bytesOf('key'), bytesOf(''), null]) {
      const sent = anOutgoingRecord({ key, keys: 'order-7 paid', shardingKey: '7' });

      expect(propertiesOf(sent)).toMatchObject({ KEYS: 'order-7 paid', __SHARDINGKEY: '7' });
      expect(asSent(throughMessage(sent))).toEqual({ ...anOutgoingRecord(), key });
    }
  });

  test('leaves out words and sharding keys that no property can hold', () => {
    const sent = anOutgoingRecord({ key: bytesOf('key'), keys: 'a\u0001', shardingKey: '' });

    expect(propertiesOf(sent)).toEqual({ KEYS: 'key' });
  });

  test('leaves no body empty, which brokers refuse', () => {
    fc.assert(
      fc.property(record, (sent) => {
        expect(messageOf(sent, 0).body.length).toBeGreaterThan(0);
      }),
    );
  });

  test('writes a key, a tag and headers as others read them', () => {
    const headers = [
      ['color', 'red'],
      ['size', 'l'],
    ] as const;

    expect(propertiesOf(anOutgoingRecord({ key: bytesOf('order-7'), tag: 'paid', headers }))).toEqual({
      KEYS: 'order-7',
      TAGS: 'paid',
      color: 'red',
      size: 'l',
    });
  });

  test('writes headers as others read them beside one that cannot be a property', () => {
    const headers = [
      ['color', 'red'],
      ['TAGS', 'mine'],
    ] as const;

    expect(propertiesOf(anOutgoingRecord({ headers }))).toEqual({
      color: 'red',
      SORTIE_HEADERS: '[["color","red"],["TAGS","mine"]]',
    });
  });
});

describe('PulledRecord', () => {
  test('reads a message of another producer', () => {
    const properties = 'UNIQ_KEY\u0001U1\u0002KEYS\u0001k1 k2\u0002color\u0001red\u0002TAGS\u0001paid\u0002CLUSTER\u0001C\u0002';

    const { key, value, tag, headers, bornAtMs } = asSent(
      pulled(storedMessage({ body: new Uint8Array(), properties, bornAtMs: 7 })),
    );

    expect({ key, value, tag, headers, bornAtMs }).toEqual({
      key: bytesOf('k1 k2'),
      value: new Uint8Array(),
      tag: 'paid',
      headers: [['color', 'red']],
      bornAtMs: 7,
    });
  });

  test('inflates what another producer compressed', () => {
    const value = bytesOf('a'.repeat(5_000));
    const compressed = [
      [0x001, deflateSync(value)],
      [0x301, deflateSync(value)],
      [0x201, zstdCompressSync(value)],
    ] as const;

    for (const [systemFlags, body] of compressed) {
      const message = pulled(storedMessage({ body, properties: '', bornAtMs: 7, systemFlags }));

      expect(asSent(message).value).toEqual(value);
      expect(message.contentBytes).toBe(5_000);
    }
  });

  test('inflates LZ4', () => {
    const body = Uint8Array.from(Buffer.from('04224d186070730500008068656c6c6f00000000', 'hex'));

    const message = pulled(storedMessage({ body, properties: '', bornAtMs: 7, systemFlags: 0x101 }));

    expect([textOf(message.value), message.contentBytes]).toEqual(['hello', 5]);
  });

  test('says what it cannot inflate', () => {
    const unknown = pulled(storedMessage({ body: bytesOf('a'), properties: '', bornAtMs: 7, systemFlags: 0x701 }));
    const broken = [0x101, 0x201, 0x301].map((systemFlags) =>
      pulled(storedMessage({ body: bytesOf('broken'), properties: '', bornAtMs: 7, systemFlags })),
    );

    expect(() => unknown.value).toThrow('compressed in a way that is not known here: unknown');
    for (const message of broken) expect(() => message.value).toThrow(/cannot be inflated \((lz4|zlib|zstd)\)/);
  });
});

describe('RecordCollector', () => {
  test('takes a message whose value cannot be read: who looks at it hears why, and nobody else', () => {
    const broken = storedMessage({ body: bytesOf('broken'), properties: '', bornAtMs: 7, systemFlags: 0x101 });
    const collector = new RecordCollector(QUEUE, { records: 100, bytes: 1, waitMs: 0 });

    const isMore = collector.take(broken, 0n);

    expect([isMore, collector.records.length]).toEqual([true, 1]);
    expect(() => collector.records[0]?.value).toThrow(/cannot be inflated/);
  });

  test('takes as many records as the limit of bytes allows, whatever the messages have beside their contents', () => {
    const values = fc.array(
      fc.record({ value: fc.option(fc.uint8Array({ maxLength: 9 })), tag: fc.option(fc.constant('tag')) }),
      {
        minLength: 1,
        maxLength: 10,
      },
    );
    const property = fc.property(values, fc.nat({ max: 60 }), (fields, bytes) => {
      const messages = fields.map((each, index) => ({ ...messageOf(anOutgoingRecord(each), 0), bornAtMs: 0, offset: index }));
      const collector = new RecordCollector(QUEUE, { records: 100, bytes, waitMs: 0 });

      const isMore = collector.take(Buffer.concat(messages.map(storedMessage)), 0n);

      const contents = fields.map(({ value }) => value?.length ?? 0);
      const fits = (count: number): boolean => contents.slice(0, count).reduce((sum, each) => sum + each, 0) <= bytes;
      let wanted = 1;
      while (wanted < fields.length && fits(wanted + 1)) wanted += 1;
      expect(collector.records.length).toBe(wanted);
      expect([isMore, collector.stoppedAt]).toEqual(wanted === fields.length ? [true, null] : [false, BigInt(wanted)]);
    });

    fc.assert(property);
  });
});
