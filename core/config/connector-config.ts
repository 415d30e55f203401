/**
 * A connector's configuration: flat text keys, named as Kafka Connect names them where it has them.
 *
 * The runtime's own keys are below; keys under `key.converter.`, `value.converter.`, `transforms.`, `predicates.` belong to
 * those plugins; a direct connector's sink has its keys under `sink.`; all others belong to the connector's plugin.
 */
import { z } from 'zod';
import { ConfigError, type ConfigIssue } from '../errors.ts';
import { booleanKey, enumKey, intKey, listKey, textKey } from './keys.ts';

/** Also how long anybody who does not know a put's own limit must reckon with it; half a claim, so that a put and its commit fit. */
export const PUT_TIMEOUT_MAX_MS = 10_000;

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
  'consumer.override.max.poll.records': intKey({ min: 1, max: 100_000 })
    .default(500)
    .describe('Records of one batch, read and put.'),
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

export type RuntimeConfig = z.output<typeof Runtime>;

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

/** @throws {ConfigError} with every wrong key of the runtime's own. */
export function parseConnectorConfig(config: Readonly<Record<string, string>>): ConnectorConfig {
  const parsed = Runtime.safeParse(config);
  if (!parsed.success) throw new ConfigError(issuesOf(parsed.error, ''));
  const runtime = parsed.data;
  const predicates = new Map(runtime.predicates.map((alias) => [alias, aliased(config, `predicates.${alias}.`)]));
  const transforms = runtime.transforms.map((alias) => transformChoice(config, alias, predicates));
  const sink = runtime['sink.connector.class'];
  return {
    runtime,
    connector: { plugin: runtime['connector.class'], prefix: '', entries: ownEntries(config, sink !== undefined) },
    directSink:
      sink === undefined
        ? null
        : { plugin: sink, prefix: 'sink.', entries: without(below(config, 'sink.'), ['connector.class']) },
    keyConverter: { plugin: runtime['key.converter'], prefix: 'key.converter.', entries: below(config, 'key.converter.') },
    valueConverter: {
      plugin: runtime['value.converter'],
      prefix: 'value.converter.',
      entries: below(config, 'value.converter.'),
    },
    transforms,
    predicates,
  };
}

/** @throws {ConfigError} with every wrong, missing and unknown key of a plugin. */
export function parsePluginConfig<Config extends z.ZodType>(
  schema: Config,
  { prefix, entries, plugin }: PluginChoice,
): z.output<Config> {
  const parsed = schema.safeParse(entries);
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const unknown = Object.keys(entries)
    .filter((key) => !known.includes(key))
    .map((key): ConfigIssue => ({ path: `${prefix}${key}`, message: `is not a key of ${plugin}${knownList(known, prefix)}` }));
  const issues = [...(parsed.success ? [] : issuesOf(parsed.error, prefix)), ...unknown];
  if (!parsed.success || issues.length > 0) throw new ConfigError(issues);
  return parsed.data;
}

function knownList(known: readonly string[], prefix: string): string {
  return known.length === 0 ? ', which has none' : `; it has ${known.map((key) => prefix + key).join(', ')}`;
}

function transformChoice(
  config: Readonly<Record<string, string>>,
  alias: string,
  predicates: ReadonlyMap<string, PluginChoice>,
): TransformChoice {
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

function aliased(config: Readonly<Record<string, string>>, prefix: string): PluginChoice {
  const entries = below(config, prefix);
  const plugin = entries['type'];
  if (plugin === undefined) throw new ConfigError([{ path: `${prefix}type`, message: 'is required' }]);
  return { plugin, prefix, entries: without(entries, ['type']) };
}

function below(config: Readonly<Record<string, string>>, prefix: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [])),
  );
}

function without(entries: Readonly<Record<string, string>>, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).filter(([key]) => !keys.includes(key)));
}

/** What is left for the connector's plugin when everybody else has taken theirs. */
function ownEntries(config: Readonly<Record<string, string>>, direct: boolean): Record<string, string> {
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
