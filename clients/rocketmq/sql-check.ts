/**
 * What a broker makes of an SQL92 expression. It reads as far as the expression makes sense and does not look at the rest: of
 * `size > 0 colour = 'red'` it would take the first half. In parentheses it has to come to their end.
 */
type Ask = (expression: string) => Promise<string | null>;

/** `null`: it understands all of it. */
export async function sqlProblem(expression: string, ask: Ask): Promise<string | null> {
  const problem = await ask(expression);
  if (problem !== null) return problem;
  if (closesTooMuch(expression)) return 'has a ) without its (';
  // Behind a comment, which may be the last of it.
  const inside = await ask(`(${expression}\n)`);
  return inside === null ? null : `does not end where it could: ${inside}`;
}

/** What stands in quotes is text. */
function closesTooMuch(expression: string): boolean {
  let open = 0;
  for (const character of expression.replaceAll(/'[^']*'/g, '')) {
    if (character === '(') open += 1;
    if (character === ')') open -= 1;
    if (open < 0) return true;
  }
  return false;
}
