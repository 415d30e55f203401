/**
 * What an operator may set of `sortie start`. Every setting has one name in three spellings, made from the key here:
 *
 *     slice.target.ms        in a file
 *     SORTIE_SLICE_TARGET_MS in the environment
 *     --slice-target-ms      on the command line
 *
 * `docs/worker-settings.md` is made from this.
 */
import { z } from 'zod';
import { booleanKey, enumKey, intKey, listKey, textKey } from '../core/config/keys.ts';
import { rocketmqKeys } from '../core/config/rocketmq-keys.ts';
import type { LogLevel } from '../core/ports.ts';
import { invokerNames } from './invoker-names.ts';

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[];

/** Where topics are. */
const BROKERS = ['embedded', 'rocketmq'] as const;

/** Before each key of `core/config/rocketmq-keys.ts`. */
export const ROCKETMQ_PREFIX = 'rocketmq.';

type Behind<Prefix extends string, Keys> = { readonly [Key in keyof Keys & string as `${Prefix}${Key}`]: Keys[Key] };

function behind<const Prefix extends string, Keys extends object>(prefix: Prefix, keys: Keys): Behind<Prefix, Keys> {
  return Object.fromEntries(Object.entries(keys).map(([key, type]) => [prefix + key, type])) as Behind<Prefix, Keys>;
}

/** The scheduler's own are the defaults of `scheduler/settings.ts`. */
export const WorkerSettings = z.object({
  data: textKey().default('sortie-data').describe('Folder for state and the embedded log; made if it is missing.'),
  host: textKey()
    .default('127.0.0.1')
    .describe('Address of the HTTP API. Any but one of this machine alone needs keys.file; 0.0.0.0 and :: stand for all.'),
  port: intKey({ min: 0, max: 65_535 }).default(8_083).describe('Port of the HTTP API. 0: any that is free.'),
  'keys.file': textKey()
    .default('')
    .describe('File of API keys, made by `sortie new-key`. Empty: whoever reaches the API may do everything.'),
  'tls.certificate': textKey()
    .default('')
    .describe('PEM file of the certificate of the HTTP API, with those between it and the authority. Empty: no TLS.'),
  'tls.key': textKey().default('').describe('PEM file of the key of that certificate.'),
  invoker: enumKey(invokerNames)
    .default('threads')
    .describe('What invocations run in: threads of this process, child processes, or this process itself.'),
  'log.level': enumKey(LOG_LEVELS).default('info').describe('The least that is logged.'),
  json: booleanKey().default(false).describe('Log lines are JSON objects, and so is the line that says where the API is.'),
  'secrets.env': listKey()
    .default([])
    .describe('Environment variables that connectors may name as ${env:NAME}; DB_* allows all that begin with DB_. Empty: none.'),
  'secrets.folders': listKey()
    .default([])
    .describe('Folders below which connectors may name files, as ${file:/path:key} and ${dir:/path:file}. Empty: none.'),
  broker: enumKey(BROKERS).default('embedded').describe('Where topics are: in files below data, or in a RocketMQ cluster.'),
  ...behind(ROCKETMQ_PREFIX, rocketmqKeys),
  'log.retention.ms': intKey({ min: 0, max: 3_153_600_000_000 })
    .default(0)
    .describe(
      'How long the embedded log keeps records. Whole segments go: a record when all of its segment is older. 0: for ever.',
    ),
  'log.retention.bytes': intKey({ min: 0, max: Number.MAX_SAFE_INTEGER })
    .default(0)
    .describe('How much of each queue the embedded log keeps; a queue may hold one segment of 64 MiB more. 0: all.'),
  'log.flush.interval.ms': intKey({ min: 0, max: 60_000 })
    .default(0)
    .describe(
      'How often the embedded log is synced. 0: before what is sent counts as sent. More: sends are faster, and a loss of power takes what was sent within so long.',
    ),
  'invocations.max': intKey({ min: 1, max: 100_000 }).default(1_000).describe('Invocations of all connectors at once.'),
  'slice.target.ms': intKey({ min: 100, max: 10_000 })
    .default(2_000)
    .describe('How long a slice of a large backlog should take. Less: others wait less. More: fewer writes to the store.'),
  'watches.max': intKey({ min: 0, max: 1_000_000 })
    .default(5_000)
    .describe('Queues whose end is waited for; the bounds of the others are asked for.'),
  'topic.looks.per.second': intKey({ min: 1, max: 10_000 })
    .default(50)
    .describe('Topics whose queues or bounds are asked for in one second.'),
  'sweep.ms': intKey({ min: 1_000, max: 3_600_000 })
    .default(60_000)
    .describe('Within so long every stored document is read again, so that no change is missed that nobody told of.'),
});

export type WorkerSettings = z.output<typeof WorkerSettings>;

export type WorkerKey = keyof WorkerSettings;

export const workerKeys = Object.keys(WorkerSettings.shape) as readonly WorkerKey[];

export function flagOf(key: WorkerKey): string {
  return `--${key.replaceAll('.', '-')}`;
}

export function variableOf(key: WorkerKey): string {
  return `SORTIE_${key.replaceAll('.', '_').toUpperCase()}`;
}
