/** Whether a cluster can be used from here, for whoever starts: asked while somebody looks. */
import { ConnectError, RetryableError } from '../../core/errors.ts';
import type { Cluster } from './cluster.ts';
import { checkClient } from './commands/check-client.ts';
import { EVERYTHING } from './commands/pull-message.ts';

/**
 * Asks a NameServer, and then every broker, or every proxy where there are some. Answers why some of them cannot be used, where others
 * can: they may be well again soon.
 *
 * @throws {RetryableError} `broker.unavailable`: none of them can be reached.
 * @throws {FatalTaskError} `broker.unauthorized`: one refuses the access key.
 */
export async function checkCluster(cluster: Cluster, group: string): Promise<readonly ConnectError[]> {
  const servers = await cluster.servers();
  const problems: ConnectError[] = [];
  const asked = servers.map(async ({ name, address }) => {
    try {
      await cluster.askBroker(address, checkClient(group, EVERYTHING));
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      if (error.code === 'broker.unauthorized') throw error;
      // Whoever answers that it does not know the question can be reached.
      if (error instanceof RetryableError) problems.push(new RetryableError(`${name}: ${error.message}`, { code: error.code }));
    }
  });
  await Promise.all(asked);
  const [first] = problems;
  if (first !== undefined && problems.length === servers.length) throw first;
  return problems;
}
