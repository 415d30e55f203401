/**
 * Every plugin by name. Sources and sinks are loaded when first used, so that a host imports only the drivers it needs;
 * bundlers see each import.
 */
import type { ConverterPlugin } from './api/converter.ts';
import type { PredicatePlugin } from './api/predicate.ts';
import type { Plugin, Registry } from './api/registry.ts';
import type { SinkPlugin } from './api/sink.ts';
import type { SourcePlugin } from './api/source.ts';
import type { TransformPlugin } from './api/transform.ts';
import { byteArrayConverter } from './converters/byte-array-converter.ts';
import { jsonConverter } from './converters/json-converter.ts';
import { stringConverter } from './converters/string-converter.ts';
import { hasHeaderKey } from './predicates/has-header-key.ts';
import { recordIsTombstone } from './predicates/record-is-tombstone.ts';
import { topicNameMatches } from './predicates/topic-name-matches.ts';
import { filter } from './transforms/filter.ts';
import { headerFromKey, headerFromValue } from './transforms/header-from.ts';
import { insertFieldKey, insertFieldValue } from './transforms/insert-field.ts';
import { replaceFieldKey, replaceFieldValue } from './transforms/replace-field.ts';

const sinks: Readonly<Record<string, () => Promise<SinkPlugin>>> = {
  'file-sink': once(async () => (await import('./sinks/file-sink.ts')).fileSink),
  'file-stream-sink': once(async () => (await import('./sinks/file-stream-sink.ts')).fileStreamSink),
  'discard-sink': once(async () => (await import('./sinks/discard-sink.ts')).discardSink),
  'http-sink': once(async () => (await import('./sinks/http-sink.ts')).httpSink),
  'rocketmq-sink': once(async () => (await import('./sinks/rocketmq-sink.ts')).rocketmqSink),
  'sql-sink': once(async () => (await import('./sinks/sql-sink.ts')).sqlSink),
};

const sources: Readonly<Record<string, () => Promise<SourcePlugin>>> = {
  'file-source': once(async () => (await import('./sources/file-source.ts')).fileSource),
  'datagen-source': once(async () => (await import('./sources/datagen-source.ts')).datagenSource),
  'mysql-cdc-source': once(async () => (await import('./sources/mysql-cdc-source.ts')).mysqlCdcSource),
  'rocketmq-source': once(async () => (await import('./sources/rocketmq-source.ts')).rocketmqSource),
  'sqlite-cdc-source': once(async () => (await import('./sources/sqlite-cdc-source.ts')).sqliteCdcSource),
};

const converters = byName<ConverterPlugin>([jsonConverter, stringConverter, byteArrayConverter]);
const transforms = byName<TransformPlugin>([
  filter,
  headerFromKey,
  headerFromValue,
  insertFieldKey,
  insertFieldValue,
  replaceFieldKey,
  replaceFieldValue,
]);
const predicates = byName<PredicatePlugin>([hasHeaderKey, recordIsTombstone, topicNameMatches]);

export const registry: Registry = {
  findSink: async (name) => (Object.hasOwn(sinks, name) ? sinks[name]?.() : undefined),
  findSource: async (name) => (Object.hasOwn(sources, name) ? sources[name]?.() : undefined),
  findConverter: (name) => converters.get(name),
  findTransform: (name) => transforms.get(name),
  findPredicate: (name) => predicates.get(name),
};

/** Every plugin there is, each once. Loads all of their drivers. */
export async function allPlugins(): Promise<readonly Plugin[]> {
  const loaded = [...Object.values(sinks), ...Object.values(sources)].map((load) => load());
  const named = [converters, transforms, predicates].flatMap((plugins): Plugin[] => [...plugins.values()]);
  return [...new Set([...(await Promise.all(loaded)), ...named])];
}

function byName<Plugin extends { readonly name: string; readonly aliases: readonly string[] }>(
  plugins: readonly Plugin[],
): ReadonlyMap<string, Plugin> {
  return new Map(plugins.flatMap((plugin) => [plugin.name, ...plugin.aliases].map((name) => [name, plugin])));
}

/** An import, even of what is loaded, costs more than all that a configuration is looked up for. One that failed is tried again. */
function once<Loaded>(load: () => Promise<Loaded>): () => Promise<Loaded> {
  let loaded: Loaded | undefined;
  return async () => {
    loaded ??= await load();
    return loaded;
  };
}
