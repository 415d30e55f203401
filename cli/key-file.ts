/**
 * The file of API keys: one key a line, as its name, its role, and the SHA-256 of it. What is in it opens nothing, so it may be copied and
 * kept with other files; the key itself is shown once, when it is made.
 *
 *     ci operate sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { messageOf } from '../core/errors.ts';
import type { ApiKey, Role } from '../scheduler/app.ts';
import { CliError } from './cli-error.ts';
import { FileFault } from './file-fault.ts';

export const KEY_ROLES = ['read', 'operate', 'configure'] as const satisfies readonly Role[];

/** Nothing that Basic or a line of the file would take for its end. */
export const KEY_NAME = /^[\w.-]{1,64}$/;

const LINE = /^(\S+)\s+(\S+)\s+sha256:([0-9a-f]{64})$/;

export function keyLine({ name, role, key }: { readonly name: string; readonly role: Role; readonly key: string }): string {
  return `${name} ${role} sha256:${createHash('sha256').update(key).digest('hex')}`;
}

/** @throws {CliError} with every line that is no key; where there is no key at all. */
export function readKeyFile(file: string): readonly ApiKey[] {
  const faults: FileFault[] = [];
  const keys: ApiKey[] = [];
  for (const [index, line] of textOf(file).split('\n').entries()) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    const key = keyIn(text);
    if (key === null) faults.push(faultOf(file, index + 1));
    else keys.push(key);
  }
  const [first] = faults;
  if (first !== undefined) throw new CliError(faults.map(({ message }) => message).join('\n'), { exitCode: 2, next: first.next });
  if (keys.length > 0) return keys;
  throw new CliError(`${file} has no key, so nobody could ask anything`, { exitCode: 2, next: MAKE_ONE });
}

export const MAKE_ONE = 'make one: sortie new-key NAME --role configure --file FILE';

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CliError(`${file}: cannot be read: ${messageOf(error)}`, { exitCode: 2, next: MAKE_ONE });
  }
}

function keyIn(text: string): ApiKey | null {
  const [, name = '', word, hash = ''] = LINE.exec(text) ?? [];
  const role = KEY_ROLES.find((known) => known === word);
  return role === undefined || !KEY_NAME.test(name) ? null : { name, role, hash: new Uint8Array(Buffer.from(hash, 'hex')) };
}

/** It does not repeat the line, which may be a key that somebody put there. */
function faultOf(file: string, line: number): FileFault {
  const next = `a line is NAME ROLE sha256:DIGITS, with a role of ${KEY_ROLES.join(', ')}; ${MAKE_ONE}`;
  return new FileFault('is no API key', { file, line, next });
}
