/** The stored document of a connector, changed by operators' actions only. */
import { FatalTaskError } from './errors.ts';
import type { DocumentKey } from './ports.ts';

/** What an operator wants. `deleted` stands while cursors are being closed; then the document goes. */
export type TargetState = 'running' | 'paused' | 'stopped' | 'deleted';

export interface Connector {
  readonly name: string;
  /** Random, for life. */
  readonly uid: string;
  /** Raised by each change of configuration or target state. */
  readonly revision: number;
  readonly targetState: TargetState;
  /** Exactly as sent; placeholders unresolved. */
  readonly config: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
}

export function connectorKey(name: string): DocumentKey {
  return { partition: 'connectors', sort: name };
}

const FORMAT = 1;

export function encodeConnector(connector: Connector): string {
  return JSON.stringify({ v: FORMAT, ...connector });
}

/** @throws {FatalTaskError} `store.document_corrupt` or `store.document_newer`, naming the connector. */
export function decodeConnector(text: string, name: string): Connector {
  let document: Partial<Connector> & { v?: unknown };
  try {
    document = JSON.parse(text) as typeof document;
  } catch (cause) {
    throw corrupt(name, cause);
  }
  if (typeof document.v !== 'number') throw corrupt(name);
  if (document.v > FORMAT) {
    throw new FatalTaskError(`connector ${name} is stored in format ${document.v}, this version reads up to ${FORMAT}`, {
      code: 'store.document_newer',
    });
  }
  const { uid, revision, targetState, config, createdAtMs } = document;
  if (
    typeof uid !== 'string' ||
    typeof revision !== 'number' ||
    targetState === undefined ||
    config === undefined ||
    createdAtMs === undefined
  ) {
    throw corrupt(name);
  }
  return { name, uid, revision, targetState, config, createdAtMs };
}

function corrupt(name: string, cause?: unknown): FatalTaskError {
  return new FatalTaskError(`the stored document of connector ${name} cannot be read`, { code: 'store.document_corrupt', cause });
}
