/** `sortie apply`: makes connectors what files say. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { messageOf } from '../../core/errors.ts';
import { ApiClient } from '../api-client.ts';
import { CliError } from '../cli-error.ts';

interface ConnectorFile {
  readonly file: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Every file is read before the first is applied, so that a wrong one changes nothing. */
export async function apply({
  file,
  url,
  json,
}: {
  readonly file: string;
  readonly url: string;
  readonly json: boolean;
}): Promise<void> {
  const files = filesOf(file).map(readConnector);
  const client = new ApiClient(url);
  const applied: { readonly name: string; readonly result: 'created' | 'configured' }[] = [];
  for (const { name, config } of files) {
    const { status } = await client.put(`/connectors/${encodeURIComponent(name)}/config`, config);
    const result = status === 201 ? 'created' : 'configured';
    applied.push({ name, result });
    if (!json) process.stdout.write(`${name}: ${result}\n`);
  }
  if (json) process.stdout.write(`${JSON.stringify({ applied })}\n`);
}

function filesOf(path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const files = readdirSync(path).filter((name) => name.endsWith('.json'));
    if (files.length === 0) throw new CliError(`there is no .json file in ${path}`, { exitCode: 2, next: 'name another folder' });
    return files.sort().map((name) => join(path, name));
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`cannot read ${path}: ${messageOf(error)}`, { exitCode: 2, next: 'name a file or folder that is there' });
  }
}

function readConnector(file: string): ConnectorFile {
  const next = 'write { "name": "...", "config": { ... } } into it';
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new CliError(`${file} is not JSON: ${messageOf(error)}`, { exitCode: 2, next });
  }
  if (typeof parsed !== 'object' || parsed === null || !('name' in parsed) || !('config' in parsed)) {
    throw new CliError(`${file} names no connector`, { exitCode: 2, next });
  }
  const { name, config } = parsed;
  if (typeof name !== 'string' || name === '' || typeof config !== 'object' || config === null) {
    throw new CliError(`${file} needs a text as name, and an object as config`, { exitCode: 2, next });
  }
  return { file, name, config: config as Record<string, unknown> };
}
