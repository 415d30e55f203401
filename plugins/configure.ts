/**
 * The plugins that a connector's configuration names, each with its own keys applied. Says everything that is wrong with it in
 * one error, so that an operator mends it once. Opens nothing: drivers load when a plugin opens.
 *
 * A scheduler, which knows no secrets, learns of a configuration with placeholders what can be said without them. What would need
 * their values, to open, to convert, to transform, fails an assertion.
 */
import { assert } from '../core/assert.ts';
import {
  type ConnectorConfig,
  type PluginChoice,
  parsePluginConfig,
  type TransformChoice,
} from '../core/config/connector-config.ts';
import type { Effect } from '../core/effect.ts';
import { ConfigError, type ConfigIssue } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import { addressingOf } from '../core/record/addressing.ts';
import type { PluginContext } from './api/context.ts';
import type { Converter } from './api/converter.ts';
import type { Predicate } from './api/predicate.ts';
import type { Registry } from './api/registry.ts';
import type { SinkPlugin, SinkWriter } from './api/sink.ts';
import type { SourcePlugin, SourceReader, SourceShard } from './api/source.ts';
import type { Transform } from './api/transform.ts';

export interface ConfiguredSink {
  readonly effect: Effect;
  readonly reads: 'values' | 'bytes';
  open(context: PluginContext): Promise<SinkWriter>;
}

export interface ConfiguredSource {
  readonly exactlyOnce: boolean;
  readonly discoverEveryMs: number;
  discover(context: PluginContext): Promise<readonly SourceShard[]>;
  open(shard: readonly string[], checkpoint: Json, context: PluginContext): Promise<SourceReader>;
}

/** A transform, and for which records it is. */
export interface Step {
  readonly applies: Predicate | null;
  readonly negate: boolean;
  readonly apply: Transform;
}

/** What happens to records between reader and writer. */
export interface ConfiguredSteps {
  readonly key: Converter;
  readonly value: Converter;
  readonly steps: readonly Step[];
}

export interface ConfiguredConnector extends ConfiguredSteps {
  /** `null` for a sink connector, whose reader is a log. */
  readonly source: ConfiguredSource | null;
  /** `null` for a source connector, whose writer is a log. */
  readonly sink: ConfiguredSink | null;
  /** Of the plugin that `connector.class` names. */
  readonly version: string;
}

/** @throws {ConfigError} with every wrong key of every plugin. */
export async function configureConnector(registry: Registry, config: ConnectorConfig): Promise<ConfiguredConnector> {
  const ends = await attempt(() => configureEnds(registry, config));
  const steps = await attempt(async () => configureSteps(registry, config));
  if ('issues' in ends || 'issues' in steps) throw new ConfigError([...issuesOf(ends), ...issuesOf(steps)]);
  const address = ends.value.source === null ? null : addressingOf(config.runtime);
  const last: readonly Step[] = address === null ? [] : [{ applies: null, negate: false, apply: address }];
  return { ...ends.value, ...steps.value, steps: [...steps.value.steps, ...last] };
}

/** @throws {ConfigError} with every wrong key of converters, transforms and predicates. */
export function configureSteps(registry: Registry, config: ConnectorConfig): ConfiguredSteps {
  const issues: ConfigIssue[] = [];
  const gather = <T>(configure: () => T): T | undefined => {
    try {
      return configure();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      issues.push(...error.issues);
      return undefined;
    }
  };
  const key = gather(() => configureConverter(registry, config.keyConverter, 'key'));
  const value = gather(() => configureConverter(registry, config.valueConverter, 'value'));
  const predicates = new Map(
    [...config.predicates].map(([alias, choice]) => [alias, gather(() => configurePredicate(registry, choice))]),
  );
  const steps = config.transforms.map((choice) => gather(() => configureStep(registry, choice, predicates)));
  if (key === undefined || value === undefined || issues.length > 0) throw new ConfigError(issues);
  return { key, value, steps: steps.filter((step) => step !== undefined) };
}

type Attempt<T> = { readonly value: T } | { readonly issues: readonly ConfigIssue[] };

async function attempt<T>(configure: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await configure() };
  } catch (error) {
    if (error instanceof ConfigError) return { issues: error.issues };
    throw error;
  }
}

function issuesOf(attempted: Attempt<unknown>): readonly ConfigIssue[] {
  return 'issues' in attempted ? attempted.issues : [];
}

async function configureEnds(
  registry: Registry,
  config: ConnectorConfig,
): Promise<Omit<ConfiguredConnector, keyof ConfiguredSteps>> {
  const { plugin } = config.connector;
  const sink = await registry.findSink(plugin);
  if (sink !== undefined) return { source: null, sink: await configuredLogSink(sink, config), version: sink.version };
  const source = await registry.findSource(plugin);
  if (source === undefined) throw unknown('connector.class', plugin);
  const required = config.runtime['exactly.once.support'] === 'required';
  if (required && (!source.exactlyOnce || config.directSink !== null)) {
    throw new ConfigError([{ path: 'exactly.once.support', message: `${plugin} cannot publish each record once` }]);
  }
  const directSink = await configuredDirectSink(registry, config.directSink);
  return { source: configuredSource(source, config.connector), sink: directSink, version: source.version };
}

/** Of a connector that reads topics. */
async function configuredLogSink(plugin: SinkPlugin, { connector, runtime }: ConnectorConfig): Promise<ConfiguredSink> {
  const sink = await attempt(async () => configuredSink(plugin, connector));
  const missing =
    runtime.topics.length === 0 ? [{ path: 'topics', message: 'is required: a sink reads at least one topic' }] : [];
  if ('issues' in sink || missing.length > 0) throw new ConfigError([...missing, ...issuesOf(sink)]);
  return sink.value;
}

async function configuredDirectSink(registry: Registry, choice: PluginChoice | null): Promise<ConfiguredSink | null> {
  if (choice === null) return null;
  const sink = await registry.findSink(choice.plugin);
  if (sink === undefined) throw unknown('sink.connector.class', choice.plugin);
  if (sink.effect === 'versioned') {
    // A version is made of a record's offset, and without a log between there is none.
    throw new ConfigError([
      {
        path: 'sink.connector.class',
        message: `${choice.plugin} needs offsets as versions, so it takes records from a topic only`,
      },
    ]);
  }
  return configuredSink(sink, choice);
}

function configuredSink(sink: SinkPlugin, choice: PluginChoice): ConfiguredSink {
  const config = parsePluginConfig(sink.config, choice);
  const { effect, reads } = sink;
  return { effect, reads, open: config === null ? unresolved : (context) => sink.open(config, context) };
}

function configuredSource(source: SourcePlugin, choice: PluginChoice): ConfiguredSource {
  const config = parsePluginConfig(source.config, choice);
  const { exactlyOnce, discoverEveryMs } = source;
  if (config === null) return { exactlyOnce, discoverEveryMs, discover: unresolved, open: unresolved };
  return {
    exactlyOnce,
    discoverEveryMs,
    discover: (context) => source.discover(config, context),
    open: (shard, checkpoint, context) => source.open(config, shard, checkpoint, context),
  };
}

function configureConverter(registry: Registry, choice: PluginChoice, role: 'key' | 'value'): Converter {
  const plugin = registry.findConverter(choice.plugin);
  if (plugin === undefined) throw unknown(`${role}.converter`, choice.plugin);
  const config = parsePluginConfig(plugin.config, choice);
  return config === null ? { toConnect: unresolved, fromConnect: unresolved } : plugin.create(config, role);
}

function configureStep(
  registry: Registry,
  choice: TransformChoice,
  predicates: ReadonlyMap<string, Predicate | undefined>,
): Step | undefined {
  const plugin = registry.findTransform(choice.plugin);
  if (plugin === undefined) throw unknown(`${choice.prefix}type`, choice.plugin);
  const config = parsePluginConfig(plugin.config, choice);
  const apply = config === null ? unresolved : plugin.create(config);
  const { predicate, negate } = choice;
  if (predicate === null) return { applies: null, negate, apply };
  // Where the predicate is wrong, that is said once, of the predicate.
  const applies = predicates.get(predicate);
  return applies === undefined ? undefined : { applies, negate, apply };
}

function configurePredicate(registry: Registry, choice: PluginChoice): Predicate {
  const plugin = registry.findPredicate(choice.plugin);
  if (plugin === undefined) throw unknown(`${choice.prefix}type`, choice.plugin);
  const config = parsePluginConfig(plugin.config, choice);
  return config === null ? unresolved : plugin.create(config);
}

function unresolved(): never {
  assert(false, 'an invocation resolves placeholders before it uses what it has configured');
}

function unknown(path: string, name: string): ConfigError {
  return new ConfigError([{ path, message: `there is no ${name}` }]);
}
