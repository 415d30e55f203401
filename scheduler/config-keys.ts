/**
 * The keys of configurations as Kafka Connect's API describes them: of what type they are, what they are for, and in which group and
 * order a form shows them.
 */

import { z } from 'zod';
import { assert } from '../core/assert.ts';
import { type ConnectorConfig, Runtime } from '../core/config/connector-config.ts';
import { HIDDEN } from '../core/config/hidden.ts';
import { keyFacts } from '../core/config/keys.ts';

/** Kafka Connect's `ConfigKeyInfo`, names of fields included. */
export interface ConfigKey {
  readonly name: string;
  readonly type: 'BOOLEAN' | 'CLASS' | 'INT' | 'LIST' | 'PASSWORD' | 'STRING';
  readonly required: boolean;
  readonly default_value: string | null;
  readonly importance: 'HIGH' | 'MEDIUM' | 'LOW';
  readonly documentation: string;
  readonly group: string;
  readonly width: 'SHORT' | 'MEDIUM' | 'LONG';
  readonly display_name: string;
  readonly dependents: readonly string[];
  readonly order: number;
}

/** A key, and values that a form may offer. */
export interface OfferedKey {
  readonly key: ConfigKey;
  readonly values: readonly string[];
}

/** Names of plugins by what they are for. */
export interface PluginNames {
  readonly connectors: readonly string[];
  readonly sinks: readonly string[];
  readonly converters: readonly string[];
  readonly transforms: readonly string[];
  readonly predicates: readonly string[];
}

const GROUPS: readonly (readonly [group: string, keys: RegExp])[] = [
  ['Common', /^(name|connector\.class|tasks\.max|topics|(key|value)\.converter|sink\.connector\.class)$/],
  ['Transforms', /^transforms$/],
  ['Predicates', /^predicates$/],
  ['Error Handling', /^(errors|auto\.restart)\./],
  ['Exactly Once Support', /^exactly\.once\./],
  ['Topic Creation', /^topic\.creation\./],
  ['Delivery', /^/],
];

/** The runtime's own, by group. */
export function runtimeKeys(names: PluginNames): readonly OfferedKey[] {
  const keys = Object.entries(Runtime.shape);
  const ofGroup = (group: string) => keys.filter(([name]) => groupOf(name) === group);
  return GROUPS.flatMap(([group]) => keysOf(ofGroup(group), { group, importance: group === 'Common' ? 'HIGH' : 'LOW' })).map(
    (offered) => namingPlugin(offered, pluginsFor(offered.key.name, names)),
  );
}

/** A plugin's own, whose names begin with `prefix` where a connector's configuration has them. */
export function pluginKeys(
  { name, config }: { readonly name: string; readonly config: z.ZodType },
  { prefix = '', group = name }: { readonly prefix?: string; readonly group?: string } = {},
): readonly OfferedKey[] {
  assert(config instanceof z.ZodObject, 'a configuration is a map of keys');
  const entries = Object.entries(config.shape).map(([key, schema]): [string, z.ZodType] => [prefix + key, schema as z.ZodType]);
  return keysOf(entries, { group, importance: 'MEDIUM' });
}

const TYPE = z.string().describe('The plugin, by name or by class in Kafka Connect.');
const PREDICATE = z.string().optional().describe('Alias of the predicate that says to which records it applies.');
const NEGATE = z.string().default('false').describe('true: it applies to the others.');

/** Which plugin an alias in `transforms` or `predicates` stands for, and when a transform applies. */
export function aliasKeys(
  kind: 'transforms' | 'predicates',
  alias: string,
  names: PluginNames,
  { predicates = [] }: { readonly predicates?: readonly string[] } = {},
): readonly OfferedKey[] {
  const prefix = `${kind}.${alias}.`;
  const group = aliasGroup(kind, alias);
  const conditions: [string, z.ZodType][] = [
    [`${prefix}predicate`, PREDICATE],
    [`${prefix}negate`, NEGATE],
  ];
  const [type, predicate, negate] = keysOf([[`${prefix}type`, TYPE], ...conditions], { group, importance: 'HIGH' }) as [
    OfferedKey,
    OfferedKey,
    OfferedKey,
  ];
  const chosen = namingPlugin(type, names[kind]);
  if (kind === 'predicates') return [chosen];
  return [chosen, { ...predicate, values: predicates }, { key: { ...negate.key, type: 'BOOLEAN' }, values: ['true', 'false'] }];
}

export function aliasGroup(kind: 'transforms' | 'predicates', alias: string): string {
  return `${kind === 'transforms' ? 'Transforms' : 'Predicates'}: ${alias}`;
}

// ---------------------------------------------------------------------------------------------------------------------

function groupOf(key: string): string {
  return (GROUPS.find(([, keys]) => keys.test(key)) as (typeof GROUPS)[number])[0];
}

function keysOf(
  entries: readonly (readonly [string, z.ZodType])[],
  { group, importance }: { readonly group: string; readonly importance: ConfigKey['importance'] },
): readonly OfferedKey[] {
  return entries.map(([name, schema], index) => {
    const { type, words } = keyFacts(schema);
    const absent = schema.safeParse(undefined);
    const value = absent.success ? textOf(absent.data) : null;
    const key: ConfigKey = {
      name,
      type,
      required: !absent.success,
      default_value: value !== null && type === 'PASSWORD' ? HIDDEN : value,
      importance: absent.success ? importance : 'HIGH',
      documentation: schema.description ?? '',
      group,
      width: type === 'BOOLEAN' || type === 'INT' ? 'SHORT' : 'MEDIUM',
      display_name: name,
      dependents: [],
      order: index + 1,
    };
    return { key, values: words };
  });
}

/** As a configuration would write it. */
function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return Array.isArray(value) ? value.join(',') : String(value);
}

function pluginsFor(key: string, names: PluginNames): readonly string[] | null {
  const choices: Partial<Record<keyof ConnectorConfig['runtime'], readonly string[]>> = {
    'connector.class': names.connectors,
    'sink.connector.class': names.sinks,
    'key.converter': names.converters,
    'value.converter': names.converters,
  };
  return choices[key as keyof typeof choices] ?? null;
}

function namingPlugin({ key, values }: OfferedKey, plugins: readonly string[] | null): OfferedKey {
  return plugins === null ? { key, values } : { key: { ...key, type: 'CLASS', width: 'LONG' }, values: plugins };
}
