import { messageFilter } from '../../../clients/rocketmq/records/read-records.ts';
import type { RocketmqClient } from '../../../clients/rocketmq/rocketmq-client.ts';
import { FatalTaskError } from '../../../core/errors.ts';
import { filterOf, type SourceSettings } from './source-config.ts';

/** A broker lets everything pass that it cannot parse. @throws {FatalTaskError} when the brokers cannot read by the filter. */
export async function demandUsableFilter(client: RocketmqClient, config: SourceSettings): Promise<void> {
  const filter = filterOf(config);
  const problem = filter === null ? null : await client.filterProblem(messageFilter(filter));
  if (problem === null) return;
  throw new FatalTaskError(`filter.sql ${problem}; next: correct it in the connector configuration`, { code: 'broker.refused' });
}
