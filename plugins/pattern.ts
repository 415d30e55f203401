/**
 * Regular expressions that somebody wrote into a configuration, in the syntax of RE2: Java without look-around and back-references. They
 * take time in proportion to what they are matched with. What they take to be compiled is limited here: repeats are written out, so that
 * a few characters make millions of steps.
 */
import { RE2JS } from 're2js';

const CHARACTERS_MAX = 1_000;

/** A step takes some two microseconds to compile, and a configuration may have a hundred patterns. */
const STEPS_MAX = 10_000;

/** @throws {Error} that says what is wrong with it. */
export function compilePattern(pattern: string, { ignoresCase = false }: { readonly ignoresCase?: boolean } = {}): RE2JS {
  if (pattern.length > CHARACTERS_MAX) throw new Error(`a pattern must have at most ${CHARACTERS_MAX} characters`);
  if (stepsOf(pattern) > STEPS_MAX) throw new Error(`the repeats of a pattern must not make more than ${STEPS_MAX} steps`);
  return RE2JS.compile(pattern, ignoresCase ? RE2JS.CASE_INSENSITIVE : 0);
}

// ---------------------------------------------------------------------------------------------------------------------

/** A quoted text, an escape, a class of characters, a repeat, or one character. */
const TOKEN = /\\Q[\s\S]*?(?:\\E|$)|\\[pPx]\{[^}]*\}|\\[\s\S]|\[\^?\]?(?:\\[\s\S]|\[:\w+:\]|[^\]\\])*\]|\{\d+(?:,\d*)?\}|[\s\S]/g;

/** About as many as it has when its repeats are written out. */
function stepsOf(pattern: string): number {
  const around: number[] = [];
  let steps = 0;
  let last = 0;
  for (const [token] of pattern.matchAll(TOKEN)) {
    if (token === '(') {
      around.push(steps);
      steps = 0;
    } else if (token === ')') {
      last = steps + 2;
      steps = last + (around.pop() ?? 0);
    } else if (/^\{\d/.test(token)) {
      const times = Math.max(...token.slice(1, -1).split(',').map(Number));
      steps += last * (times - 1);
      last *= times;
    } else {
      last = token.startsWith('\\Q') ? token.length : 1;
      steps += last;
    }
  }
  return steps;
}
