/** Connectors as they are named on the command line: by their names, or by patterns with `*` (anything) and `?` (one character). */
import type { ApiClient } from './api-client.ts';
import { CliError } from './cli-error.ts';

/**
 * In the order they are named, each once. A plain name is taken as it is: whoever is asked for it knows whether it is there. So is one
 * that looks like a pattern, where there is a connector of exactly that name.
 *
 * @throws {CliError} for a pattern that nothing matches.
 */
export async function namedConnectors(api: Pick<ApiClient, 'names'>, named: readonly string[]): Promise<readonly string[]> {
  if (!named.some(isPattern)) return [...new Set(named)];
  const there = await api.names();
  const matches = named.flatMap((name) => (isPattern(name) && !there.includes(name) ? matching(name, there) : [name]));
  return [...new Set(matches)];
}

/** Whether it may mean more, or others, than somebody thinks. */
export function isPattern(name: string): boolean {
  return /[*?]/.test(name);
}

function matching(pattern: string, names: readonly string[]): readonly string[] {
  const found = names.filter((name) => matches(pattern, name));
  if (found.length > 0) return found;
  throw new CliError(`no connector matches ${pattern}`, { exitCode: 2, next: '`sortie list` shows which there are' });
}

/** Part by part between the stars, so that no pattern takes long: each part is looked for behind the one before, and found once. */
function matches(pattern: string, name: string): boolean {
  const [first = [], ...rest] = pattern.split('*').map((part) => [...part]);
  const characters = [...name];
  if (!fits(first, characters, 0)) return false;
  const last = rest.pop();
  if (last === undefined) return characters.length === first.length;
  let at = first.length;
  for (const part of rest) {
    while (!fits(part, characters, at)) {
      if (at > characters.length) return false;
      at += 1;
    }
    at += part.length;
  }
  return characters.length - last.length >= at && fits(last, characters, characters.length - last.length);
}

function fits(part: readonly string[], characters: readonly string[], at: number): boolean {
  return part.every((wanted, index) => (wanted === '?' ? at + index < characters.length : wanted === characters[at + index]));
}
