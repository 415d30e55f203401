import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AssertionError } from '../../../../core/assert.ts';
import { decodeCursor, encodeCursor } from '../../../../core/cursor/codec.ts';
import { type Cursor, OPEN_RANGES_MAX } from '../../../../core/cursor/cursor.ts';
import { FatalTaskError } from '../../../../core/errors.ts';
import { advance, offset } from '../../../../core/offset.ts';
import {
  aCheckpointCursor,
  aFreeRange,
  aHeldRange,
  aLogCursor,
  anAbandonedRange,
  aShard,
  CLAIM_MS,
  NOW_MS,
} from '../../../support/builders.ts';
import { checkpointCursors, logCursors } from '../../../support/cursor-arbitraries.ts';

/** What one DynamoDB write unit holds. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html */
const WRITE_UNIT_BYTES = 1_024;

const cursors: fc.Arbitrary<Cursor> = fc.oneof(logCursors(), checkpointCursors());

/** 128 random bits in base 64 and the count of a claim. */
const owners = Array.from({ length: OPEN_RANGES_MAX }, (_, index) => `Qx7kz3f9a2/Zm9vYmFyYm.${index}`);

/** Near the end of 64 bits, after a year of a busy queue. */
const BUSIEST_OFFSET = offset(9_223_372_036_854_000_000n);

describe('encodeCursor', () => {
  test('is read back as it was', () => {
    fc.assert(
      fc.property(cursors, (cursor) => {
        expect(decodeCursor(encodeCursor(cursor), aShard)).toEqual(cursor);
      }),
    );
  });

  test('keeps eight held slices within one write unit', () => {
    const open = owners.map((owner, index) => {
      const start = advance(BUSIEST_OFFSET, index * 20_000);
      return aHeldRange({
        start,
        end: advance(start, 10_000),
        owner,
        epoch: 12_345_678 + index,
        deadlineAtMs: NOW_MS + CLAIM_MS + index * 777.25,
      });
    });
    const cursor = aLogCursor({
      next: advance(BUSIEST_OFFSET, 160_000),
      generation: 12,
      gate: { state: 'running', revision: 123 },
      status: { state: 'failed', code: 'source.checkpoint_too_large', retryAtMs: NOW_MS, restarts: 3 },
      open,
      pace: { usPerRecord: 1_234.56, bytesPerRecord: 4_321 },
      lastStoredAtMs: NOW_MS,
      firstRecord: { at: BUSIEST_OFFSET, storedAtMs: NOW_MS },
      gaps: { count: 99, records: 123_456_789n, start: BUSIEST_OFFSET, end: advance(BUSIEST_OFFSET, 1_000) },
    });

    const text = encodeCursor(cursor);

    expect(owners[0]).toHaveLength(23);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(WRITE_UNIT_BYTES);
    expect(decodeCursor(text, aShard)).toEqual(cursor);
  });

  test('rounds the pace, and nothing else', () => {
    const cursor = aLogCursor({ pace: { usPerRecord: 1.23456, bytesPerRecord: 99.6 } });

    expect(decodeCursor(encodeCursor(cursor), aShard)).toEqual({ ...cursor, pace: { usPerRecord: 1.23, bytesPerRecord: 100 } });
  });

  test('stores no cursor that could not be read back (I4)', () => {
    const overlapping = aLogCursor({ next: 100, open: [aFreeRange({ end: 60 }), aFreeRange({ start: 50, end: 100 })] });

    expect(() => encodeCursor(overlapping)).toThrow('overlap');
  });
});

/** What no version could read back, be it that `JSON` makes `null` of it. */
const unstorable = [Number.NaN, Number.POSITIVE_INFINITY, 1e300, -1];

describe.each(unstorable)('encodeCursor of %s', (number) => {
  const holder = { owner: 'holder', deadlineAtMs: number };

  test.each<readonly [field: string, cursor: Cursor]>([
    ['a generation', aLogCursor({ generation: number })],
    ['a revision', aLogCursor({ gate: { state: 'running', revision: number } })],
    ['restarts', aLogCursor({ status: { state: 'active', restarts: number } })],
    ['restarts of a shard that is gone', aLogCursor({ status: { state: 'gone', restarts: number } })],
    ['a restart', aLogCursor({ status: { state: 'failed', code: 'task.failed', retryAtMs: number, restarts: 0 } })],
    ['an epoch', aLogCursor({ epoch: number })],
    ['the time of a retry', aLogCursor({ next: 100, open: [aFreeRange({ retryAtMs: number })] })],
    ['attempts', aLogCursor({ next: 100, open: [aFreeRange({ attempts: number })] })],
    ['deaths', aLogCursor({ next: 100, open: [aHeldRange({ deaths: number })] })],
    ['a deadline', aLogCursor({ next: 100, epoch: 1, open: [aHeldRange({ deadlineAtMs: number })] })],
    ['a pace', aLogCursor({ pace: { usPerRecord: 1, bytesPerRecord: number } })],
    ['a store time', aLogCursor({ lastStoredAtMs: number })],
    ['the store time of a first record', aLogCursor({ firstRecord: { at: offset(0), storedAtMs: number } })],
    ['a count of gaps', aLogCursor({ gaps: { count: number, records: 1n, start: offset(0), end: offset(1) } })],
    ['attempts at a checkpoint', aCheckpointCursor({ attempts: number })],
    ['deaths at a checkpoint', aCheckpointCursor({ deaths: number })],
    ['the deadline of a checkpoint', aCheckpointCursor({ holder })],
    ['the time of a retry from a checkpoint', aCheckpointCursor({ retryAtMs: number })],
    ['the time of the next poll', aCheckpointCursor({ pollAtMs: number })],
  ])('stores nothing where it is %s', (_, cursor) => {
    expect(() => encodeCursor(cursor)).toThrow(AssertionError);
  });
});

/** Texts as versions of the product stored them. None is ever changed: every later version must read them. */
const stored: readonly (readonly [file: string, cursor: Cursor])[] = [
  ['v1-log-fresh', { ...aLogCursor({ next: 700 }), gate: { state: 'stopped', revision: 0 } }],
  [
    'v1-log-open',
    aLogCursor({
      generation: 3,
      gate: { state: 'paused', revision: 12 },
      next: 1_800,
      epoch: 41,
      open: [
        aHeldRange({ start: 1_200, end: 1_400, epoch: 39, owner: 'Zm9vYmFyYmF6cXV4MTIzNA.2', deadlineAtMs: 1_800_000_020_000 }),
        aFreeRange({
          start: 1_600,
          end: 1_800,
          deaths: 2,
          attempts: 1,
          retryAtMs: 1_800_000_001_000,
          error: 'target.unavailable',
        }),
      ],
      pace: { usPerRecord: 12.34, bytesPerRecord: 1_024 },
      lastStoredAtMs: 1_799_999_999_000,
      gaps: { count: 2, records: 123_456_789_012_345_678n, start: offset(100), end: offset(200) },
    }),
  ],
  [
    'v1-log-tail',
    aLogCursor({
      next: BUSIEST_OFFSET,
      epoch: 7,
      status: { state: 'active', restarts: 3 },
      open: [anAbandonedRange({ start: BUSIEST_OFFSET, end: null, epoch: 7, deadlineAtMs: 1_800_000_020_000 })],
    }),
  ],
  ['v1-log-known', aLogCursor({ next: 40, firstRecord: { at: offset(17), storedAtMs: 1_799_999_999_000 } })],
  ['v1-log-gone', aLogCursor({ gate: { state: 'deleted', revision: 4 }, status: { state: 'gone', restarts: 0 } })],
  ['v1-log-failed', aLogCursor({ status: { state: 'failed', code: 'shard.log_truncated', retryAtMs: null, restarts: 0 } })],
  [
    'v1-checkpoint-held',
    aCheckpointCursor({
      checkpoint: { p: { file: 'binlog.000042', byte: 4 }, q: { 'orders/broker-a/0': '17' } },
      clean: false,
      epoch: 9,
      deaths: 1,
      attempts: 2,
      holder: { owner: 'Zm9vYmFyYmF6cXV4MTIzNA.2', deadlineAtMs: 1_800_000_020_000 },
      pollAtMs: 1_800_000_030_000,
      pace: { usPerRecord: 0.5, bytesPerRecord: 80 },
    }),
  ],
  [
    'v1-checkpoint-failed',
    aCheckpointCursor({
      status: { state: 'failed', code: 'task.failed', retryAtMs: 1_800_000_060_000, restarts: 1 },
      attempts: 1,
      clean: false,
      retryAtMs: 1_800_000_001_000,
      error: 'source.unavailable',
    }),
  ],
  ['v1-checkpoint-done', aCheckpointCursor({ checkpoint: 'end', status: { state: 'done' } })],
];

describe('decodeCursor', () => {
  test.each(stored)('reads %s as that version meant it', (file, cursor) => {
    const text = readFileSync(new URL(`../../../fixtures/cursors/${file}.txt`, import.meta.url), 'utf8').trimEnd();

    expect(decodeCursor(text, aShard)).toEqual(cursor);
  });

  test('refuses a newer format by its number, whatever else it says', () => {
    expect(refusalOf('{"v":2}')).toMatchObject({ code: 'store.document_newer' });
    expect(refusalOf('{"v":2}')?.message).toContain('format 2');
  });

  const log = encodeCursor(stored[1]?.[1] ?? aLogCursor());
  const checkpoint = encodeCursor(stored[6]?.[1] ?? aCheckpointCursor());

  test.each<readonly [name: string, text: string]>([
    ['nothing', ''],
    ['other text', 'cursor'],
    ['null', 'null'],
    ['a number', '1'],
    ['a text', '"l"'],
    ['a list', '[]'],
    ['an empty document', '{}'],
    ['half a log cursor', log.slice(0, log.length / 2)],
    ['half a checkpoint cursor', checkpoint.slice(0, checkpoint.length / 2)],
    ['no format', changed(log, { v: undefined })],
    ['a format that is text', changed(log, { v: '1' })],
    ['a format before the first', changed(log, { v: 0 })],
    ['an unknown kind', changed(log, { k: 'x' })],
    ['an unknown gate', changed(log, { gt: ['x', 1] })],
    ['a gate without revision', changed(log, { gt: ['r'] })],
    ['no gate', changed(log, { gt: undefined })],
    ['an unknown status', changed(log, { s: ['x'] })],
    ['a status of nothing', changed(log, { s: [] })],
    ['a failure without code', changed(log, { s: ['f', null, null, 0] })],
    ['a failure whose code is no text', changed(log, { s: ['f', 7, null, 0] })],
    ['a negative count', changed(log, { s: ['a', -1] })],
    ['an epoch that is text', changed(log, { e: '41' })],
    ['an epoch with a fraction', changed(log, { e: 1.5 })],
    ['a generation that is missing', changed(log, { g: undefined })],
    ['next as a number', changed(log, { n: 1_800 })],
    ['next as no digits', changed(log, { n: '' })],
    ['next in hexadecimal', changed(log, { n: '0xffff' })],
    ['next beyond 64 bits', changed(log, { n: '9223372036854775808' })],
    ['next below zero', changed(log, { n: '-1' })],
    ['a store time beyond all numbers', log.replace('1799999999000', '1e999')],
    ['no open ranges', changed(log, { o: undefined })],
    ['open ranges that overlap', withRanges(['f', '0', '20', 0, 0, 0, null], ['f', '10', '20', 0, 0, 0, null])],
    ['open ranges above next', withRanges(['f', '1790', '20', 0, 0, 0, null])],
    ['a tail below next', withRanges(['h', '10', null, 0, 0, 1, 'a', 1])],
    ['a free range without end', withRanges(['f', '10', null, 0, 0, 0, null])],
    ['a range without length', withRanges(['f', '10', '0', 0, 0, 0, null])],
    ['a range of negative length', withRanges(['f', '10', '-5', 0, 0, 0, null])],
    ['a range of unknown letter', withRanges(['x', '10', '5', 0, 0, 1, 'a', 1])],
    ['a range that is no list', withRanges({ h: 1 })],
    ['a holder that is no text', withRanges(['h', '10', '5', 0, 0, 1, 7, 1])],
    ['a deadline that is text', withRanges(['h', '10', '5', 0, 0, 1, 'a', '1'])],
    ['deaths that are text', withRanges(['h', '10', '5', '0', 0, 1, 'a', 1])],
    ['an error that is no text', withRanges(['f', '10', '5', 0, 0, 0, { code: 1 }])],
    ['an error that is missing', withRanges(['f', '10', '5', 0, 0, 0])],
    ['a pace of one number', changed(log, { p: [1] })],
    ['gaps whose count of records is a number', changed(log, { x: [1, 5, '0', '5'] })],
    ['gaps below zero', changed(log, { x: [1, '-5', '0', '5'] })],
    ['a first record without a time', changed(log, { f: ['5'] })],
    ['a first record at a number', changed(log, { f: [5, 1] })],
    ['no checkpoint', changed(checkpoint, { c: undefined })],
    ['clean as a number', changed(checkpoint, { cl: 1 })],
    ['a holder of a checkpoint that is text', changed(checkpoint, { h: 'ab' })],
    ['a holder of a checkpoint that is missing', changed(checkpoint, { h: undefined })],
    ['an error of a checkpoint that is missing', changed(checkpoint, { er: undefined })],
    ['an error of a checkpoint that is a number', changed(checkpoint, { er: 5 })],
    ['a retry time that is null', changed(checkpoint, { r: null })],
  ])('refuses %s as corrupt, and names the shard', (_, text) => {
    const refusal = refusalOf(text);

    expect(refusal).toMatchObject({ code: 'store.document_corrupt' });
    expect(refusal?.message).toContain(aShard);
  });

  test('reads a random change of a stored text as a cursor that can be stored again, or refuses it', () => {
    const change = fc.record({
      at: fc.nat(),
      length: fc.nat({ max: 4 }),
      text: fc.oneof(fc.constantFrom('0', '"', 'null', '[', '-', '9', 'h', ','), fc.string({ maxLength: 3 })),
    });
    fc.assert(
      fc.property(cursors, fc.array(change, { minLength: 1, maxLength: 3 }), (cursor, changes) => {
        const text = changes.reduce(spliced, encodeCursor(cursor));

        const read = orRefusal(() => decodeCursor(text, aShard));

        if (read instanceof FatalTaskError) expect(['store.document_corrupt', 'store.document_newer']).toContain(read.code);
        else expect(encodeCursor(decodeCursor(encodeCursor(read), aShard))).toBe(encodeCursor(read));
      }),
      { numRuns: 2_000 },
    );
  });

  test('reads any JSON as a cursor that can be stored again, or refuses it', () => {
    const values = fc.oneof(fc.jsonValue(), fc.constantFrom(null, 0, -1, 1.5, '', '5', 'h', [], {}, true));
    const replaced = fc
      .tuple(cursors, fc.nat(), values)
      .map(([cursor, at, value]) => replacedAt(encodeCursor(cursor), at, value));
    fc.assert(
      fc.property(fc.oneof(replaced, fc.json()), (text) => {
        const read = orRefusal(() => decodeCursor(text, aShard));

        if (read instanceof FatalTaskError) expect(['store.document_corrupt', 'store.document_newer']).toContain(read.code);
        else expect(encodeCursor(decodeCursor(encodeCursor(read), aShard))).toBe(encodeCursor(read));
      }),
      { numRuns: 2_000 },
    );
  });
});

function changed(text: string, fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...(JSON.parse(text) as object), ...fields });
}

/** A log cursor of `next` 1,800 with these open ranges, as they are stored. */
function withRanges(...ranges: readonly unknown[]): string {
  return changed(encodeCursor(aLogCursor({ next: 1_800, epoch: 9 })), { o: ranges });
}

function refusalOf(text: string): FatalTaskError | null {
  const read = orRefusal(() => decodeCursor(text, aShard));
  return read instanceof FatalTaskError ? read : null;
}

/** Any other throw is the failure of a test. */
function orRefusal<T>(read: () => T): T | FatalTaskError {
  try {
    return read();
  } catch (error) {
    if (error instanceof FatalTaskError) return error;
    throw error;
  }
}

function spliced(
  text: string,
  { at, length, text: inserted }: { readonly at: number; readonly length: number; readonly text: string },
): string {
  const from = at % (text.length + 1);
  return text.slice(0, from) + inserted + text.slice(from + length);
}

/** The document with one of its values, at any depth, replaced. */
function replacedAt(text: string, at: number, value: unknown): string {
  let count = 0;
  JSON.parse(text, (_, part: unknown) => {
    count += 1;
    return part;
  });
  let index = 0;
  return JSON.stringify(
    JSON.parse(text, (_, part: unknown) => {
      index += 1;
      return index === 1 + (at % count) ? value : part;
    }),
  );
}
