import { z } from 'zod';
import { assert } from '../../core/assert.ts';
import { MEANINGLESS, MEANINGLESS_PREFIXES, Runtime, WRITTEN_OUT } from '../../core/config/connector-config.ts';
import type { Plugin } from '../../plugins/api/registry.ts';
import { type OfferedKey, type PluginNames, pluginKeys, runtimeKeys } from '../../scheduler/config-keys.ts';
import { code, generatedFrom, page, table } from './markdown.ts';

const INTRODUCTION = `A connector is configured by a flat map of text to text, with Kafka Connect's names where it has one for the same thing. Each key belongs to one
reader:

- the keys of the first table, to the runtime;
- \`key.converter.*\` and \`value.converter.*\`, to the two converters;
- \`transforms.<alias>.*\`, to the transform that \`transforms\` lists under that alias. \`type\` names its plugin; \`predicate\` names the alias of a predicate
  that must hold for it to apply, and \`negate\` (\`true\` or \`false\`, the default) turns that around;
- \`predicates.<alias>.*\`, to the predicate that \`predicates\` lists under that alias. \`type\` names its plugin;
- \`sink.*\`, to the sink of a direct connector, which is a source with \`sink.connector.class\`;
- everything else, to the plugin that \`connector.class\` names.

A key that its plugin does not know is refused, and so is a value that the tables do not allow: by the HTTP API, which names all of them at once. Every value
is a text; a list has commas between its items. Where a configuration is only checked, the answer has \`[hidden]\` for a password.

## Secrets

A value, or a part of one, may be a placeholder, as with Kafka's configuration providers:

- \`\${env:NAME}\`, an environment variable of the host;
- \`\${file:/path/of.properties:key}\`, a key of a properties file;
- \`\${dir:/path:file}\`, a whole file, as Docker and Kubernetes mount secrets.

Only invocations resolve them, and only those that the operator of the host allows with \`secrets.env\` and \`secrets.folders\`
([worker-settings.md](worker-settings.md)): without these, none.
The configuration is stored and shown with its placeholders. What they stand for is stored nowhere, and is replaced by \`[hidden]\` in whatever an
invocation tells: errors, log lines, dead letters. The check of such a value comes with the invocation, too; what does not pass it, and what is refused or
missing, fails the shard, with the key and the placeholder. A value that has changed is noticed within a minute, by the next invocation that begins, or at
once when the connector is changed. While the place of a value does not answer, a host that has the value goes on with it, and its log says so.
Unlike Kafka, which leaves a placeholder as it is where it finds no value, nothing runs without one; a text whose provider
is none of the three is no placeholder. What a source finds becomes the name of a shard, which is stored and shown: a path or a table is no secret.

A scheduler plans without secrets, so these keys hold no placeholders: ${[...WRITTEN_OUT].map(code).join(', ')}.`;

/** The tables say what a key is, not what else there is. */
const NO_NAMES: PluginNames = { connectors: [], sinks: [], converters: [], transforms: [], predicates: [] };

const kinds: readonly { readonly kind: Plugin['kind']; readonly title: string; readonly keys: string }[] = [
  { kind: 'source', title: 'Sources', keys: 'Keys without a prefix.' },
  { kind: 'sink', title: 'Sinks', keys: 'Keys without a prefix; below `sink.` in a direct connector.' },
  { kind: 'converter', title: 'Converters', keys: 'Keys below `key.converter.` and `value.converter.`.' },
  { kind: 'transform', title: 'Transforms', keys: 'Keys below `transforms.<alias>.`.' },
  { kind: 'predicate', title: 'Predicates', keys: 'Keys below `predicates.<alias>.`.' },
];

export function configurationPage(plugins: readonly Plugin[]): string {
  const sections = kinds.flatMap(({ kind, title, keys }) => [
    `## ${title}`,
    keys,
    ...pluginSections(plugins.filter((plugin) => plugin.kind === kind)),
  ]);
  return page([
    '# Configuration',
    generatedFrom('core/config/connector-config.ts and the plugins'),
    INTRODUCTION,
    '## Runtime',
    keyTable(Runtime, runtimeKeys(NO_NAMES)),
    `Accepted without effect, so that a configuration of Kafka Connect can be brought along, unless the table above has them: ${meaningless()}.`,
    ...sections,
  ]);
}

function meaningless(): string {
  return [...MEANINGLESS, ...MEANINGLESS_PREFIXES.map((prefix) => `${prefix}*`)].map(code).join(', ');
}

/** Plugins that share a schema share a section, as those for keys and for values of a record do. */
function pluginSections(plugins: readonly Plugin[]): readonly string[] {
  return [...Map.groupBy(plugins, ({ config }) => config)].flatMap(([config, sharing]) => [
    `### ${sharing.map(({ name }) => code(name)).join(', ')}`,
    ...sharing.map(facts).filter((text) => text !== ''),
    keyTable(config, pluginKeys({ name: '', config })),
  ]);
}

function facts(plugin: Plugin): string {
  if (plugin.kind === 'sink') return `Version ${plugin.version}, effect ${code(plugin.effect)}.`;
  if (plugin.kind === 'source')
    return `Version ${plugin.version}, delivers ${plugin.exactlyOnce ? 'exactly once' : 'at least once'}.`;
  const { name, aliases } = plugin;
  return aliases.length === 0 ? '' : `${code(name)} is also named ${aliases.map(code).join(', ')}.`;
}

export function keyTable(schema: z.ZodType, offered: readonly OfferedKey[]): string {
  assert(schema instanceof z.ZodObject, 'a configuration is a map of keys');
  const facts = new Map(offered.map(({ key }) => [key.name, key]));
  const rows = Object.entries(schema.shape).map(([name, type]) => {
    const { type: kind = '', importance = '' } = facts.get(name) ?? {};
    return [code(name), typeName(kind), valuesOf(type), defaultOf(type), importance.toLowerCase(), type.description ?? ''];
  });
  if (rows.length === 0) return 'It has no keys of its own.';
  return table(['key', 'type', 'values', 'default', 'importance', 'what it does'], rows);
}

export function typeName(type: string): string {
  return type === 'PASSWORD' ? 'password, masked' : type.toLowerCase();
}

/**
 * Where not every text of its type is taken. A key reads text and says what it takes only when it refuses some, so it is asked with
 * the one that most of them refuse.
 */
export function valuesOf(type: z.ZodType): string {
  const message = type.safeParse('').error?.issues[0]?.message ?? '';
  const takes = /^must be (?:one of |a whole number from )?(.*), not ""$/.exec(message);
  return takes?.[1] ?? '';
}

export function defaultOf(type: z.ZodType): string {
  const answer = type.safeParse(undefined);
  if (!answer.success) return 'required';
  const value: unknown = answer.data;
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return '';
  return code(String(value));
}
