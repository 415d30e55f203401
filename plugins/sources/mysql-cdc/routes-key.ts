/** Tables that share a topic. */
import type { RE2JS } from 're2js';
import { z } from 'zod';
import { listKey } from '../../../core/config/keys.ts';
import { messageOf } from '../../../core/errors.ts';
import { compilePattern } from '../../pattern.ts';

/** Tables whose name has the pattern go where a table of the other name would. */
export interface Route {
  readonly pattern: RE2JS;
  readonly name: string;
}

const ARROW = '->';

/** Routes, `PATTERN -> NAME` each, with semicolons between them. */
export function routesKey(): z.ZodType<readonly Route[]> {
  return listKey({ separator: ';' }).transform((routes, context): readonly Route[] => {
    try {
      return routes.map(parseRoute);
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error) });
      return z.NEVER;
    }
  });
}

function parseRoute(text: string): Route {
  const at = text.lastIndexOf(ARROW);
  const name = text.slice(at + ARROW.length).trim();
  if (at < 0 || name === '') throw new Error(`must be PATTERN -> NAME each, not ${JSON.stringify(text)}`);
  return { pattern: compilePattern(text.slice(0, at).trim(), { ignoresCase: true }), name };
}
