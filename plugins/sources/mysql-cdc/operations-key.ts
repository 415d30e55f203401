import { z } from 'zod';
import { listKey } from '../../../core/config/keys.ts';

export type SkippedOperation = 'c' | 'u' | 'd' | 't';

/** Letters as Debezium has them, or `none`. */
export function operationsKey(): z.ZodType<readonly SkippedOperation[]> {
  return listKey().transform((operations, context): readonly SkippedOperation[] => {
    const letters = operations.filter((operation): operation is SkippedOperation => /^[cudt]$/.test(operation));
    if (letters.length === operations.length) return letters;
    if (operations.length === 1 && operations[0] === 'none') return [];
    context.addIssue({
      code: 'custom',
      message: `must be some of c, u, d and t, or none, not ${JSON.stringify(operations.join(','))}`,
    });
    return z.NEVER;
  });
}
