import { describe, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { intKey, textKey } from '../../core/config/keys.ts';
import type { Cursor } from '../../core/cursor/cursor.ts';
import { raiseGate } from '../../core/cursor/steer.ts';
import { advance, type Offset, offset } from '../../core/offset.ts';
import type { Position } from '../../core/record/position.ts';
import { ALL_TAKEN, defineSink, type Effect } from '../../plugins/api/sink.ts';
import { defineSource } from '../../plugins/api/source.ts';

const Config = z.object({ url: textKey(), 'batch.size': intKey({ min: 1, max: 10 }).default(5), note: textKey().optional() });

describe('a plugin', () => {
  test('is opened with the configuration its schema makes, defaults filled in', () => {
    defineSink({
      name: 'typed-sink',
      version: '1.0.0',
      effect: 'append',
      reads: 'values',
      config: Config,
      open: async (config) => {
        expectTypeOf(config).toEqualTypeOf<{ url: string; 'batch.size': number; note?: string | undefined }>();
        return { put: async () => ALL_TAKEN, flush: async () => undefined, close: async () => undefined };
      },
    });
  });

  test('of a source resumes from JSON, and orders positions by 64-bit numbers', () => {
    const source = defineSource({
      name: 'typed-source',
      version: '1.0.0',
      exactlyOnce: true,
      discoverEveryMs: 1_000,
      config: Config,
      discover: async () => [{ names: ['only'], finite: false }],
      open: async () => ({
        poll: async () => ({
          records: [
            {
              topic: 't',
              key: { schema: null, value: null },
              value: { schema: null, value: 1n },
              timestampMs: null,
              position: [1n],
            },
          ],
          checkpoint: { seq: 1 },
        }),
        close: async () => undefined,
      }),
    });

    expectTypeOf(source.kind).toEqualTypeOf<'source'>();
    // @ts-expect-error a position is not made of doubles
    const inexact: Position = [1];
    expectTypeOf(inexact).not.toBeAny();
  });

  test('declares one of four effects', () => {
    expectTypeOf<Effect>().toEqualTypeOf<'transactional' | 'versioned' | 'append' | 'overwrite'>();
  });
});

describe('Offset', () => {
  test('is made by offset() and advance() only, never by arithmetic on numbers', () => {
    expectTypeOf(advance(offset(1), 1)).toEqualTypeOf<Offset>();
    // @ts-expect-error a plain bigint has not been checked
    const plain: Offset = 5n;
    expectTypeOf(plain).not.toBeNumber();
  });
});

describe('raiseGate', () => {
  test('keeps the kind of cursor it was given', () => {
    expectTypeOf(raiseGate<Extract<Cursor, { kind: 'log' }>>).returns.toEqualTypeOf<Extract<Cursor, { kind: 'log' }>>();
  });
});
