import { describe, expect, test } from 'vitest';
import { isBodyWhole, readBatchHeader, stampBatch } from '../../../../adapters/embedded-log/batch-codec.ts';
import { encodeBatches } from '../../../../adapters/embedded-log/encode-batches.ts';
import { frameBytesAt, storedRecord } from '../../../../adapters/embedded-log/stored-record.ts';
import { assert } from '../../../../core/assert.ts';
import { offset } from '../../../../core/offset.ts';
import { anOutgoingRecord, asSent, bytesOf } from '../../../support/log-records.ts';

/** As version 1 has written it; every later version reads it. */
const VERSION_1 = [
  '53727442 01 000000 7b000000 02000000 0000000000010000 00b0c70d42777942 2442ead8 15efe6ac',
  '02000000 02000000 04000000 02000000 13000000 00008056febc7842 6b31 7631 70616964',
  '02000000 01000000 c3a9 78 00000000 00000000',
  'ffffffff ffffffff ffffffff 00000000 00000000 000000000000e03f',
].join(' ');

const FIRST_OFFSET = offset(2n ** 40n);
const STORED_AT_MS = 1_750_000_000_123;
const RECORDS = [
  anOutgoingRecord({
    key: bytesOf('k1'),
    value: bytesOf('v1'),
    tag: 'paid',
    headers: [
      ['é', 'x'],
      ['', ''],
    ],
    bornAtMs: 1_700_000_000_000,
  }),
  anOutgoingRecord({ key: null, value: null, bornAtMs: 0.5 }),
];

describe('a batch of an embedded log', () => {
  test('is written as version 1 says', () => {
    const [batch] = encodeBatches(RECORDS, 1_000).batches;
    assert(batch !== undefined, 'there is a batch');

    stampBatch(batch.bytes, { firstOffset: FIRST_OFFSET, storedAtMs: STORED_AT_MS });

    expect(batch.bytes.toString('hex')).toBe(VERSION_1.replaceAll(' ', ''));
  });

  test('is read as version 1 has written it', () => {
    const bytes = Buffer.from(VERSION_1.replaceAll(' ', ''), 'hex');
    const source = { chunk: bytes, queue: { topic: 't', brokerName: 'b', queueId: 0 }, storedAtMs: STORED_AT_MS };

    const header = readBatchHeader(bytes, 0);
    assert(header !== null, 'the header is whole');

    expect(header).toMatchObject({
      version: 1,
      bytes: bytes.length,
      records: 2,
      firstOffset: FIRST_OFFSET,
      storedAtMs: STORED_AT_MS,
    });
    expect(isBodyWhole(bytes, 0, header)).toBe(true);
    const first = storedRecord(source, 40, FIRST_OFFSET);
    const second = storedRecord(source, 40 + frameBytesAt(bytes, 40), FIRST_OFFSET);
    expect([first, second].map(asSent)).toEqual(RECORDS);
  });

  test('is found changed whichever of its bytes is', () => {
    const bytes = Buffer.from(VERSION_1.replaceAll(' ', ''), 'hex');
    const sound = Array.from(bytes, (byte, at) => {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(byte ^ 1, at);
      const header = readBatchHeader(changed, 0);
      return header !== null && isBodyWhole(changed, 0, header);
    });

    expect(sound).not.toContain(true);
  });
});
