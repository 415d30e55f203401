import { describe, expect, it } from 'vitest';
import { filter } from '../../../../plugins/transforms/filter.ts';
import { answer, vectorsOf, wanted } from '../../../support/record-vector.ts';

describe('filter', () => {
  describe('golden vectors', () => {
    for (const vector of vectorsOf(filter)) {
      it(vector.id, () => {
        expect(answer(filter, vector)).toStrictEqual(wanted(vector));
      });
    }
  });
});
