/** Finishes what an operator's process left half done: gates behind the connector's document, and deletions. */
import type { StoreAccess } from '../core/cursor/stored-cursor.ts';
import { ConfigError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import { deleteConnector, raiseGates } from './connector-actions.ts';
import type { ConnectorCatalog } from './connector-catalog.ts';
import type { KnownConnector } from './known-connector.ts';
import type { ShardTable } from './shard-table.ts';

/** The operator's own process is given so long to finish; acting twice does no harm, only work. */
const HEAL_AFTER_MS = 5_000;

/** Names of the connectors that were healed, whose documents and cursors are other ones now. */
export async function heal(deps: StoreAccess, catalog: ConnectorCatalog, table: ShardTable): Promise<readonly string[]> {
  const healed: string[] = [];
  for (const known of catalog.all()) {
    if (!isHalfDone(known, table, deps.clock)) continue;
    const { connector } = known;
    if (connector.targetState === 'deleted') await finishDeletion(deps, connector.name);
    else await raiseGates(deps, connector);
    healed.push(connector.name);
  }
  return healed;
}

/** The operator's own process may have got there first, slowly. */
async function finishDeletion(deps: StoreAccess, name: string): Promise<void> {
  try {
    await deleteConnector(deps, name);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
  }
}

/** Where a connector runs, the next invocation of a shard raises its gate; a closed one gets none. */
function isHalfDone({ connector, sinceMs }: KnownConnector, table: ShardTable, clock: Clock): boolean {
  const { targetState, uid, revision } = connector;
  if (targetState === 'running' || clock.monotonicMs() - sinceMs < HEAL_AFTER_MS) return false;
  if (targetState === 'deleted') return true;
  for (const { cursor } of table.ofConnector(uid)) if (cursor !== null && cursor.gate.revision < revision) return true;
  return false;
}
