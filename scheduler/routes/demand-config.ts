/** Refuses a configuration that is wrong, saying everything that is wrong with it in Kafka Connect's words. */
import { parseConnectorConfig } from '../../core/config/connector-config.ts';
import { ConfigError } from '../../core/errors.ts';
import { configureConnector } from '../../plugins/configure.ts';
import type { AppDeps } from '../app-deps.ts';
import { ApiError } from './api-error.ts';

type SentConfig = Readonly<Record<string, string | null>>;

const NULL_VALUE = 'Null value can not be supplied as the configuration value.';
const ALSO_FOUND_AT =
  'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`';

/** @throws {ApiError} 400 */
export async function demandConfig(
  { registry }: AppDeps,
  name: string,
  sent: SentConfig,
): Promise<Readonly<Record<string, string>>> {
  const named = sent['name'] ?? name;
  if (named !== name) {
    throw new ApiError(400, `Connector name configuration (${named}) doesn't match connector name in the URL (${name})`);
  }
  const config = Object.fromEntries(Object.entries(sent).filter((entry): entry is [string, string] => entry[1] !== null));
  const nulls = Object.keys(sent).filter((key) => sent[key] === null);
  const faults = [...nulls.map((key) => `${key}: ${NULL_VALUE}`), ...(await faultsOf(registry, config))];
  if (faults.length === 0) return config;
  const count = `Connector configuration is invalid and contains the following ${faults.length} error(s):`;
  throw new ApiError(400, [count, ...faults, ALSO_FOUND_AT].join('\n'));
}

async function faultsOf(registry: AppDeps['registry'], config: Readonly<Record<string, string>>): Promise<readonly string[]> {
  try {
    await configureConnector(registry, parseConnectorConfig(config));
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map(({ path, message }) => `${path}: ${message}`);
  }
}
