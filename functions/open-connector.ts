/** Resolves and checks a connector's configuration and loads its plugins, once per revision and sandbox, and when a secret changed. */
import { type ConnectorConfig, parseResolvedConfig } from '../core/config/connector-config.ts';
import { FILTER_KEYS, recordFilterOf } from '../core/config/record-filter.ts';
import type { Connector } from '../core/connector.ts';
import { ConfigError, RetryableError } from '../core/errors.ts';
import type { RecordFilter } from '../core/ports.ts';
import type { ShardId } from '../core/shard-id.ts';
import type { PluginContext } from '../plugins/api/context.ts';
import { configureConnector } from '../plugins/configure.ts';
import { foundShards } from './found-shards.ts';
import type { Host } from './host.ts';
import type { OpenedConnector, ResolvedConfig } from './opened-connector.ts';
import { Pipeline } from './pipeline.ts';
import { resolveConfig, withoutValues } from './resolve-config.ts';

/**
 * So old a secret may be when an invocation begins: as long as a shard waits that failed with it, before it is tried again. It may
 * be older while nobody answers who could say whether it has changed: what worked until then goes on.
 */
const SECRETS_AGE_MAX_MS = 60_000;

/**
 * @throws {ConfigError} with every wrong key; {FatalTaskError} when a secret cannot be had; {RetryableError} when it is not known
 * whether it can, and none is kept.
 */
export async function openConnector(host: Host, connector: Connector): Promise<OpenedConnector> {
  const kept = host.sandbox.connector(connector);
  if (kept !== undefined && isFresh(host, kept.resolved)) return kept;
  const resolved = await resolveAgain(host, connector, kept?.resolved);
  const opened =
    kept !== undefined && isSame(kept.resolved, resolved) ? { ...kept, resolved } : await configure(host, connector, resolved);
  host.sandbox.keepConnector(connector, opened);
  return opened;
}

function isFresh({ clock }: Host, { values, askedAtMs }: ResolvedConfig): boolean {
  const ageMs = clock.nowMs() - askedAtMs;
  return values.length === 0 || (ageMs >= 0 && ageMs < SECRETS_AGE_MAX_MS);
}

/** Where no answer comes, `kept` goes on as if it had come now, so that not every invocation waits for one. */
async function resolveAgain(host: Host, connector: Connector, kept: ResolvedConfig | undefined): Promise<ResolvedConfig> {
  const askedAtMs = host.clock.nowMs();
  try {
    return await resolveConfig(host, connector);
  } catch (error) {
    if (kept === undefined || !(error instanceof RetryableError) || error.code !== 'secret.unavailable') throw error;
    const { message, code } = error;
    host.telemetry.log('warn', `the connector goes on with the secrets it has: ${message}`, { connector: connector.name, code });
    return { ...kept, askedAtMs };
  }
}

function isSame({ values: before }: ResolvedConfig, { values }: ResolvedConfig): boolean {
  return values.every((value, index) => value === before[index]);
}

async function configure(host: Host, connector: Connector, resolved: ResolvedConfig): Promise<OpenedConnector> {
  try {
    const config = parseResolvedConfig(resolved.config);
    const configured = await configureConnector(host.registry, config);
    const filter = configured.source === null ? await usableFilter(host, config) : null;
    // A log takes bytes.
    const writes = configured.sink?.reads ?? 'bytes';
    const pipeline = new Pipeline(configured, { writes, stopsAtRefusal: config.runtime['errors.tolerance'] === 'none' });
    const edition = { revision: connector.revision, opening: host.sandbox.nextOpening() };
    return { ...edition, config, resolved, source: configured.source, sink: configured.sink, filter, pipeline };
  } catch (error) {
    throw error instanceof ConfigError ? withoutValues(error, connector.config, resolved.config) : error;
  }
}

/** @throws {ConfigError} when the log cannot read by it. */
async function usableFilter({ broker }: Host, { runtime }: ConnectorConfig): Promise<RecordFilter | null> {
  const filter = recordFilterOf(runtime);
  const message = filter === null ? null : await broker.filterProblem(filter);
  if (filter === null || message === null) return filter;
  throw new ConfigError([{ path: FILTER_KEYS[filter.kind], message }]);
}

export function pluginContext(host: Host, { name: connector, uid, createdAtMs }: Connector, shard: ShardId): PluginContext {
  const { redaction } = host.sandbox;
  return {
    connector,
    createdAtMs,
    shard,
    clock: host.clock,
    random: host.random,
    fetch: host.fetch,
    broker: host.broker,
    shards: () => foundShards(host.store, uid),
    log: (level, message, fields = {}) =>
      host.telemetry.log(level, redaction.text(message), { ...redaction.fields(fields), connector, shard }),
    count: (event, by = 1) => host.telemetry.count(event, { connector }, by),
  };
}
