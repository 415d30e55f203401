import { describe, expect, it } from 'vitest';
import { recordIsTombstone } from '../../../../plugins/predicates/record-is-tombstone.ts';
import { answer, vectorsOf, wanted } from '../../../support/record-vector.ts';
import { aRecord } from '../../../support/transform-records.ts';

describe('recordIsTombstone', () => {
  describe('golden vectors', () => {
    for (const vector of vectorsOf(recordIsTombstone)) {
      it(vector.id, () => {
        expect(answer(recordIsTombstone, vector)).toStrictEqual(wanted(vector));
      });
    }
  });

  it('does not decode where there are no bytes', () => {
    const undecodable = {
      bytes: null,
      schema: null,
      get value(): never {
        throw new Error('was decoded');
      },
    };

    expect(recordIsTombstone.create({})(aRecord({ value: undecodable }))).toBe(true);
  });
});
