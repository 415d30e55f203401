/** Refuses a configuration that is wrong, saying everything that is wrong with it in Kafka Connect's words. */
import type { AppDeps } from '../app-deps.ts';
import { findConnector, namesOf, problemsOf, type SentConfig } from '../config-check.ts';
import { hiddenKeysOf } from '../hidden-values.ts';
import { ApiError } from './api-error.ts';

const ALSO_FOUND_AT =
  'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`';

const NOTHING_KEPT = '[hidden] stands for the value that is stored, and none is';

/** @throws {ApiError} 400 */
export async function demandConfig(deps: AppDeps, name: string, sent: SentConfig): Promise<Readonly<Record<string, string>>> {
  const named = sent['name'] ?? name;
  if (named !== name) {
    throw new ApiError(400, `Connector name configuration (${named}) doesn't match connector name in the URL (${name})`);
  }
  await demandConnectorClass(deps, sent);
  const hidden = await hiddenKeysOf(deps.registry, sent);
  const problems = [...hidden.map((path) => ({ path, message: NOTHING_KEPT })), ...(await problemsOf(deps, sent))];
  // Without problems there is no null in it.
  if (problems.length === 0) return sent as Readonly<Record<string, string>>;
  const lines = problems.map(({ path, message }) => `${path}: ${message}`);
  const count = `Connector configuration is invalid and contains the following ${lines.length} error(s):`;
  throw new ApiError(400, [count, ...lines, ALSO_FOUND_AT].join('\n'));
}

/** Without it nobody knows what the other keys mean. @throws {ApiError} 400 */
export async function demandConnectorClass({ registry, plugins }: AppDeps, sent: SentConfig): Promise<void> {
  const name = sent['connector.class']?.trim() ?? '';
  if (name === '') throw new ApiError(400, `Connector config {${Object.keys(sent).join(', ')}} contains no connector type`);
  if ((await findConnector(registry, name)) !== undefined) return;
  const available = namesOf(await plugins()).connectors.join(', ');
  throw new ApiError(
    400,
    `Failed to find any class that implements Connector and which name matches ${name}, available connectors are: ${available}`,
  );
}
