/** What the command line asks for. */
import { parseArgs } from 'node:util';

export interface Arguments<Name extends string> {
  readonly name: Name;
  readonly json: boolean;
}

/** What is wrong with them, and the next step. */
export class ArgumentsError extends Error {
  override readonly name = 'ArgumentsError';
}

/** @throws {ArgumentsError} unless exactly one of `names` is asked for. */
export function parseArguments<Name extends string>(argv: readonly string[], names: readonly Name[]): Arguments<Name> {
  const { values, positionals } = parsed(argv);
  const [asked, ...others] = positionals;
  const name = names.find((known) => known === asked);
  const next = `next: npm run bench -- NAME [--json], with NAME one of: ${names.join(', ')}`;
  if (asked === undefined) throw new ArgumentsError(`NAME is missing\n  ${next}`);
  if (name === undefined) throw new ArgumentsError(`there is no benchmark '${asked}'\n  ${next}`);
  if (others.length > 0) throw new ArgumentsError(`one benchmark at a time, not also: ${others.join(' ')}\n  ${next}`);
  return { name, json: values.json };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: { json: { type: 'boolean', default: false } }, allowPositionals: true });
  } catch (error) {
    // Node goes on with advice about file names that does not apply; its first sentence says what is wrong.
    throw new ArgumentsError(`${String((error as Error).message).split('. ')[0]}\n  next: the only option is --json`);
  }
}
