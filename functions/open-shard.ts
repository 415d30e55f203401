/**
 * Finds the connector and the cursor an offer is about.
 *
 * The connector's document is read after the cursor exists: an operator who closes gates lists the cursors after writing the
 * document, so either the operator sees this cursor, or this invocation sees the operator's document.
 */

import { type Connector, readConnector } from '../core/connector.ts';
import { type Cursor, createCheckpointCursor, createLogCursor } from '../core/cursor/cursor.ts';
import { StoredCursor } from '../core/cursor/stored-cursor.ts';
import type { Offer } from '../core/offer.ts';
import { queueOfShard } from '../core/shard-id.ts';
import { startOffset } from '../core/start-offset.ts';
import type { Host } from './host.ts';
import type { RunTally } from './run-tally.ts';

export type FoundShard =
  | { readonly kind: 'found'; readonly shard: StoredCursor; readonly connector: Connector }
  | { readonly kind: 'refused'; readonly reason: 'connector-gone' | 'queue-gone' };

const CONNECTOR_GONE: FoundShard = { kind: 'refused', reason: 'connector-gone' };

export async function openShard(host: Host, offer: Offer, tally: Pick<RunTally, 'counts'>): Promise<FoundShard> {
  tally.counts.storeReads += 1;
  const existing = await StoredCursor.read(host, offer.shard);
  const before = await connectorOf(host, offer, tally);
  if (before === null) return CONNECTOR_GONE;
  if (existing !== null) return { kind: 'found', shard: existing, connector: before };

  const first = await firstCursor(host, offer, before);
  if (first === null) return { kind: 'refused', reason: 'queue-gone' };
  const shard = await StoredCursor.create(host, offer.shard, first);
  const connector = await connectorOf(host, offer, tally);
  // Deleted in between, perhaps after its cursors were listed: this one is left to `sweepDeleted`, as if this call had died here.
  return connector === null ? CONNECTOR_GONE : { kind: 'found', shard, connector };
}

/** `null` when it does not exist, is being deleted, or is another one of the same name. */
async function connectorOf(
  host: Host,
  { connector: name, uid }: Offer,
  { counts }: Pick<RunTally, 'counts'>,
): Promise<Connector | null> {
  counts.storeReads += 1;
  const connector = await readConnector(host, name);
  return connector?.uid === uid && connector.targetState !== 'deleted' ? connector : null;
}

async function firstCursor(host: Host, offer: Offer, connector: Connector): Promise<Cursor | null> {
  const queue = queueOfShard(offer.shard);
  if (queue === undefined) return createCheckpointCursor();
  const start = await startOffset(host.broker, queue, {
    ...connector,
    asOfMs: connector.createdAtMs,
    skewMaxMs: host.settings.skewMaxMs,
  });
  return start === null ? null : createLogCursor(start);
}
