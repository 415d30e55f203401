/**
 * Secrets in files below folders that the operator names.
 *
 * What is asked for is compared with those folders as it is written, before anything is looked at, and again once every link on
 * the way is resolved: `..` and links lead out of no folder, and a refusal tells nothing of what is there.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { SecretAnswer } from '../../core/ports.ts';
import { type Property, parseProperties } from '../../core/properties.ts';

/** A thousand keys of a kilobyte. */
const FILE_BYTES_MAX = 1_048_576;

type FileAnswer = { readonly text: string } | Exclude<SecretAnswer, { readonly value: string }>;

export class FileSecrets {
  readonly #folders: readonly string[];

  /** Nothing is allowed where there are none. */
  constructor(folders: readonly string[]) {
    this.#folders = folders.map((folder) => resolve(folder));
  }

  /** `${file:/path/of.properties:key}`: keys of one properties file, of one moment. */
  async readProperties(path: string, keys: readonly string[]): Promise<readonly SecretAnswer[]> {
    const answer = await this.#read(path);
    if (!('text' in answer)) return keys.map(() => answer);
    const properties = propertiesOf(answer.text);
    if (properties === null) return keys.map(() => ({ missing: `${path} is not a properties file` }));
    return keys.map((key) => {
      const property = properties.get(key);
      return property === undefined ? { missing: `${path} has no key ${key}` } : { value: property.value };
    });
  }

  /** `${dir:/path:file}`: a whole file, as Docker and Kubernetes mount secrets. */
  async readFile(folder: string, name: string): Promise<SecretAnswer> {
    if (name === '' || name.includes('/') || name.includes(sep)) return { refused: `${name} is not the name of a file` };
    const answer = await this.#read(join(folder, name));
    return 'text' in answer ? { value: answer.text } : answer;
  }

  async #read(path: string): Promise<FileAnswer> {
    const refused = { refused: `${path} is in no folder that is allowed` };
    if (!isAbsolute(path) || path.includes('\0') || !this.#folders.some((folder) => isBelow(resolve(path), folder)))
      return refused;
    try {
      const real = await realpath(path);
      const folders = await Promise.all(this.#folders.map((folder) => realpath(folder).catch(() => null)));
      if (!folders.some((folder) => folder !== null && isBelow(real, folder))) return refused;
      return await readText(real, path);
    } catch (error) {
      return { missing: `${path} cannot be read: ${codeOf(error)}` };
    }
  }
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Not through a link that was put there meanwhile, and without waiting for the other end of a pipe. */
async function readText(real: string, path: string): Promise<FileAnswer> {
  const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return { missing: `${path} is not a file` };
    return (await textOf(file)) ?? { missing: `${path} has more than ${FILE_BYTES_MAX} bytes` };
  } finally {
    await file.close();
  }
}

/** `null`: it is larger, whatever its size was said to be. */
async function textOf(file: FileHandle): Promise<{ readonly text: string } | null> {
  const buffer = Buffer.alloc(FILE_BYTES_MAX + 1);
  for (let length = 0; length < buffer.length; ) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) return { text: buffer.toString('utf8', 0, length) };
    length += bytesRead;
  }
  return null;
}

function propertiesOf(text: string): ReadonlyMap<string, Property> | null {
  try {
    return parseProperties(text);
  } catch {
    return null;
  }
}

/** The message of an error of the file system repeats the path, which may be another one than was asked for. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'an error';
}
