import { describe, expect, test } from 'vitest';
import { AssertionError } from '../../../../core/assert.ts';
import { claim, claimCheckpoint } from '../../../../core/cursor/claim.ts';
import {
  assertLogCursor,
  createCheckpointCursor,
  createLogCursor,
  heldRanges,
  holdersOf,
  type LogCursor,
  watermark,
} from '../../../../core/cursor/cursor.ts';
import { raiseGate } from '../../../../core/cursor/steer.ts';
import { offset } from '../../../../core/offset.ts';
import { aCheckpointCursor, aClaim, aFreeRange, aHeldRange, aLogClaim, aLogCursor } from '../../../support/builders.ts';

describe('createLogCursor', () => {
  test('starts at its position with nothing claimed', () => {
    const cursor = createLogCursor(offset(700));

    expect(cursor).toMatchObject({ kind: 'log', generation: 1, next: 700n, epoch: 0, open: [], gaps: null });
    expect(watermark(cursor)).toBe(700n);
  });

  test('refuses claims until its gate is raised to any revision (I9)', () => {
    const cursor = createLogCursor(offset(0));

    expect(claim(cursor, aLogClaim({ revision: 0 }))).toMatchObject({ kind: 'refused', reason: 'gate-closed' });
    expect(claim(raiseGate(cursor, { state: 'running', revision: 1 }), aLogClaim({ revision: 1 })).kind).toBe('claimed');
  });
});

describe('createCheckpointCursor', () => {
  test('starts with nothing read and nothing in flight', () => {
    expect(createCheckpointCursor()).toMatchObject({
      kind: 'checkpoint',
      generation: 1,
      checkpoint: null,
      clean: true,
      epoch: 0,
      holder: null,
    });
  });

  test('refuses claims until its gate is raised to any revision (I9)', () => {
    const cursor = createCheckpointCursor();

    expect(claimCheckpoint(cursor, aClaim({ revision: 0 }))).toMatchObject({ kind: 'refused', reason: 'gate-closed' });
    expect(claimCheckpoint(raiseGate(cursor, { state: 'running', revision: 1 }), aClaim({ revision: 1 })).kind).toBe('claimed');
  });
});

describe('watermark', () => {
  test('is next where nothing is open, and else the lowest start, held or free (I1)', () => {
    expect(watermark(aLogCursor({ next: 100 }))).toBe(100n);
    expect(
      watermark(aLogCursor({ next: 100, open: [aHeldRange({ start: 40, end: 50 }), aFreeRange({ start: 60, end: 100 })] })),
    ).toBe(40n);
    expect(watermark(aLogCursor({ next: 100, open: [aFreeRange({ start: 60, end: 100 })] }))).toBe(60n);
    expect(watermark(aLogCursor({ next: 100, open: [aHeldRange({ start: 100, end: null })] }))).toBe(100n);
  });
});

describe('holdersOf', () => {
  test('names the holders of either kind of cursor, and nobody for a free range', () => {
    const held = aHeldRange({ owner: 'a' });
    const log = aLogCursor({ next: 200, open: [held, aFreeRange({ start: 100, end: 200 })] });

    expect(holdersOf(log)).toEqual([held.holder]);
    expect(heldRanges(log)).toEqual([held]);
    expect(holdersOf(aCheckpointCursor())).toEqual([]);
    expect(holdersOf(aCheckpointCursor({ holder: held.holder }))).toEqual([held.holder]);
  });
});

describe('assertLogCursor (I4)', () => {
  test.each<readonly [name: string, cursor: LogCursor]>([
    ['nothing open', aLogCursor({ next: 5 })],
    ['ranges that touch', aLogCursor({ next: 200, open: [aFreeRange({ end: 100 }), aHeldRange({ start: 100, end: 200 })] })],
    ['finished records between', aLogCursor({ next: 200, open: [aFreeRange({ end: 50 }), aFreeRange({ start: 60, end: 100 })] })],
    ['a tail', aLogCursor({ next: 5, open: [aHeldRange({ start: 5, end: null })] })],
  ])('takes %s', (_, cursor) => {
    expect(() => {
      assertLogCursor(cursor);
    }).not.toThrow();
  });

  test.each<readonly [name: string, cursor: LogCursor]>([
    ['ranges that overlap', aLogCursor({ next: 200, open: [aFreeRange({ end: 101 }), aHeldRange({ start: 100, end: 200 })] })],
    ['ranges out of order', aLogCursor({ next: 200, open: [aHeldRange({ start: 100, end: 200 }), aFreeRange({ end: 100 })] })],
    ['an empty range', aLogCursor({ next: 100, open: [aFreeRange({ start: 50, end: 50 })] })],
    ['an inverted range', aLogCursor({ next: 100, open: [aFreeRange({ start: 50, end: 40 })] })],
    ['a range above next', aLogCursor({ next: 99, open: [aFreeRange({ end: 100 })] })],
    ['a tail below next', aLogCursor({ next: 6, open: [aHeldRange({ start: 5, end: null })] })],
    ['a tail above next', aLogCursor({ next: 4, open: [aHeldRange({ start: 5, end: null })] })],
    [
      'a range inside a tail',
      aLogCursor({ next: 10, open: [aHeldRange({ start: 5, end: null }), aFreeRange({ start: 5, end: 10 })] }),
    ],
  ])('refuses %s', (_, cursor) => {
    expect(() => {
      assertLogCursor(cursor);
    }).toThrow(AssertionError);
  });
});
