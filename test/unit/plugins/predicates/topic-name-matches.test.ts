import { describe, expect, it } from 'vitest';
import { topicNameMatches } from '../../../../plugins/predicates/topic-name-matches.ts';
import { answer, vectorsOf, wanted } from '../../../support/record-vector.ts';
import { aRecord } from '../../../support/transform-records.ts';

describe('topicNameMatches', () => {
  describe('golden vectors', () => {
    for (const vector of vectorsOf(topicNameMatches)) {
      it(vector.id, () => {
        expect(answer(topicNameMatches, vector)).toStrictEqual(wanted(vector));
      });
    }
  });

  it('takes linear time for a pattern that makes backtracking take exponential time', () => {
    const predicate = topicNameMatches.create(topicNameMatches.config.parse({ pattern: '(a+)+b' }));

    expect(predicate(aRecord({ topic: 'a'.repeat(200) }))).toBe(false);
    expect(predicate(aRecord({ topic: `${'a'.repeat(200)}b` }))).toBe(true);
  });

  it.each(['(', '(?=a)', '(a)\\1'])('refuses the pattern %s, saying why', (pattern) => {
    expect(topicNameMatches.config.safeParse({ pattern }).error?.issues).toMatchObject([
      { path: ['pattern'], message: expect.stringContaining('error parsing regexp') },
    ]);
  });
});
