import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { booleanKey, enumKey, intKey, listKey, textKey } from '../../../../core/config/keys.ts';
import { pluginKeys } from '../../../../scheduler/config-keys.ts';
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
      token: textKey().meta({ format: 'password' }).optional().describe('What opens it.'),
    });

    expect(keyTable(schema, pluginKeys({ name: 'any', config: schema })).split('\n')).toEqual([
      '| key | type | values | default | importance | what it does |',
      '| --- | --- | --- | --- | --- | --- |',
      '| `url` | string |  | required | high | Where to. |',
      '| `note` | string |  |  | medium | Optional. |',
      '| `retries` | int | 0 to 9 | `3` | medium | How often. |',
      '| `mode` | string | slow, fast | `slow` | medium | slow \\| fast. |',
      '| `trace` | boolean | true or false | `false` | medium | More words. |',
      '| `fields` | list |  |  | medium | Which. |',
      '| `token` | password, masked |  |  | medium | What opens it. |',
    ]);
  });

  test('says so where a plugin has no keys', () => {
    expect(keyTable(z.object({}), [])).toBe('It has no keys of its own.');
  });
});
