/** The text of a `.properties` file, by the rules of `java.util.Properties`: what Kafka's own configuration files are written in. */
import { Properties, PropertiesNodeType } from 'properties-file/parser';

export interface Property {
  readonly value: string;
  /** Where it begins, counted from 1. */
  readonly line: number;
}

/** Nothing of the text is in its message: it may hold secrets. */
export class PropertiesSyntaxError extends Error {
  override readonly name = 'PropertiesSyntaxError';
  readonly line: number;

  constructor(line: number) {
    super('\\u needs four hexadecimal digits behind it');
    this.line = line;
  }
}

/** Of a key that stands there twice, the last one counts. @throws {PropertiesSyntaxError} */
export function parseProperties(text: string): ReadonlyMap<string, Property> {
  const properties = new Map<string, Property>();
  for (const node of nodesOf(text)) {
    if (node.type === PropertiesNodeType.PROPERTY) {
      properties.set(node.key, { value: node.value, line: node.startingLineNumber });
    }
  }
  return properties;
}

function nodesOf(text: string): Properties['nodes'] {
  try {
    return new Properties(text).nodes;
  } catch {
    throw new PropertiesSyntaxError(lineOfFault(text));
  }
}

/** The parser does not say where. Without any unicode escape the text has the same lines, each of which can be read alone. */
function lineOfFault(text: string): number {
  const lines = text.split(/\r\n|\r|\n/);
  const properties = new Properties(text.replaceAll('\\u', '\\q')).getProperties();
  const faulty = properties.find(({ startingLineNumber: from, endingLineNumber: to }) => !isRead(lines.slice(from - 1, to)));
  return faulty?.startingLineNumber ?? 1;
}

function isRead(lines: readonly string[]): boolean {
  try {
    return new Properties(lines.join('\n')).nodes.length > 0;
  } catch {
    return false;
  }
}
