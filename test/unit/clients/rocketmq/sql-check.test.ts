import { describe, expect, test } from 'vitest';
import { sqlProblem } from '../../../../clients/rocketmq/sql-check.ts';

/** As a broker does: `yes` is an expression, and what stands behind it is not looked at. */
async function ask(expression: string): Promise<string | null> {
  const inside = expression.startsWith('(') ? expression.slice(1) : expression;
  if (!inside.startsWith('yes')) return 'no expression';
  const isClosed = inside === expression || /^yes\s*\)/.test(inside);
  return isClosed ? null : 'no )';
}

describe('sqlProblem', () => {
  test('finds nothing wrong with what is understood as a whole', async () => {
    expect(await sqlProblem('yes', ask)).toBeNull();
  });

  test('answers what the broker says', async () => {
    expect(await sqlProblem('no', ask)).toBe('no expression');
  });

  test('finds what a broker would not look at', async () => {
    expect(await sqlProblem('yes but', ask)).toBe('does not end where it could: no )');
    expect(await sqlProblem('yes) or (no', ask)).toBe('has a ) without its (');
  });

  test('takes parentheses in quotes for text', async () => {
    const understanding = async (): Promise<null> => null;

    expect(await sqlProblem("TAGS = ')' OR TAGS = 'it''s )'", understanding)).toBeNull();
    expect(await sqlProblem("TAGS = '(' )", understanding)).not.toBeNull();
  });
});
