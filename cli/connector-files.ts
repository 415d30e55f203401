/**
 * Connectors as people keep them in files, for every command that takes `-f`: JSON, YAML, or the `.properties` of Kafka Connect's
 * standalone mode. A JSON or YAML document is one connector or a list of them, and each is one of
 *
 *     { "name": "orders", "config": { "connector.class": "..." } }      as the HTTP API takes and answers it
 *     { "name": "orders", "connector.class": "..." }                    flat, as a `.properties` file is
 */
import { readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { CliError } from './cli-error.ts';
import { FileFault } from './file-fault.ts';
import { FILE_ENDINGS, type FileDocument, type Path, readDocuments } from './read-documents.ts';

export interface ConnectorFile {
  readonly file: string;
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
  /** Where a key of its config stands, or would have to: then that is where the connector begins. `null` where that is not known. */
  lineOf(key: string): number | null;
}

/**
 * Of one file, or of a folder's files with a known ending, by name. All are read before anybody acts on the first.
 *
 * @throws {CliError} with everything that is wrong with any of them, each with its file and line.
 */
export function readConnectorFiles(path: string): readonly ConnectorFile[] {
  const faults: CliError[] = [];
  const connectors = filesOf(path).flatMap((file) => attempt(() => readConnectors(file), faults));
  for (const [index, { name, file }] of connectors.entries()) {
    const first = connectors.findIndex((other) => other.name === name);
    if (first === index) continue;
    const message = `the connector ${name} is in ${connectors[first]?.file} already`;
    faults.push(new FileFault(message, { file, line: null, next: 'keep one of the two' }));
  }
  const [first] = faults;
  if (first === undefined) return connectors;
  throw new CliError(faults.map(({ message }) => message).join('\n'), { exitCode: 2, next: first.next });
}

function attempt(read: () => readonly ConnectorFile[], faults: CliError[]): readonly ConnectorFile[] {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    faults.push(error);
    return [];
  }
}

function filesOf(path: string): readonly string[] {
  const names = namesIn(path);
  if (names === null) return [path];
  const files = names.filter((name) => FILE_ENDINGS.includes(extname(name).toLowerCase()));
  if (files.length > 0) return files.sort().map((name) => join(path, name));
  throw new CliError(`no file in ${path} ends in ${FILE_ENDINGS.join(', ')}`, { exitCode: 2, next: 'name another folder' });
}

/** `null`: it is a file. */
function namesIn(path: string): string[] | null {
  try {
    return statSync(path).isDirectory() ? readdirSync(path) : null;
  } catch (error) {
    throw new CliError(`cannot read ${path}: ${messageOf(error)}`, { exitCode: 2, next: 'name a file or folder that is there' });
  }
}

function readConnectors(file: string): readonly ConnectorFile[] {
  const documents = readDocuments(file);
  if (documents.length === 0) throw faultOf({ file }, 'is empty');
  return documents.flatMap((document) => {
    const { value } = document;
    if (!Array.isArray(value)) return connectorOf(value, { file, document, path: [] });
    return value.map((item, index) => connectorOf(item, { file, document, path: [index] }));
  });
}

interface Place {
  readonly file: string;
  readonly document?: FileDocument;
  readonly path?: Path;
}

/** What the API answers beside name and config; a file may have been made of such an answer. */
const ANSWERED_BESIDE = ['tasks', 'type'];

function connectorOf(value: unknown, place: Place): ConnectorFile {
  if (!isMap(value)) throw faultOf(place, 'a connector is a map of keys');
  const { name, config, ...others } = value;
  if (typeof name !== 'string' || name.trim() === '') throw faultOf(place, 'a connector needs its name');
  const { file } = place;
  if (!isMap(config)) return { file, name, config: textsOf(value, place), lineOf: (key) => lineOf(inside(place, key)) };
  const [other] = Object.keys(others).filter((key) => !ANSWERED_BESIDE.includes(key));
  if (other !== undefined) throw faultOf(inside(place, other), `${other} is neither name nor config`);
  const within = inside(place, 'config');
  return { file, name, config: textsOf(config, within), lineOf: (key) => lineOf(inside(within, key)) };
}

function lineOf({ document, path = [] }: Place): number | null {
  return document?.lineOf(path) ?? null;
}

function textsOf(map: Readonly<Record<string, unknown>>, place: Place): Record<string, string> {
  return Object.fromEntries(
    Object.entries(map).map(([key, value]) => {
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return [key, String(value)];
      const what = value === null ? 'nothing' : Array.isArray(value) ? 'a list' : 'a map';
      throw faultOf(inside(place, key), `${key} is ${what}, and must be a text, a number, true or false`);
    }),
  );
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function inside({ path = [], ...place }: Place, key: string): Place {
  return { ...place, path: [...path, key] };
}

function faultOf(place: Place, message: string): FileFault {
  const next = 'write { "name": "...", "config": { ... } }, or the name among the keys of the config';
  return new FileFault(message, { file: place.file, line: lineOf(place), next });
}
