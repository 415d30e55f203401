import { describe, expect, test } from 'vitest';
import { noteFirstRecord } from '../../../../core/cursor/first-record.ts';
import { offset } from '../../../../core/offset.ts';
import { aLogCursor } from '../../../support/builders.ts';

const firstRecord = { at: offset(17), storedAtMs: 500 };

describe('noteFirstRecord', () => {
  test('keeps the record that is found first', () => {
    const noted = noteFirstRecord(aLogCursor(), { generation: 1, firstRecord });
    const again = noteFirstRecord(noted, { generation: 1, firstRecord: { at: offset(20), storedAtMs: 600 } });

    expect(noted).toEqual(aLogCursor({ firstRecord }));
    expect(again).toBe(noted);
  });

  test.each([
    ['where the log holds none', { generation: 1, firstRecord: null }],
    ['in another generation than the one that was looked at', { generation: 2, firstRecord }],
  ])('changes nothing %s', (_, found) => {
    const cursor = aLogCursor();

    expect(noteFirstRecord(cursor, found)).toBe(cursor);
  });
});
