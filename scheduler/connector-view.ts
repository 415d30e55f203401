/** A connector as it stands in the store now: its document first, its cursors after it, as `status` wants them. */
import { type Connector, connectorKey } from '../core/connector.ts';
import { decodeCursor } from '../core/cursor/codec.ts';
import { cursorPartition } from '../core/cursor/stored-cursor.ts';
import { documentsIn, type ListedDocument } from '../core/document-pages.ts';
import { FatalTaskError } from '../core/errors.ts';
import type { PlannedConnector } from '../core/planner/view.ts';
import type { StateStore, StoredDocument } from '../core/ports.ts';
import type { ShardId } from '../core/shard-id.ts';
import type { KnownConnector } from './known-connector.ts';
import type { KnownConnectors } from './known-connectors.ts';
import { type ConnectorStatus, dealt, type ShardView, statusOf, unreadableStatus } from './status.ts';

export interface ViewDeps {
  readonly store: StateStore;
  readonly known: KnownConnectors;
  /** Who answers, as `host:port`. */
  readonly workerId: string;
}

/** Kafka Connect's `ConnectorInfo`, names of fields included. */
export interface ConnectorInfo {
  readonly name: string;
  readonly config: Connector['config'];
  readonly tasks: readonly { readonly connector: string; readonly task: number }[];
  readonly type: ConnectorStatus['type'];
}

export interface ConnectorView {
  readonly connector: Connector;
  /** Its configuration as anybody may see it. */
  readonly shown: Connector['config'];
  readonly planned: PlannedConnector;
  /** What makes its configuration unusable. */
  readonly problem: string | null;
  /** What a sink's configuration says that it reads. */
  readonly topics: readonly string[];
  readonly shards: readonly ShardView[];
  /** The shards of each task of `status`; of one that is stopped there are none. */
  readonly dealt: readonly (readonly ShardView[])[];
  readonly status: ConnectorStatus;
}

type ViewOrStatus = ConnectorView | Pick<ConnectorView, 'status'>;

interface NamedView {
  readonly name: string;
  readonly view: ViewOrStatus;
}

/** `null` when there is no such connector; with its status alone when its document cannot be read. */
export async function viewConnector(deps: ViewDeps, name: string): Promise<ViewOrStatus | null> {
  const document = await deps.store.get(connectorKey(name));
  return document === null ? null : viewDocument(deps, name, document);
}

/** All there are, in the order of their names. */
export async function viewConnectors(deps: ViewDeps): Promise<readonly NamedView[]> {
  const views: NamedView[] = [];
  for await (const { key, ...document } of connectorDocuments(deps)) {
    views.push({ name: key.sort, view: await viewDocument(deps, key.sort, document) });
  }
  return views;
}

export async function connectorNames(deps: Pick<ViewDeps, 'store'>): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { key } of connectorDocuments(deps)) names.push(key.sort);
  return names;
}

export function infoOf({ connector, shown, status: { tasks, type } }: ConnectorView): ConnectorInfo {
  const { name } = connector;
  return { name, config: shown, tasks: tasks.map(({ id }) => ({ connector: name, task: id })), type };
}

async function viewDocument(deps: ViewDeps, name: string, document: StoredDocument): Promise<ViewOrStatus> {
  const known = await deps.known.of(name, document);
  if (known instanceof FatalTaskError) return { status: unreadableStatus(name, known, deps.workerId) };
  const shards = await viewShards(deps.store, known);
  const status = statusOf(known, shards, deps.workerId);
  const { connector, shown, planned, problem, topics } = known;
  return {
    connector,
    shown,
    planned,
    problem,
    topics: topics ?? [],
    shards,
    dealt: dealt(known, shards).slice(0, status.tasks.length),
    status,
  };
}

function connectorDocuments({ store }: Pick<ViewDeps, 'store'>): AsyncIterable<ListedDocument> {
  return documentsIn(store, connectorKey('').partition);
}

async function viewShards(store: StateStore, { connector }: KnownConnector): Promise<readonly ShardView[]> {
  const shards: ShardView[] = [];
  for await (const { key, ...document } of documentsIn(store, cursorPartition(connector.uid)))
    shards.push(viewShard(key.sort as ShardId, document));
  return shards;
}

function viewShard(shard: ShardId, { value }: StoredDocument): ShardView {
  try {
    return { shard, cursor: decodeCursor(value, shard), problem: null };
  } catch (error) {
    if (!(error instanceof FatalTaskError)) throw error;
    return { shard, cursor: null, problem: error };
  }
}
