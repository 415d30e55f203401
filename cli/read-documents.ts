/**
 * Files that a person writes: JSON, YAML (one or several documents), or `.properties`. What they hold comes out alike, for whoever
 * asks for it wants texts: numbers and booleans of YAML and numbers of JSON are the text that stands there, so that no digit and
 * no trailing zero is lost.
 */
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { type Document, LineCounter, type Node, parseAllDocuments } from 'yaml';
import { messageOf } from '../core/errors.ts';
import { PropertiesSyntaxError, parseProperties } from '../core/properties.ts';
import { readJson } from '../core/record/json-parser.ts';
import { ShapeError } from '../core/record/shape-error.ts';
import { FileFault } from './file-fault.ts';

export type Path = readonly (string | number)[];

export interface FileDocument {
  readonly value: unknown;
  /** Where something of it stands, counted from 1; `null` where that is not known. */
  lineOf(path: Path): number | null;
}

const READERS: Readonly<Record<string, (text: string, file: string) => readonly FileDocument[]>> = {
  '.json': readJsonDocument,
  '.properties': readProperties,
  '.yaml': readYaml,
  '.yml': readYaml,
};

export const FILE_ENDINGS = Object.keys(READERS);

/** @throws {FileFault} when it cannot be read, naming the line where there is one. */
export function readDocuments(file: string): readonly FileDocument[] {
  const read = READERS[extname(file).toLowerCase()];
  if (read === undefined) {
    throw new FileFault(`its name ends neither in ${FILE_ENDINGS.join(', nor in ')}`, {
      file,
      line: null,
      next: 'give it the ending of what is in it',
    });
  }
  return read(readText(file), file);
}

/** UTF-8, with or without a byte order mark. */
function readText(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    const isNoText = error instanceof TypeError;
    throw new FileFault(isNoText ? 'is not UTF-8' : `cannot be read: ${messageOf(error)}`, {
      file,
      line: null,
      next: isNoText ? 'save it as UTF-8' : 'name a file that is there and may be read',
    });
  }
}

function readJsonDocument(text: string, file: string): readonly FileDocument[] {
  try {
    const value: unknown = JSON.parse(text, asWritten as Parameters<typeof JSON.parse>[1]);
    // JSON is YAML, whose parser knows where things stand.
    return [{ value, lineOf: (path) => yamlDocuments(text)[0]?.lineOf(path) ?? null }];
  } catch {
    const line = lineAt(text, faultIn(text));
    throw new FileFault('is not JSON from here on', { file, line, next: 'look at this line and the one before it' });
  }
}

/** The third argument is newer than the compiler's libraries. https://github.com/tc39/proposal-json-parse-with-source */
function asWritten(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value === 'number' ? source : value;
}

function faultIn(text: string): number {
  try {
    readJson(text, false);
  } catch (error) {
    if (error instanceof ShapeError && error.at !== null) return error.at;
  }
  return 0;
}

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}

function readProperties(text: string, file: string): readonly FileDocument[] {
  try {
    const properties = parseProperties(text);
    const value = Object.fromEntries([...properties].map(([key, property]) => [key, property.value]));
    return [{ value, lineOf: ([key]) => properties.get(String(key))?.line ?? null }];
  } catch (error) {
    if (!(error instanceof PropertiesSyntaxError)) throw error;
    const { message, line } = error;
    throw new FileFault(message, { file, line, next: 'write \\\\ for a backslash' });
  }
}

function readYaml(text: string, file: string): readonly FileDocument[] {
  const documents = yamlDocuments(text);
  for (const { fault } of documents) {
    if (fault === null) continue;
    throw new FileFault(fault.message, { file, line: fault.line, next: 'look at this line and the one before it' });
  }
  // Empty ones, such as one before the first `---`.
  return documents.filter(({ value }) => value !== null);
}

interface YamlDocument extends FileDocument {
  readonly fault: { readonly message: string; readonly line: number | null } | null;
}

/** Everything but null is text; `<<` takes over the keys of another map, as it did in YAML 1.1. */
function yamlDocuments(text: string): readonly YamlDocument[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    schema: 'failsafe',
    customTags: ['null', 'merge'],
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  });
  return [...documents].map((document) => ({
    ...readDocument(document, lines),
    lineOf: (path) => lineOf(document, lines, path),
  }));
}

/** Of what comes in by an alias or a merge: where that is asked for. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: Path): number | null {
  const range = (document.getIn(path, true) as Node | undefined)?.range;
  if (range !== null && range !== undefined) return lines.linePos(range[0]).line;
  return path.length === 0 ? null : lineOf(document, lines, path.slice(0, -1));
}

function readDocument(document: Document.Parsed, lines: LineCounter): Pick<YamlDocument, 'value' | 'fault'> {
  const [error] = document.errors;
  if (error !== undefined) return { value: null, fault: { message: error.message, line: lines.linePos(error.pos[0]).line } };
  try {
    return { value: document.toJS(), fault: null };
  } catch (thrown) {
    // An alias of what is not there, or of so much that it would fill the memory.
    return { value: null, fault: { message: messageOf(thrown), line: null } };
  }
}
