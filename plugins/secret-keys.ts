/**
 * Which keys of a configuration hold what nobody may see: those that a plugin calls passwords. Of a key that no plugin knows, its
 * name must do, for Kafka Connect's configurations bring some along (`producer.override.sasl.jaas.config`); and where the
 * connector's own plugin is not there, nobody knows what any of its keys holds.
 */
import { z } from 'zod';
import { Runtime } from '../core/config/connector-config.ts';
import { keyFacts } from '../core/config/keys.ts';
import type { Plugin, Registry } from './api/registry.ts';

type Config = Readonly<Record<string, string | null>>;

interface Place {
  readonly plugin: Plugin | undefined;
  readonly prefix: string;
}

const SOUNDS_SECRET = /password|passwd|passphrase|secret|token|credential|jaas|authorization|(?:api|access|private)[._-]?key/i;

export function soundsSecret(key: string): boolean {
  return SOUNDS_SECRET.test(key);
}

/** Those of the keys that `config` has. */
export async function secretKeysOf(registry: Registry, config: Config): Promise<ReadonlySet<string>> {
  const places = await placesIn(registry, config);
  const types = new Map(places.flatMap(typesOf));
  const isKnown = places[0]?.plugin !== undefined;
  const secret = Object.keys(config).filter((key) => {
    if (Object.hasOwn(Runtime.shape, key)) return false;
    const type = types.get(key);
    return type === undefined ? !isKnown || soundsSecret(key) : type === 'PASSWORD';
  });
  return new Set(secret);
}

/** The connector's own comes first. */
async function placesIn(registry: Registry, config: Config): Promise<readonly Place[]> {
  const name = nameIn(config, 'connector.class');
  const sink = nameIn(config, 'sink.connector.class');
  return [
    { plugin: (await registry.findSink(name)) ?? (await registry.findSource(name)), prefix: '' },
    ...(sink === '' ? [] : [{ plugin: await registry.findSink(sink), prefix: 'sink.' }]),
    ...(['key', 'value'] as const).map((role) => ({
      plugin: registry.findConverter(nameIn(config, `${role}.converter`)),
      prefix: `${role}.converter.`,
    })),
    ...aliased(config, 'transforms', (type) => registry.findTransform(type)),
    ...aliased(config, 'predicates', (type) => registry.findPredicate(type)),
  ];
}

function aliased(
  config: Config,
  kind: 'transforms' | 'predicates',
  find: (type: string) => Plugin | undefined,
): readonly Place[] {
  return Object.keys(config).flatMap((key) => {
    if (!key.startsWith(`${kind}.`) || !key.endsWith('.type')) return [];
    return [{ plugin: find(nameIn(config, key)), prefix: key.slice(0, -'type'.length) }];
  });
}

function typesOf({ plugin, prefix }: Place): readonly (readonly [key: string, type: string])[] {
  if (!(plugin?.config instanceof z.ZodObject)) return [];
  return Object.entries(plugin.config.shape).map(([key, schema]) => [prefix + key, keyFacts(schema as z.ZodType).type]);
}

function nameIn(config: Config, key: string): string {
  return Object.hasOwn(config, key) ? (config[key] ?? '').trim() : '';
}
