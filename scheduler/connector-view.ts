/** A connector as it stands in the store now: its document first, its cursors after it, as `status` wants them. */
import { type Connector, connectorKey } from '../core/connector.ts';
import { decodeCursor } from '../core/cursor/codec.ts';
import { cursorPartition } from '../core/cursor/stored-cursor.ts';
import { FatalTaskError } from '../core/errors.ts';
import type { Clock, StateStore, StoredDocument } from '../core/ports.ts';
import type { ShardId } from '../core/shard-id.ts';
import type { Registry } from '../plugins/api/registry.ts';
import { type KnownConnector, knowConnector } from './known-connector.ts';
import { type ConnectorStatus, type ShardView, statusOf, unreadableStatus } from './status.ts';

export interface ViewDeps {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly skewMaxMs: number;
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
  readonly shards: readonly ShardView[];
  readonly status: ConnectorStatus;
}

const PAGE_DOCUMENTS = 500;

/** `null` when there is no such connector; with its status alone when its document cannot be read. */
export async function viewConnector(deps: ViewDeps, name: string): Promise<ConnectorView | Pick<ConnectorView, 'status'> | null> {
  const document = await deps.store.get(connectorKey(name));
  if (document === null) return null;
  const known = await knowConnector(document, name, { ...deps, atMs: deps.clock.monotonicMs() });
  if (known instanceof FatalTaskError) return { status: unreadableStatus(name, known, deps.workerId) };
  const shards = await viewShards(deps.store, known);
  return { connector: known.connector, shards, status: statusOf(known, shards, deps.workerId) };
}

export function infoOf({ connector: { name, config }, status: { tasks, type } }: ConnectorView): ConnectorInfo {
  const { name: _, ...sent } = config;
  return { name, config: { ...sent, name }, tasks: tasks.map(({ id }) => ({ connector: name, task: id })), type };
}

async function viewShards(store: StateStore, { connector }: KnownConnector): Promise<readonly ShardView[]> {
  const shards: ShardView[] = [];
  let after: string | undefined;
  do {
    const page = await store.list(cursorPartition(connector.uid), {
      limit: PAGE_DOCUMENTS,
      ...(after === undefined ? {} : { after }),
    });
    for (const { key, ...document } of page.documents) shards.push(viewShard(key.sort as ShardId, document));
    after = page.next;
  } while (after !== undefined);
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
