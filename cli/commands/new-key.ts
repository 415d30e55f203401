/** `sortie new-key`: makes an API key, shows it once, and puts what recognises it into a file. Asks no server. */
import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { messageOf } from '../../core/errors.ts';
import type { Role } from '../../scheduler/app.ts';
import { CliError } from '../cli-error.ts';
import type { Program } from '../client-command.ts';
import { KEY_NAME, KEY_ROLES, keyLine } from '../key-file.ts';

/** As many as SHA-256 tells apart: nobody guesses it. */
const KEY_BYTES = 32;

interface Options {
  readonly role: Role;
  readonly file: string;
  readonly json?: boolean;
}

export function addNewKeyCommand(sortie: Command, { shell }: Program): void {
  const command = sortie
    .command('new-key <name>')
    .description('makes an API key, prints it, and adds a line to the file that keys.file of `sortie start` names')
    .addOption(new Option('--role <role>', 'what it may do').choices(KEY_ROLES).makeOptionMandatory())
    .addOption(
      new Option('--file <path>', 'made if it is missing; it holds no key, only what recognises one').makeOptionMandatory(),
    )
    .addOption(new Option('--json', 'prints one JSON document'));
  command.action((name: string) => {
    const { role, file, json = false } = command.opts<Options>();
    if (!KEY_NAME.test(name)) {
      const next = 'use letters, digits, _, . and -, at most 64 of them';
      throw new CliError(`${name} cannot be the name of a key`, { exitCode: 2, next });
    }
    // With a beginning that whoever looks for secrets in files finds.
    const key = `sortie_${randomBytes(KEY_BYTES).toString('base64url')}`;
    add(file, keyLine({ name, role, key }));
    shell.write(json ? `${JSON.stringify({ name, role, file, key })}\n` : `${key}\n`);
  });
}

function add(file: string, line: string): void {
  try {
    appendFileSync(file, `${line}\n`, { mode: 0o600 });
  } catch (error) {
    const next = 'name a file that can be written with --file';
    throw new CliError(`${file}: cannot be written: ${messageOf(error)}`, { exitCode: 3, next });
  }
}
