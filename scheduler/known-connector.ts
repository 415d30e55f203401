/** A connector as the scheduler knows it: its document, and what its configuration means for planning. */
import { isAssertion } from '../core/assert.ts';
import { parseConnectorConfig } from '../core/config/connector-config.ts';
import { type Connector, decodeConnector } from '../core/connector.ts';
import { lateMaxMs, SEND_LATE_MAX_MS, slicesMax } from '../core/effect.ts';
import { FatalTaskError, messageOf } from '../core/errors.ts';
import type { PlannedConnector } from '../core/planner/view.ts';
import type { StoredDocument } from '../core/ports.ts';
import type { Registry } from '../plugins/api/registry.ts';
import { configureConnector } from '../plugins/configure.ts';

export interface KnownConnector {
  readonly connector: Connector;
  readonly version: string;
  readonly planned: PlannedConnector;
  /** What it reads: a sink's topics; `null` for a source, whose shards a discovery finds. */
  readonly topics: readonly string[] | null;
  /** The consumer group as which the broker knows it; `null` for a source. */
  readonly group: string | null;
  /** Of its plugin; `null` where the configuration is unusable. */
  readonly pluginVersion: string | null;
  /** What makes its configuration unusable; its shards get nothing until it is changed, or passes when it is read again. */
  readonly problem: string | null;
  /** Since when this revision of it is known, monotonic. */
  readonly sinceMs: number;
}

/** The error when the document cannot be read: nothing is known of it, not even its uid. */
export async function knowConnector(
  { value, version }: StoredDocument,
  name: string,
  { registry, skewMaxMs, atMs }: { readonly registry: Registry; readonly skewMaxMs: number; readonly atMs: number },
): Promise<KnownConnector | FatalTaskError> {
  let connector: Connector;
  try {
    connector = decodeConnector(value, name);
  } catch (error) {
    if (error instanceof FatalTaskError) return error;
    throw error;
  }
  try {
    return { connector, version, ...(await meaningOf(connector, { registry, skewMaxMs })), problem: null, sinceMs: atMs };
  } catch (error) {
    // Besides its keys that is whatever a plugin throws that cannot be loaded or made: no reason to stop the others.
    if (isAssertion(error)) throw error;
    const planned = plannedOf(connector, { tasksMax: 1, slicesPerShardMax: 1, freshnessMs: 0, graceMs: skewMaxMs });
    return {
      connector,
      version,
      planned,
      topics: null,
      group: null,
      pluginVersion: null,
      problem: messageOf(error),
      sinceMs: atMs,
    };
  }
}

async function meaningOf(
  connector: Connector,
  { registry, skewMaxMs }: { readonly registry: Registry; readonly skewMaxMs: number },
): Promise<Pick<KnownConnector, 'planned' | 'topics' | 'group' | 'pluginVersion'>> {
  const config = parseConnectorConfig(connector.config);
  const { runtime } = config;
  const { source, sink, version } = await configureConnector(registry, config);
  const effect = sink?.effect ?? 'append';
  const planned = plannedOf(connector, {
    tasksMax: runtime['tasks.max'],
    slicesPerShardMax: source === null ? slicesMax(effect, runtime) : 1,
    freshnessMs: runtime['freshness.ms'],
    graceMs: skewMaxMs + (source?.exactlyOnce === true && sink === null ? SEND_LATE_MAX_MS : lateMaxMs(effect)),
  });
  const isSink = source === null;
  const group = isSink ? (runtime['consumer.override.group.id'] ?? `connect-${connector.name}`) : null;
  return { planned, topics: isSink ? runtime.topics : null, group, pluginVersion: version };
}

function plannedOf(
  { uid, targetState, revision, pressure }: Connector,
  terms: Pick<PlannedConnector, 'tasksMax' | 'slicesPerShardMax' | 'freshnessMs' | 'graceMs'>,
): PlannedConnector {
  return { uid, targetState, revision, bears: pressure?.invocations ?? null, ...terms };
}

/** As it was sent, with the name, and with all that is secret. */
export function configOf({ name, config }: Connector): Connector['config'] {
  const { name: _, ...sent } = config;
  return { ...sent, name };
}
