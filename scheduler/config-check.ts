/** What a connector's configuration could hold, what it holds, and what is wrong with each key of it. */

import { Runtime } from '../core/config/connector-config.ts';
import { HIDDEN } from '../core/config/hidden.ts';
import type { ConfigIssue } from '../core/errors.ts';
import type { LogBroker } from '../core/ports.ts';
import type { Plugin, Registry } from '../plugins/api/registry.ts';
import { configProblems } from '../plugins/config-problems.ts';
import { soundsSecret } from '../plugins/secret-keys.ts';
import {
  aliasGroup,
  aliasKeys,
  type ConfigKey,
  type OfferedKey,
  type PluginNames,
  pluginKeys,
  runtimeKeys,
} from './config-keys.ts';
import { logProblems } from './log-problems.ts';

/** As sent; a `null` is wrong. */
export type SentConfig = Readonly<Record<string, string | null>>;

interface ConfigValue {
  readonly name: string;
  readonly value: string | null;
  readonly recommended_values: readonly string[];
  readonly errors: readonly string[];
  readonly visible: boolean;
}

/** Kafka Connect's `ConfigInfos`, names of fields included. A key that is not known has no definition. */
export interface ConfigCheck {
  readonly name: string;
  readonly error_count: number;
  readonly groups: readonly string[];
  readonly configs: readonly { readonly definition: ConfigKey | null; readonly value: ConfigValue }[];
}

const ALIAS_LISTS = ['transforms', 'predicates'] as const;

/** Each adds some ten keys to what a form shows; nobody has so many. */
const ALIASES_MAX = 100;

const NULL_VALUE = 'Null value can not be supplied as the configuration value.';

/** What a configuration is checked with. */
interface CheckDeps {
  readonly registry: Registry;
  readonly broker: Pick<LogBroker, 'topicProblem' | 'filterProblem'>;
}

/** In the order of what they are about; nulls first. */
export async function problemsOf({ registry, broker }: CheckDeps, sent: SentConfig): Promise<readonly ConfigIssue[]> {
  const nulls = Object.keys(sent).filter((key) => sent[key] === null);
  const config = Object.fromEntries(Object.entries(sent).filter((entry): entry is [string, string] => entry[1] !== null));
  const crowded = crowdedLists(sent);
  const others = crowded.length > 0 ? crowded : await configProblems(registry, config);
  // That it is missing says the same once more.
  const wrong = [...others.filter(({ path }) => sent[path] !== null), ...(await logProblems(broker, sent))];
  return [...nulls.map((path) => ({ path, message: NULL_VALUE })), ...wrong];
}

/** What each of them means is looked up among all keys. */
function crowdedLists(sent: SentConfig): readonly ConfigIssue[] {
  const lists = ALIAS_LISTS.filter((key) => listOf(sent, key).length > ALIASES_MAX);
  return lists.map((path) => ({ path, message: `must not have more than ${ALIASES_MAX} aliases` }));
}

export async function checkConfig(
  { registry, broker, plugins }: CheckDeps & { readonly plugins: readonly Plugin[] },
  sent: SentConfig,
): Promise<ConfigCheck> {
  const problems = await problemsOf({ registry, broker }, sent);
  const keys = await keysFor({ registry, plugins }, sent);
  const known = new Set(keys.map(({ key }) => key.name));
  const unknown = [...new Set(problems.map(({ path }) => path))].filter((path) => !known.has(path));
  const errorsOf = (name: string) => problems.filter(({ path }) => path === name).map(({ message }) => message);
  return {
    name: sent['connector.class'] ?? '',
    error_count: problems.length,
    groups: [...new Set(keys.map(({ key }) => key.group))],
    configs: [
      ...keys.map(({ key, values }) => ({
        definition: key,
        value: checkedValue(key, { sent, values, errors: errorsOf(key.name) }),
      })),
      ...unknown.map((name) => ({
        definition: null,
        value: {
          name,
          value: shownUnknown(name, sent[name] ?? null),
          recommended_values: [],
          errors: errorsOf(name),
          visible: true,
        },
      })),
    ],
  };
}

export function namesOf(plugins: readonly Plugin[]): PluginNames {
  const ofKinds = (...kinds: readonly Plugin['kind'][]) =>
    plugins
      .filter(({ kind }) => kinds.includes(kind))
      .map(({ name }) => name)
      .sort();
  return {
    connectors: ofKinds('sink', 'source'),
    sinks: ofKinds('sink'),
    converters: ofKinds('converter'),
    transforms: ofKinds('transform'),
    predicates: ofKinds('predicate'),
  };
}

// ---------------------------------------------------------------------------------------------------------------------

function checkedValue(
  { name, type, default_value: byDefault }: ConfigKey,
  { sent, values, errors }: { readonly sent: SentConfig; readonly values: readonly string[]; readonly errors: readonly string[] },
): ConfigValue {
  const value = sent[name] ?? byDefault;
  return {
    name,
    value: value !== null && type === 'PASSWORD' ? HIDDEN : value,
    recommended_values: values,
    errors,
    visible: true,
  };
}

function shownUnknown(name: string, value: string | null): string | null {
  return value !== null && soundsSecret(name) ? HIDDEN : value;
}

/** The runtime's, then those of whatever the configuration chooses. Of two keys with one name the plugin's counts. */
async function keysFor(
  { registry, plugins }: { readonly registry: Registry; readonly plugins: readonly Plugin[] },
  sent: SentConfig,
): Promise<readonly OfferedKey[]> {
  const names = namesOf(plugins);
  const predicates = listOf(sent, 'predicates').slice(0, ALIASES_MAX);
  const sink = sent['sink.connector.class'];
  const keys = [
    ...runtimeKeys(names),
    ...listOf(sent, 'transforms')
      .slice(0, ALIASES_MAX)
      .flatMap((alias) => [
        ...aliasKeys('transforms', alias, names, { predicates }),
        ...keysOfChoice(registry.findTransform(sent[`transforms.${alias}.type`] ?? ''), {
          prefix: `transforms.${alias}.`,
          group: aliasGroup('transforms', alias),
        }),
      ]),
    ...predicates.flatMap((alias) => [
      ...aliasKeys('predicates', alias, names),
      ...keysOfChoice(registry.findPredicate(sent[`predicates.${alias}.type`] ?? ''), {
        prefix: `predicates.${alias}.`,
        group: aliasGroup('predicates', alias),
      }),
    ]),
    ...converterKeys(registry, sent, 'key'),
    ...converterKeys(registry, sent, 'value'),
    ...keysOfChoice(await findConnector(registry, sent['connector.class'] ?? ''), {}),
    ...(sink === undefined || sink === null ? [] : keysOfChoice(await registry.findSink(sink), { prefix: 'sink.' })),
  ];
  return [...new Map(keys.map((offered) => [offered.key.name, offered])).values()];
}

export async function findConnector(registry: Registry, name: string): Promise<Plugin | undefined> {
  return (await registry.findSink(name)) ?? (await registry.findSource(name));
}

function converterKeys(registry: Registry, sent: SentConfig, role: 'key' | 'value'): readonly OfferedKey[] {
  const plugin = registry.findConverter(sent[`${role}.converter`] ?? Runtime.shape[`${role}.converter`].parse(undefined));
  return keysOfChoice(plugin, { prefix: `${role}.converter.`, group: role === 'key' ? 'Key Converter' : 'Value Converter' });
}

function keysOfChoice(plugin: Plugin | undefined, place: Parameters<typeof pluginKeys>[1]): readonly OfferedKey[] {
  return plugin === undefined ? [] : pluginKeys(plugin, place);
}

function listOf(sent: SentConfig, key: (typeof ALIAS_LISTS)[number]): readonly string[] {
  const items = (sent[key] ?? '').split(',').map((item) => item.trim());
  return [...new Set(items)].filter((item) => item !== '');
}
