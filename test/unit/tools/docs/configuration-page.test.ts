import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { booleanKey, enumKey, intKey, listKey, textKey } from '../../../../core/config/keys.ts';
import { keyTable } from '../../../../tools/docs/configuration-page.ts';

describe('keyTable', () => {
  test('shows what each kind of key takes, and what stands in where it is absent', () => {
    const schema = z.object({
      url: textKey().describe('Where to.'),
      note: textKey().optional().describe('Optional.'),
      retries: intKey({ min: 0, max: 9 }).default(3).describe('How often.'),
      mode: enumKey(['slow', 'fast']).default('slow').describe('slow | fast.'),
      trace: booleanKey().default(false).describe('More words.'),
      fields: listKey().default([]).describe('Which.'),
    });

    expect(keyTable(schema).split('\n')).toEqual([
      '| key | values | default | what it does |',
      '| --- | --- | --- | --- |',
      '| `url` | text | required | Where to. |',
      '| `note` | text |  | Optional. |',
      '| `retries` | 0 to 9 | `3` | How often. |',
      '| `mode` | slow, fast | `slow` | slow \\| fast. |',
      '| `trace` | true or false | `false` | More words. |',
      '| `fields` | comma-separated |  | Which. |',
    ]);
  });

  test('says so where a plugin has no keys', () => {
    expect(keyTable(z.object({}))).toBe('It has no keys of its own.');
  });
});
