/** The stored document of a connector, changed by operators' actions, and by the scheduler where it notes back-pressure. */
import { FatalTaskError } from './errors.ts';
import type { Pressure } from './planner/pressure.ts';
import type { DocumentKey, StateStore } from './ports.ts';

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
  /** What its target bears at present; absent while it shows no strain. Raises no revision. */
  readonly pressure?: Pressure;
  /** That records were moved from or to, since its creation or since an operator reset them; absent for none. Raises no revision. */
  readonly activeTopics?: readonly string[];
}

export function connectorKey(name: string): DocumentKey {
  return { partition: 'connectors', sort: name };
}

/** `null` when there is none. @throws {FatalTaskError} as `decodeConnector`. */
export async function readConnector({ store }: { readonly store: StateStore }, name: string): Promise<Connector | null> {
  const document = await store.get(connectorKey(name));
  return document === null ? null : decodeConnector(document.value, name);
}

const FORMAT = 1;

export function encodeConnector(connector: Connector): string {
  return JSON.stringify({ v: FORMAT, ...connector });
}

/** @throws {FatalTaskError} `store.document_corrupt` or `store.document_newer`, naming the connector. */
export function decodeConnector(text: string, name: string): Connector {
  const document = parsed(text, name);
  const { v, uid, revision, targetState, config, createdAtMs, pressure, activeTopics } = document;
  if (typeof v === 'number' && v > FORMAT) {
    throw new FatalTaskError(`connector ${name} is stored in format ${v}, this version reads up to ${FORMAT}`, {
      code: 'store.document_newer',
    });
  }
  if (
    v !== FORMAT ||
    typeof uid !== 'string' ||
    !isCount(revision) ||
    !isTargetState(targetState) ||
    !isConfig(config) ||
    !isCount(createdAtMs) ||
    !(pressure === undefined || isPressure(pressure)) ||
    !(activeTopics === undefined || isTopics(activeTopics))
  ) {
    throw corrupt(name);
  }
  const notes = { ...(pressure === undefined ? {} : { pressure }), ...(activeTopics === undefined ? {} : { activeTopics }) };
  return { name, uid, revision, targetState, config, createdAtMs, ...notes };
}

function parsed(text: string, name: string): Readonly<Record<string, unknown>> {
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document === 'object' && document !== null) return document as Record<string, unknown>;
  } catch (cause) {
    throw corrupt(name, cause);
  }
  throw corrupt(name);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isTargetState(value: unknown): value is TargetState {
  return value === 'running' || value === 'paused' || value === 'stopped' || value === 'deleted';
}

function isConfig(value: unknown): value is Connector['config'] {
  return typeof value === 'object' && value !== null && Object.values(value).every((entry) => typeof entry === 'string');
}

function isTopics(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((topic) => typeof topic === 'string');
}

function isPressure(value: unknown): value is Pressure {
  if (typeof value !== 'object' || value === null) return false;
  const { invocations, halvedAtMs, changedAtMs } = value as Record<string, unknown>;
  return isCount(invocations) && isCount(halvedAtMs) && isCount(changedAtMs);
}

function corrupt(name: string, cause?: unknown): FatalTaskError {
  return new FatalTaskError(`the stored document of connector ${name} cannot be read`, {
    code: 'store.document_corrupt',
    cause,
  });
}
