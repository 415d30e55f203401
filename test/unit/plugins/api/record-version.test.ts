import { describe, expect, test } from 'vitest';
import { AssertionError } from '../../../../core/assert.ts';
import { recordVersion } from '../../../../plugins/api/record-version.ts';
import { aSinkRecord } from '../../../support/connect-records.ts';
import { aRecord } from '../../../support/transform-records.ts';

const LAST_OFFSET = 2n ** 44n - 1n;

describe('recordVersion', () => {
  test('grows with the offset', () => {
    expect(recordVersion(aSinkRecord({ offset: 7 }), { generation: 0 })).toBe(7n);
    expect(recordVersion(aSinkRecord({ offset: 8 }), { generation: 0 })).toBe(8n);
  });

  test('begins each generation above all versions of the one before', () => {
    const last = recordVersion(aSinkRecord({ offset: LAST_OFFSET }), { generation: 2 });
    const first = recordVersion(aSinkRecord({ offset: 0 }), { generation: 3 });

    expect(first).toBe(last + 1n);
  });

  test('is exact where a number would not be', () => {
    expect(String(recordVersion(aSinkRecord({ offset: LAST_OFFSET }), { generation: 1_000 }))).toBe('17609778230460415');
  });

  test('takes no record without an offset, and none whose offset would count as a generation', () => {
    expect(() => recordVersion(aRecord(), { generation: 0 })).toThrow(AssertionError);
    expect(() => recordVersion(aSinkRecord({ offset: LAST_OFFSET + 1n }), { generation: 0 })).toThrow(AssertionError);
  });
});
