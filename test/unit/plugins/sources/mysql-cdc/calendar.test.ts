import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { daysOf, isoTimestamp, microsOfDatetime, microsOfTime } from '../../../../../plugins/sources/mysql-cdc/calendar.ts';

const dates = fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true });

describe('dates', () => {
  test('are days since 1970', () => {
    fc.assert(
      fc.property(dates, (date) => {
        expect(daysOf(date.toISOString().slice(0, 10))).toBe(Math.floor(date.getTime() / 86_400_000));
      }),
    );
    expect(daysOf('0000-03-01')).toBe(-719_468);
  });

  test('that no calendar has are none', () => {
    for (const text of ['0000-00-00', '2026-00-10', '2026-10-00', '2026-02-29', '2026-13-01', '2026-04-31']) {
      expect(daysOf(text)).toBeUndefined();
      expect(microsOfDatetime(`${text} 10:00:00`)).toBeUndefined();
      expect(isoTimestamp(`${text} 10:00:00`)).toBeUndefined();
    }
    expect(daysOf('2024-02-29')).toBe(19_782);
  });
});

describe('dates with times', () => {
  test('are microseconds since 1970', () => {
    fc.assert(
      fc.property(dates, fc.integer({ min: 0, max: 999_999 }), (date, micros) => {
        const seconds = BigInt(Math.floor(date.getTime() / 1_000));
        const text = date.toISOString().slice(0, 19).replace('T', ' ');

        expect(microsOfDatetime(text)).toBe(seconds * 1_000_000n);
        expect(microsOfDatetime(`${text}.${String(micros).padStart(6, '0')}`)).toBe(seconds * 1_000_000n + BigInt(micros));
      }),
    );
    expect(microsOfDatetime('1969-12-31 23:59:59.9')).toBe(-100_000n);
  });

  test('in UTC are texts as Java prints them', () => {
    expect(isoTimestamp('2026-01-02 03:04:05')).toBe('2026-01-02T03:04:05Z');
    expect(isoTimestamp('2026-01-02 03:04:05.120')).toBe('2026-01-02T03:04:05.12Z');
    expect(isoTimestamp('2026-01-02 03:04:50.000')).toBe('2026-01-02T03:04:50Z');
  });
});

test('times are microseconds, also of more than a day, and below zero', () => {
  expect(microsOfTime('00:00:00')).toBe(0);
  expect(microsOfTime('-00:00:01.5')).toBe(-1_500_000);
  expect(microsOfTime('838:59:59.000001')).toBe(3_020_399_000_001);
});
