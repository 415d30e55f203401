/** What is wrong with a body, each fault with where it is and what should stand there. What was sent is not repeated: it may be secret. */
import type { z } from 'zod';

type Issue = z.core.$ZodRawIssue;

/** By what the schema library calls them. */
const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  tuple: 'a list',
};

/** Our words for a fault; `undefined` where its schema has own ones. */
export function faultOf(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is required' : `must be ${kindOf(issue.expected)}`;
    case 'invalid_union': {
      const kinds = issue.errors.flatMap(([first]) => (first?.code === 'invalid_type' ? kindOf(first.expected) : []));
      return kinds.length === 0 ? undefined : `must be ${[...new Set(kinds)].join(' or ')}`;
    }
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `must ${sized(issue.origin, 'at least', issue.minimum)}`;
    case 'too_big':
      return `must ${sized(issue.origin, 'at most', issue.maximum)}`;
    case 'unrecognized_keys':
      return `Unrecognized field ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
    case 'invalid_format':
    case 'invalid_key':
    case 'invalid_element':
    case 'not_multiple_of':
    case 'custom':
      return undefined;
  }
}

/** A line for each. */
export function faultLines({ issues }: z.ZodError): readonly string[] {
  return issues
    .flatMap(meantOf)
    .map(({ code, path, message }) => (code === 'unrecognized_keys' ? message : `${path.join('.') || 'body'}: ${message}`));
}

// ---------------------------------------------------------------------------------------------------------------------

/** Of a choice what is wrong with the one that was meant, as far as its type tells. */
function meantOf(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const meant = issue.errors.filter((branch) => !branch.some(({ code, path }) => code === 'invalid_type' && path.length === 0));
  const [branch] = meant;
  if (branch === undefined || meant.length > 1) return [issue];
  return branch.flatMap(meantOf).map((own) => ({ ...own, path: [...issue.path, ...own.path] }));
}

function kindOf(expected: string): string {
  return KINDS[expected] ?? expected;
}

function sized(origin: string, bound: 'at least' | 'at most', limit: number | bigint): string {
  if (origin === 'array') return `have ${bound} ${limit} ${Number(limit) === 1 ? 'item' : 'items'}`;
  return origin === 'string' ? `have ${bound} ${limit} characters` : `be ${bound} ${limit}`;
}
