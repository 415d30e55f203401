/** The file of worker settings: one map of keys, which YAML and JSON may nest, and lists for texts with commas. */
import { CliError } from './cli-error.ts';
import { FileFault } from './file-fault.ts';
import { adviceFor } from './other-worker-keys.ts';
import { type Path, readDocuments } from './read-documents.ts';
import { type WorkerKey, workerKeys } from './worker-settings.ts';

/** A value as somebody wrote it, and where. */
interface Given {
  readonly text: string;
  readonly where: string;
}

export type AllGiven = ReadonlyMap<WorkerKey, Given>;

/** @throws {CliError} with every key that is no setting, or has no value. */
export function readWorkerFile(file: string): AllGiven {
  const documents = readDocuments(file);
  const [document] = documents;
  if (document === undefined) return new Map();
  const given = new Map<WorkerKey, Given>();
  const faults: FileFault[] = [];
  for (const { path, text } of textsOf(document.value, [])) {
    const name = path.join('.');
    const line = document.lineOf(path);
    const key = workerKeys.find((known) => known === name);
    if (key !== undefined && text !== null) given.set(key, { text, where: `${file}${line === null ? '' : `:${line}`}: ${name}` });
    else faults.push(faultOf(file, line, name));
  }
  if (documents.length > 1) faults.push(faultOf(file, documents[1]?.lineOf([]) ?? null, ''));
  const [first] = faults;
  if (first === undefined) return given;
  throw new CliError(faults.map(({ message }) => message).join('\n'), { exitCode: 2, next: first.next });
}

function faultOf(file: string, line: number | null, name: string): FileFault {
  const next = 'see docs/worker-settings.md for the settings there are';
  if (name === '') return new FileFault('settings are one map of keys', { file, line, next });
  const isKnown = workerKeys.some((key) => key === name);
  const message = isKnown ? `${name} has no value` : `${name} is no setting${adviceFor(name)}`;
  return new FileFault(message, { file, line, next });
}

/** `secrets: { env: [A, B] }` is `secrets.env: A,B`. `null`: nothing, or something else than a text. */
function textsOf(value: unknown, path: Path): readonly { readonly path: Path; readonly text: string | null }[] {
  if (typeof value === 'string' || typeof value === 'boolean') return [{ path, text: String(value) }];
  if (Array.isArray(value)) return [{ path, text: value.every((item) => typeof item === 'string') ? value.join(',') : null }];
  if (typeof value !== 'object' || value === null) return [{ path, text: null }];
  return Object.entries(value).flatMap(([key, part]) => textsOf(part, [...path, key]));
}
