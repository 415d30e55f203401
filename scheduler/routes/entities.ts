/**
 * What the API answers and takes, in the names of Kafka Connect 4.1. Each shape that a route uses has an id, under which the OpenAPI
 * document has it.
 */
import { z } from 'zod';

/** By which direction: what is answered has all of its fields, what is taken may leave out some. */
export const answered = z.registry<{ readonly id: string }>();
export const taken = z.registry<{ readonly id: string }>();

export const ErrorMessage = z.object({ error_code: z.int(), message: z.string() }).register(answered, { id: 'ErrorMessage' });

export const ServerInfo = z
  .object({ version: z.string(), commit: z.string(), kafka_cluster_id: z.string() })
  .register(answered, { id: 'ServerInfo' });

/** https://spec.openapis.org/oas/v3.1.0 has the rest. */
export const OpenApi = z
  .looseObject({ openapi: z.string(), info: z.looseObject({ title: z.string(), version: z.string() }), paths: z.looseObject({}) })
  .register(answered, { id: 'OpenApi' });

export const WorkerStatus = z
  .object({ status: z.enum(['healthy', 'unhealthy']), message: z.string() })
  .register(answered, { id: 'WorkerStatus' });

const Type = z.enum(['source', 'sink', 'unknown']);
const TaskId = z.object({ connector: z.string(), task: z.int().nonnegative() });

export const ConnectorConfig = z.record(z.string(), z.string()).register(answered, { id: 'ConnectorConfig' });

export const ConnectorInfo = z
  .object({ name: z.string(), config: ConnectorConfig, tasks: z.array(TaskId), type: Type })
  .register(answered, { id: 'ConnectorInfo' });

const TASK_STATES = ['UNASSIGNED', 'RUNNING', 'PAUSED', 'FAILED', 'RESTARTING'] as const;

/** Clients read these as text to text. */
const instance = { worker_id: z.string(), trace: z.string().optional(), version: z.string().optional() };

export const TaskState = z
  .object({ id: z.int().nonnegative(), state: z.enum(TASK_STATES), ...instance })
  .register(answered, { id: 'TaskState' });

export const ConnectorStateInfo = z
  .object({
    name: z.string(),
    connector: z.object({ state: z.enum([...TASK_STATES, 'STOPPED']), ...instance }),
    tasks: z.array(TaskState),
    type: Type,
  })
  .register(answered, { id: 'ConnectorStateInfo' });

export const TaskInfos = z.array(z.object({ id: TaskId, config: ConnectorConfig })).register(answered, { id: 'TaskInfos' });

/** Names; with `expand` a map by name. */
export const ConnectorList = z
  .union([
    z.array(z.string()),
    z.record(z.string(), z.object({ info: ConnectorInfo.optional(), status: ConnectorStateInfo.optional() })),
  ])
  .register(answered, { id: 'ConnectorList' });

export const Message = z.object({ message: z.string() }).register(answered, { id: 'Message' });

const offsetPart = z.record(z.string(), z.unknown());

export const ConnectorOffsets = z
  .object({ offsets: z.array(z.object({ partition: offsetPart, offset: offsetPart.nullable() })) })
  .register(answered, { id: 'ConnectorOffsets' });

const PLUGIN_TYPES = ['source', 'sink', 'converter', 'header_converter', 'transformation', 'predicate'] as const;

export const PluginInfos = z
  .array(z.object({ class: z.string(), type: z.enum(PLUGIN_TYPES), version: z.string().optional() }))
  .register(answered, { id: 'PluginInfos' });

const ConfigKeyInfo = z
  .object({
    name: z.string(),
    type: z.enum(['BOOLEAN', 'CLASS', 'DOUBLE', 'INT', 'LIST', 'LONG', 'PASSWORD', 'SHORT', 'STRING']),
    required: z.boolean(),
    default_value: z.string().nullable(),
    importance: z.enum(['HIGH', 'MEDIUM', 'LOW']),
    documentation: z.string(),
    group: z.string(),
    width: z.enum(['NONE', 'SHORT', 'MEDIUM', 'LONG']),
    display_name: z.string(),
    dependents: z.array(z.string()),
    order: z.int(),
  })
  .register(answered, { id: 'ConfigKeyInfo' });

export const ConfigKeyInfos = z.array(ConfigKeyInfo).register(answered, { id: 'ConfigKeyInfos' });

const ConfigValueInfo = z
  .object({
    name: z.string(),
    value: z.string().nullable(),
    recommended_values: z.array(z.string()),
    errors: z.array(z.string()),
    visible: z.boolean(),
  })
  .register(answered, { id: 'ConfigValueInfo' });

export const ConfigInfos = z
  .object({
    name: z.string(),
    error_count: z.int().nonnegative(),
    groups: z.array(z.string()),
    configs: z.array(z.object({ definition: ConfigKeyInfo.nullable(), value: ConfigValueInfo })),
  })
  .register(answered, { id: 'ConfigInfos' });

export const LoggerLevel = z
  .object({ level: z.string(), last_modified: z.int().nullable() })
  .register(answered, { id: 'LoggerLevel' });

export const LoggerLevels = z.record(z.string(), LoggerLevel).register(answered, { id: 'LoggerLevels' });

export const ActiveTopics = z
  .record(z.string(), z.object({ topics: z.array(z.string()) }))
  .register(answered, { id: 'ActiveTopics' });

export const LoggerNames = z.array(z.string()).register(answered, { id: 'LoggerNames' });

// ---------------------------------------------------------------------------------------------------------------------

const scalar = z
  .union([z.string(), z.number(), z.boolean()], { error: 'must be a text, a number, or true or false' })
  .transform(String);

/** Some hundred are usual; each is compared with every plugin's prefixes. */
const KEYS_MAX = 1_000;

const config = z
  .record(z.string(), scalar.nullable())
  .refine((keys) => Object.keys(keys).length <= KEYS_MAX, `must not have more than ${KEYS_MAX} keys`);

/** Values are text; a scalar stands for what it is written as. A `null` is refused, but as what is wrong with its key. */
export const NewConfig = config.clone().register(taken, { id: 'NewConfig' });

/** `null` removes a key. */
export const ConfigPatch = config.clone().register(taken, { id: 'ConfigPatch' });

const INITIAL_STATES = ['RUNNING', 'PAUSED', 'STOPPED'] as const;
const NO_INITIAL_STATE = `must be one of ${INITIAL_STATES.join(', ')}`;

export const CreateConnectorRequest = z
  .strictObject({
    name: z.string().trim(),
    config: NewConfig,
    initial_state: z
      .string(NO_INITIAL_STATE)
      .toUpperCase()
      .pipe(z.enum(INITIAL_STATES, NO_INITIAL_STATE))
      .nullish()
      .describe(`${INITIAL_STATES.join(', ')}, in any case.`),
  })
  .register(taken, { id: 'CreateConnectorRequest' });

/** What partitions and offsets hold depends on whether the connector is a sink or a source. */
export const AlterOffsetsRequest = z
  .strictObject({
    offsets: z.array(z.strictObject({ partition: offsetPart.nullish(), offset: offsetPart.nullish() })).nullish(),
  })
  .register(taken, { id: 'AlterOffsetsRequest' });

export const SetLevelRequest = z.looseObject({ level: scalar.nullish() }).register(taken, { id: 'SetLevelRequest' });
