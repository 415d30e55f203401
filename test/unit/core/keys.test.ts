import { describe, expect, test } from 'vitest';
import { booleanKey, enumKey, intKey, keyFacts, listKey, textKey } from '../../../core/config/keys.ts';

describe('keyFacts', () => {
  test.each([
    ['text', textKey(), { type: 'STRING', words: [] }],
    ['a boolean with a default', booleanKey().default(true).describe('what for'), { type: 'BOOLEAN', words: ['true', 'false'] }],
    ['a number that may be missing', intKey({ min: 1, max: 2 }).optional(), { type: 'INT', words: [] }],
    ['a list', listKey().default([]), { type: 'LIST', words: [] }],
    ['words', enumKey(['none', 'all']).describe('which'), { type: 'STRING', words: ['none', 'all'] }],
    ['a password', textKey().meta({ format: 'password' }).optional().describe('secret'), { type: 'PASSWORD', words: [] }],
    ['a list that a plugin makes something of', listKey().transform((items) => items.length), { type: 'LIST', words: [] }],
  ])('knows %s', (_what, key, facts) => {
    expect(keyFacts(key)).toEqual(facts);
  });
});
