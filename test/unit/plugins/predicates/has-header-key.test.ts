import { describe, expect, it } from 'vitest';
import { hasHeaderKey } from '../../../../plugins/predicates/has-header-key.ts';
import { answer, vectorsOf, wanted } from '../../../support/record-vector.ts';

describe('hasHeaderKey', () => {
  describe('golden vectors', () => {
    for (const vector of vectorsOf(hasHeaderKey)) {
      it(vector.id, () => {
        expect(answer(hasHeaderKey, vector)).toStrictEqual(wanted(vector));
      });
    }
  });
});
