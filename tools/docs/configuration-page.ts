import { z } from 'zod';
import { assert } from '../../core/assert.ts';
import { MEANINGLESS, MEANINGLESS_PREFIXES, Runtime } from '../../core/config/connector-config.ts';
import type { Plugin } from '../../plugins/registry.ts';
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

A key that its plugin does not know is refused, and so is a value that the tables do not allow. For now this happens when an invocation opens the
connector, and fails the shard with \`config.invalid\`: there is no API yet that could refuse the request.`;

const NOT_YET =
  '`name`, `topics` and `tasks.max` are checked and then ignored: the part of the scheduler that will act on them is not written yet.';

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
    keyTable(Runtime),
    NOT_YET,
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
    keyTable(config),
  ]);
}

function facts(plugin: Plugin): string {
  if (plugin.kind === 'sink') return `Version ${plugin.version}, effect ${code(plugin.effect)}.`;
  if (plugin.kind === 'source')
    return `Version ${plugin.version}, delivers ${plugin.exactlyOnce ? 'exactly once' : 'at least once'}.`;
  const { name, aliases } = plugin;
  return aliases.length === 0 ? '' : `${code(name)} is also named ${aliases.map(code).join(', ')}.`;
}

export function keyTable(schema: z.ZodType): string {
  assert(schema instanceof z.ZodObject, 'a configuration is a map of keys');
  const rows = Object.entries(schema.shape).map(([key, type]) => [
    code(key),
    valuesOf(type),
    defaultOf(type),
    type.description ?? '',
  ]);
  return rows.length === 0 ? 'It has no keys of its own.' : table(['key', 'values', 'default', 'what it does'], rows);
}

/** A key reads text and says what it takes only when it refuses some, so it is asked with the one that most of them refuse. */
function valuesOf(type: z.ZodType): string {
  const answer = type.safeParse('');
  if (answer.success) return Array.isArray(answer.data) ? 'comma-separated' : 'text';
  const takes = /^must be (?:one of |a whole number from )?(.*), not ""$/.exec(answer.error.issues[0]?.message ?? '');
  return takes?.[1] ?? 'text';
}

function defaultOf(type: z.ZodType): string {
  const answer = type.safeParse(undefined);
  if (!answer.success) return 'required';
  const value: unknown = answer.data;
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return '';
  return code(String(value));
}
