import type { RE2JS } from 're2js';
import { z } from 'zod';
import { listKey } from '../../../core/config/keys.ts';
import { messageOf } from '../../../core/errors.ts';
import { compilePattern } from '../../pattern.ts';

/** Patterns, each for a whole name, whose letters are taken in any case. */
export function patternsKey(): z.ZodType<readonly RE2JS[]> {
  return listKey().transform((patterns, context): readonly RE2JS[] => {
    try {
      return patterns.map((pattern) => compilePattern(pattern, { ignoresCase: true }));
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error) });
      return z.NEVER;
    }
  });
}

/** Whether a name is among those that are asked for; an empty `include` asks for all. */
export function isChosen(
  name: string,
  { include, exclude }: { readonly include: readonly RE2JS[]; readonly exclude: readonly RE2JS[] },
): boolean {
  if (include.length > 0 && !include.some((pattern) => pattern.matches(name))) return false;
  return !exclude.some((pattern) => pattern.matches(name));
}
