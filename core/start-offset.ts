/** Where a sink starts in a queue. */
import { parseConnectorConfig } from './config/connector-config.ts';
import type { Connector } from './connector.ts';
import { ConfigError } from './errors.ts';
import type { MessageQueue } from './message-queue.ts';
import type { Offset } from './offset.ts';
import type { LogBroker } from './ports.ts';

export interface StartTerms extends Pick<Connector, 'name' | 'config'> {
  /** When the connector was created, or its offsets were reset: what `latest` means, and the latest that a time can mean. */
  readonly asOfMs: number;
  readonly skewMaxMs: number;
}

/**
 * `latest` and times are looked up by the time the connector was created: for a queue that came later, all of whose records are
 * newer, that is its minimum, so nothing of it is left out. The skew between clocks is given away in the direction of reading too
 * much. `null` when the queue does not exist.
 */
export async function startOffset(
  broker: Pick<LogBroker, 'bounds' | 'offsetAt'>,
  queue: MessageQueue,
  { name, config, asOfMs, skewMaxMs }: StartTerms,
): Promise<Offset | null> {
  const [bounds] = await broker.bounds([queue]);
  if (bounds === null || bounds === undefined) return null;
  const reset = parseConnectorConfig(config).runtime['consumer.override.auto.offset.reset'];
  if (reset === 'earliest') return bounds.min;
  const atMs = reset === 'latest' ? asOfMs : Date.parse(reset);
  if (Number.isNaN(atMs)) {
    throw new ConfigError([
      {
        path: 'consumer.override.auto.offset.reset',
        message: `of ${name} must be earliest, latest or an ISO 8601 time, not ${reset}`,
      },
    ]);
  }
  return broker.offsetAt(queue, Math.min(atMs, asOfMs) - skewMaxMs);
}
