/** Which log an operator wants, and how it is written or reached. */

import type { LogSettings } from '../../adapters/open-log.ts';
import { LocalSecrets } from '../../adapters/secrets/local-secrets.ts';
import { rocketmqSettingsOf } from '../../clients/rocketmq/settings-of.ts';
import { placeholderOf, referencesIn, withValues } from '../../core/config/placeholders.ts';
import { type RocketmqValues, rocketmqKeys } from '../../core/config/rocketmq-keys.ts';
import { ConfigError } from '../../core/errors.ts';
import { CliError } from '../cli-error.ts';
import { ROCKETMQ_PREFIX, type WorkerSettings } from '../worker-settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const NEXT = 'see docs/worker-settings.md for what each setting takes';

/** @throws {CliError} with every setting that is wrong. */
export async function logSettings(worker: WorkerSettings, environment: Environment): Promise<LogSettings> {
  if (worker.broker === 'rocketmq') return rocketmqLog(worker, environment);
  if (worker['rocketmq.namesrv.addr'].length > 0) {
    throw new CliError('rocketmq.namesrv.addr is set, and topics would be kept in the embedded log all the same', {
      exitCode: 2,
      next: 'set broker=rocketmq, or leave the name servers out',
    });
  }
  return embeddedLog(worker);
}

function embeddedLog(worker: WorkerSettings): LogSettings {
  const ageMs = worker['log.retention.ms'];
  const bytes = worker['log.retention.bytes'];
  const intervalMs = worker['log.flush.interval.ms'];
  return {
    kind: 'embedded',
    retention: { ...(ageMs === 0 ? {} : { ageMs }), ...(bytes === 0 ? {} : { bytes }) },
    fsync: intervalMs === 0 ? 'group' : { intervalMs },
  };
}

async function rocketmqLog(worker: WorkerSettings, environment: Environment): Promise<LogSettings> {
  const values = Object.fromEntries(
    Object.keys(rocketmqKeys).map((key) => [key, worker[`${ROCKETMQ_PREFIX}${key as keyof RocketmqValues}`]]),
  ) as unknown as RocketmqValues;
  const filled = {
    ...values,
    'access.key': await filledIn('access.key', values['access.key'], environment),
    'secret.key': await filledIn('secret.key', values['secret.key'], environment),
  };
  try {
    return { kind: 'rocketmq', ...rocketmqSettingsOf(filled) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const wrong = error.issues.map(({ path, message }) => `${ROCKETMQ_PREFIX}${path} ${message}`);
    throw new CliError(wrong.join('\n'), { exitCode: 2, next: NEXT });
  }
}

/** Whoever writes a worker's settings may name every variable and file: he has them anyway. */
async function filledIn(key: string, text: string, environment: Environment): Promise<string> {
  const set = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const secrets = new LocalSecrets({ env: ['*'], variables: Object.fromEntries(set), folders: ['/'] });
  const references = referencesIn(text);
  const answers = await secrets.resolve(references);
  const values = new Map(
    references.map((reference, index) => {
      const answer = answers[index];
      if (answer !== undefined && 'value' in answer) return [placeholderOf(reference), answer.value];
      const why = answer === undefined ? 'it is not there' : 'missing' in answer ? answer.missing : answer.refused;
      throw new CliError(`${ROCKETMQ_PREFIX}${key} names ${placeholderOf(reference)}: ${why}`, {
        exitCode: 2,
        next: 'correct the placeholder, or put the value where it says',
      });
    }),
  );
  return withValues(text, (reference) => values.get(placeholderOf(reference)) ?? '');
}
