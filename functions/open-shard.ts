/**
 * Finds the connector and the cursor an offer is about.
 *
 * The connector's document is read after the cursor exists: an operator who closes gates lists the cursors after writing the
 * document, so either the operator sees this cursor, or this invocation sees the operator's document.
 */

import { parseConnectorConfig } from '../core/config/connector-config.ts';
import { type Connector, readConnector } from '../core/connector.ts';
import { type Cursor, createCheckpointCursor, createLogCursor } from '../core/cursor/cursor.ts';
import { StoredCursor } from '../core/cursor/stored-cursor.ts';
import { ConfigError } from '../core/errors.ts';
import type { MessageQueue } from '../core/message-queue.ts';
import type { Offer } from '../core/offer.ts';
import type { Offset } from '../core/offset.ts';
import { queueOfShard } from '../core/shard-id.ts';
import type { Host } from './host.ts';

export type FoundShard =
  | { readonly kind: 'found'; readonly shard: StoredCursor; readonly connector: Connector }
  | { readonly kind: 'refused'; readonly reason: 'connector-gone' | 'queue-gone' };

const CONNECTOR_GONE: FoundShard = { kind: 'refused', reason: 'connector-gone' };

export async function openShard(host: Host, offer: Offer): Promise<FoundShard> {
  const existing = await StoredCursor.read(host, offer.shard);
  const before = await connectorOf(host, offer);
  if (before === null) return CONNECTOR_GONE;
  if (existing !== null) return { kind: 'found', shard: existing, connector: before };

  const first = await firstCursor(host, offer, before);
  if (first === null) return { kind: 'refused', reason: 'queue-gone' };
  const shard = await StoredCursor.create(host, offer.shard, first);
  const connector = await connectorOf(host, offer);
  // Deleted in between, perhaps after its cursors were listed: this one is left to `sweepDeleted`, as if this call had died here.
  return connector === null ? CONNECTOR_GONE : { kind: 'found', shard, connector };
}

/** `null` when it does not exist, is being deleted, or is another one of the same name. */
async function connectorOf(host: Host, { connector: name, uid }: Offer): Promise<Connector | null> {
  const connector = await readConnector(host, name);
  return connector?.uid === uid && connector.targetState !== 'deleted' ? connector : null;
}

async function firstCursor(host: Host, offer: Offer, connector: Connector): Promise<Cursor | null> {
  const queue = queueOfShard(offer.shard);
  if (queue === undefined) return createCheckpointCursor();
  const start = await startOffset(host, queue, connector);
  return start === null ? null : createLogCursor(start);
}

/**
 * Where a sink starts in a queue. `latest` and times are looked up by the time the connector was created: for a queue that came
 * later, all of whose records are newer, that is its minimum, so nothing of it is left out. The skew between clocks is
 * given away in the direction of reading too much.
 */
async function startOffset(
  { broker, settings }: Host,
  queue: MessageQueue,
  { config, createdAtMs, name }: Connector,
): Promise<Offset | null> {
  const [bounds] = await broker.bounds([queue]);
  if (bounds === null || bounds === undefined) return null;
  const reset = parseConnectorConfig(config).runtime['consumer.override.auto.offset.reset'];
  if (reset === 'earliest') return bounds.min;
  const atMs = reset === 'latest' ? createdAtMs : Date.parse(reset);
  if (Number.isNaN(atMs)) {
    throw new ConfigError([
      {
        path: 'consumer.override.auto.offset.reset',
        message: `of ${name} must be earliest, latest or an ISO 8601 time, not ${reset}`,
      },
    ]);
  }
  return broker.offsetAt(queue, Math.min(atMs, createdAtMs) - settings.skewMaxMs);
}
