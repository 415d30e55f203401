/**
 * A connector's configuration: flat text keys, named as Kafka Connect names them where it has them.
 *
 * The runtime's own keys are below; keys under `key.converter.`, `value.converter.`, `transforms.`, `predicates.` belong to
 * those plugins; a direct connector's sink has its keys under `sink.`; all others belong to the connector's plugin.
 */
import { z } from 'zod';
import { ConfigError, type ConfigIssue } from '../errors.ts';
import { PLACEHOLDERS, parseTemplate, type Template } from '../record/template.ts';
import { booleanKey, enumKey, intKey, listKey, textKey } from './keys.ts';
import { hasPlaceholder } from './placeholders.ts';

/** Also how long anybody who does not know a put's own limit must reckon with it; half a claim, so that a put and its commit fit. */
export const PUT_TIMEOUT_MAX_MS = 10_000;

/** Text with parts of a record in it. */
function templateKey() {
  return textKey().transform((text, context): Template => {
    const template = parseTemplate(text);
    if (typeof template !== 'string') return template;
    context.addIssue({ code: 'custom', message: template });
    return z.NEVER;
  });
}

export const Runtime = z.object({
  name: textKey().optional().describe('Name of the connector; must equal the name it is stored under.'),
  'connector.class': textKey().describe('The source or sink, by name.'),
  'tasks.max': intKey({ min: 1, max: 10_000 }).default(1).describe('Invocations of this connector that may run at once.'),
  topics: listKey().default([]).describe('Topics a sink reads.'),
  'key.converter': textKey().default('string').describe('Converter of record keys.'),
  'value.converter': textKey().default('json').describe('Converter of record values.'),
  transforms: listKey().default([]).describe('Aliases of the transforms, in the order they apply.'),
  predicates: listKey().default([]).describe('Aliases of the predicates that transforms refer to.'),
  'errors.tolerance': enumKey(['none', 'all'])
    .default('none')
    .describe('none: a refused record fails its shard. all: it is dead-lettered or dropped.'),
  'errors.log.enable': booleanKey().default(false).describe('Log each refused record: position, stage and error.'),
  'errors.retry.delay.max.ms': intKey({ min: 100, max: 3_600_000 })
    .default(60_000)
    .describe('Longest pause between two attempts of a slice.'),
  'errors.deadletterqueue.topic.name': textKey()
    .optional()
    .describe('Topic that receives refused records of a sink, with errors.tolerance=all.'),
  'errors.deadletterqueue.context.headers.enable': booleanKey()
    .default(false)
    .describe("Also add Kafka Connect's __connect.errors.* headers to dead-lettered records."),
  'auto.restart.max.attempts': intKey({ min: 0, max: 1_000 })
    .default(7)
    .describe('Automatic restarts of a failed shard without progress in between, each after a longer pause (1 to 30 minutes).'),
  'consumer.override.auto.offset.reset': textKey()
    .default('earliest')
    .describe(
      'Where a sink starts in queues that exist when it is created: earliest, latest, or an ISO 8601 time. Queues found later start at their first record.',
    ),
  'consumer.override.group.id': textKey()
    .optional()
    .describe(
      "The consumer group as which the log's own tools show how far a sink has come. Without it: connect- and the connector's name.",
    ),
  'consumer.override.max.poll.records': intKey({ min: 1, max: 100_000 })
    .optional()
    .describe('Records of one batch, read and put. Without it: 500 for a sink, 2000 for a source.'),
  'consumer.override.filter.tags': listKey({ separator: '||' })
    .default([])
    .describe('Tags of the records a sink gets, with || between them; the log leaves out all others. Empty, or *: it gets all.'),
  'consumer.override.filter.sql': textKey()
    .optional()
    .describe(
      'SQL92 expression over tag, key and headers (TAGS, KEYS, and headers by their names): a sink gets the records for which it is true. Brokers of RocketMQ evaluate it, with enablePropertyFilter=true.',
    ),
  'producer.override.tag': templateKey()
    .optional()
    .describe(
      `Tag of the records of a source, by which sinks and consumers can filter. May hold parts of the record: ${PLACEHOLDERS}. A record that lacks one keeps the tag its source gave it.`,
    ),
  'producer.override.keys': templateKey()
    .optional()
    .describe(
      'Words by which tools of RocketMQ find the records of a source, with blanks between (KEYS); parts of the record as in producer.override.tag. Without it: the key of the record.',
    ),
  'producer.override.sharding.key': templateKey()
    .optional()
    .describe(
      'What decides which queue a record of a source goes to: records for which it is the same keep their order. Parts of the record as in producer.override.tag. Without it: the key of the record.',
    ),
  'log.gap.policy': enumKey(['fail', 'skip'])
    .default('fail')
    .describe('When retention removed records before they were read: fail the shard, or go on behind the gap and record it.'),
  'delivery.order': enumKey(['queue', 'none'])
    .default('queue')
    .describe('queue: an append sink gets the records of a queue in order. none: several slices of a queue may run at once.'),
  'queue.slices.max': intKey({ min: 1, max: 8 })
    .default(4)
    .describe('Slices of one queue that may run at once, where order allows several.'),
  'freshness.ms': intKey({ min: 0, max: 3_600_000 })
    .default(0)
    .describe(
      'How old a record may become before an invocation is sent for it. 0: none waits, the end of a queue or source is followed. More: records are collected and moved by short invocations, which costs less where invocations are paid for.',
    ),
  'put.timeout.ms': intKey({ min: 100, max: PUT_TIMEOUT_MAX_MS })
    .default(5_000)
    .describe('How long one put may take before it counts as failed.'),
  'exactly.once.support': enumKey(['requested', 'required'])
    .default('requested')
    .describe('required: refuse a source that cannot publish each record once.'),
  'topic.creation.default.partitions': intKey({ min: 1, max: 1_024 })
    .default(8)
    .describe('Queues of a topic that a source has to create.'),
  'sink.connector.class': textKey()
    .optional()
    .describe(
      'Makes a source a direct connector: the sink plugin that takes its records without a log between. Its keys begin with sink.',
    ),
});

/** With what holds for several keys. */
const CheckedRuntime = Runtime.check(({ value, issues }) => {
  const { 'consumer.override.filter.tags': tags, 'consumer.override.filter.sql': sql } = value;
  if (tags.length === 0 || sql === undefined) return;
  const message = 'cannot be combined with consumer.override.filter.tags';
  issues.push({ code: 'custom', path: ['consumer.override.filter.sql'], message, input: sql });
});

export type RuntimeConfig = z.output<typeof Runtime>;

/**
 * Keys that hold no placeholders: what a scheduler plans by, for it knows no secrets, and what an invocation reads before it has asked
 * for any. Of every other key, the value is checked by the invocation that has resolved it.
 */
export const WRITTEN_OUT: ReadonlySet<string> = new Set<keyof RuntimeConfig>([
  'name',
  'connector.class',
  'sink.connector.class',
  'tasks.max',
  'topics',
  'key.converter',
  'value.converter',
  'transforms',
  'predicates',
  'auto.restart.max.attempts',
  'consumer.override.auto.offset.reset',
  'consumer.override.group.id',
  'delivery.order',
  'queue.slices.max',
  'freshness.ms',
  'exactly.once.support',
]);

/** Keys of Kafka Connect that mean nothing here; accepted, so that configurations can be carried over. */
export const MEANINGLESS = [
  'tasks.max.enforce',
  'config.action.reload',
  'header.converter',
  'errors.retry.timeout',
  'errors.log.include.messages',
];
export const MEANINGLESS_PREFIXES = [
  'producer.override.',
  'consumer.override.',
  'admin.override.',
  'topic.creation.',
  'errors.deadletterqueue.',
  'header.converter.',
];

/** A plugin chosen by a configuration, with its own keys, prefix removed. */
export interface PluginChoice {
  readonly plugin: string;
  /** Prefix of its keys, for messages. */
  readonly prefix: string;
  readonly entries: Readonly<Record<string, string>>;
  /** Those of its keys whose values hold placeholders still. */
  readonly unresolved: readonly string[];
}

export interface TransformChoice extends PluginChoice {
  readonly predicate: string | null;
  readonly negate: boolean;
}

export interface ConnectorConfig {
  readonly runtime: RuntimeConfig;
  readonly connector: PluginChoice;
  /** The sink of a direct connector. */
  readonly directSink: PluginChoice | null;
  readonly keyConverter: PluginChoice;
  readonly valueConverter: PluginChoice;
  readonly transforms: readonly TransformChoice[];
  readonly predicates: ReadonlyMap<string, PluginChoice>;
}

type Entries = Readonly<Record<string, string>>;

/** Of a configuration as it is stored, with its placeholders. @throws {ConfigError} with every wrong key of the runtime's own. */
export function parseConnectorConfig(config: Entries): ConnectorConfig {
  return choicesOf(config, parseRuntime(config, keysWithPlaceholders(config)), keysWithPlaceholders);
}

/** Of one in which every placeholder was replaced: what looks like one now is text. @throws {ConfigError} as above. */
export function parseResolvedConfig(config: Entries): ConnectorConfig {
  return choicesOf(config, parseRuntime(config, []), () => []);
}

function keysWithPlaceholders(entries: Entries): readonly string[] {
  return Object.keys(entries).filter((key) => hasPlaceholder(entries[key] ?? ''));
}

/** Keys that are unresolved have their defaults, which nobody acts upon who does not resolve them. */
function parseRuntime(config: Entries, unresolved: readonly string[]): RuntimeConfig {
  const parsed = CheckedRuntime.safeParse(without(config, unresolved));
  const wrong = parsed.success ? [] : issuesOf(parsed.error, '').filter(({ path }) => !unresolved.includes(path));
  const message = 'must be written out: only invocations know what a placeholder stands for, and this is read before';
  const refused = unresolved.filter((key) => WRITTEN_OUT.has(key)).map((path) => ({ path, message }));
  if (!parsed.success || refused.length > 0) throw new ConfigError([...wrong, ...refused]);
  return parsed.data;
}

function choicesOf(
  config: Entries,
  runtime: RuntimeConfig,
  unresolvedIn: (entries: Entries) => readonly string[],
): ConnectorConfig {
  const chosen = (choice: Omit<PluginChoice, 'unresolved'>): PluginChoice => ({
    ...choice,
    unresolved: unresolvedIn(choice.entries),
  });
  const predicates = new Map(runtime.predicates.map((alias) => [alias, chosen(aliased(config, `predicates.${alias}.`))]));
  const transforms = runtime.transforms.map((alias) => {
    const { predicate, negate, ...choice } = transformChoice(config, alias, predicates);
    return { ...chosen(choice), predicate, negate };
  });
  const sink = runtime['sink.connector.class'];
  const converter = (role: 'key' | 'value'): PluginChoice =>
    chosen({ plugin: runtime[`${role}.converter`], prefix: `${role}.converter.`, entries: below(config, `${role}.converter.`) });
  return {
    runtime,
    connector: chosen({ plugin: runtime['connector.class'], prefix: '', entries: ownEntries(config, sink !== undefined) }),
    directSink:
      sink === undefined
        ? null
        : chosen({ plugin: sink, prefix: 'sink.', entries: without(below(config, 'sink.'), ['connector.class']) }),
    keyConverter: converter('key'),
    valueConverter: converter('value'),
    transforms,
    predicates,
  };
}

/**
 * `null`: as far as it is known it is right, but some keys are unresolved.
 *
 * @throws {ConfigError} with every wrong, missing and unknown key of a plugin.
 */
export function parsePluginConfig<Config extends z.ZodType>(
  schema: Config,
  { prefix, entries, plugin, unresolved }: PluginChoice,
): z.output<Config> | null {
  const parsed = resolvedPartOf(schema, unresolved).safeParse(without(entries, unresolved));
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const unknown = Object.keys(entries)
    .filter((key) => !known.includes(key))
    .map((key): ConfigIssue => ({ path: `${prefix}${key}`, message: `is not a key of ${plugin}${knownList(known, prefix)}` }));
  const issues = [...(parsed.success ? [] : issuesOf(parsed.error, prefix)), ...unknown];
  if (!parsed.success || issues.length > 0) throw new ConfigError(issues);
  return unresolved.length === 0 ? (parsed.data as z.output<Config>) : null;
}

/** Without the rules about several keys, one of which may be unresolved. */
function resolvedPartOf(schema: z.ZodType, unresolved: readonly string[]): z.ZodType {
  if (unresolved.length === 0 || !(schema instanceof z.ZodObject)) return schema;
  return z.object(Object.fromEntries(Object.entries(schema.shape).filter(([key]) => !unresolved.includes(key))));
}

function knownList(known: readonly string[], prefix: string): string {
  return known.length === 0 ? ', which has none' : `; it has ${known.map((key) => prefix + key).join(', ')}`;
}

function transformChoice(
  config: Entries,
  alias: string,
  predicates: ReadonlyMap<string, PluginChoice>,
): Omit<TransformChoice, 'unresolved'> {
  const choice = aliased(config, `transforms.${alias}.`);
  const { predicate = null, negate = 'false' } = choice.entries;
  if (predicate !== null && !predicates.has(predicate)) {
    throw new ConfigError([
      { path: `transforms.${alias}.predicate`, message: `names ${predicate}, which predicates does not list` },
    ]);
  }
  return {
    ...choice,
    entries: without(choice.entries, ['predicate', 'negate']),
    predicate,
    negate: negate.toLowerCase() === 'true',
  };
}

function aliased(config: Entries, prefix: string): Omit<PluginChoice, 'unresolved'> {
  const entries = below(config, prefix);
  const plugin = entries['type'];
  if (plugin === undefined) throw new ConfigError([{ path: `${prefix}type`, message: 'is required' }]);
  return { plugin, prefix, entries: without(entries, ['type']) };
}

function below(config: Entries, prefix: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [])),
  );
}

function without(entries: Entries, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).filter(([key]) => !keys.includes(key)));
}

/** What is left for the connector's plugin when everybody else has taken theirs. */
function ownEntries(config: Entries, direct: boolean): Record<string, string> {
  const prefixes = [
    'key.converter.',
    'value.converter.',
    'transforms.',
    'predicates.',
    ...MEANINGLESS_PREFIXES,
    ...(direct ? ['sink.'] : []),
  ];
  const taken = ([key]: [string, string]) =>
    Object.hasOwn(Runtime.shape, key) || MEANINGLESS.includes(key) || prefixes.some((prefix) => key.startsWith(prefix));
  return Object.fromEntries(Object.entries(config).filter((entry) => !taken(entry)));
}

function issuesOf(error: z.ZodError, prefix: string): ConfigIssue[] {
  return error.issues.map(({ path, message, code, ...issue }) => ({
    path: `${prefix}${path.join('.')}`,
    message: code === 'invalid_type' && !('input' in issue && issue.input !== undefined) ? 'is required' : message,
  }));
}
