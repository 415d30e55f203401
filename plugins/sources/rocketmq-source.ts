import { FatalTaskError } from '../../core/errors.ts';
import { defineSource } from '../api/source.ts';
import { asSourceError, openOtherCluster } from '../replication/other-cluster.ts';
import { demandUsableFilter } from './rocketmq/filter-check.ts';
import { GroupReader } from './rocketmq/group-reader.ts';
import { decodePlace } from './rocketmq/queue-place.ts';
import { QueueReader } from './rocketmq/queue-reader.ts';
import { queuesOf, topicsToCopy } from './rocketmq/queues-to-copy.ts';
import { GROUPS_SHARD, queueOfNames, shardOfQueue } from './rocketmq/shard-names.ts';
import { SourceConfig } from './rocketmq/source-config.ts';

/** How soon a new topic or queue is found. */
const DISCOVER_EVERY_MS = 30_000;

/** Each is a shard, which the scheduler keeps in memory for ever. */
const QUEUES_MAX = 10_000;

/**
 * Copies topics of another RocketMQ cluster, each queue a shard of its own: keys, tags, properties and times of birth as they are, in
 * the order of each queue, each record once. `docs/replication.md` tells how two clusters are kept alike.
 */
export const rocketmqSource = defineSource({
  name: 'rocketmq-source',
  version: '1.0.0',
  exactlyOnce: true,
  discoverEveryMs: DISCOVER_EVERY_MS,
  config: SourceConfig,

  async discover(config, context) {
    const client = openOtherCluster(config, context.clock);
    try {
      await demandUsableFilter(client, config);
      const topics = await topicsToCopy(client, config);
      const queues = [...(await queuesOf(client, topics)).values()].flat();
      if (queues.length > QUEUES_MAX) {
        throw new FatalTaskError(
          `the ${topics.length} topics have ${queues.length} queues, at most ${QUEUES_MAX} are copied; next: divide them among connectors`,
        );
      }
      if (queues.length === 0) context.log('info', `none of the topics exists at the source yet: ${topics.join(', ')}`);
      return [...queues.map(shardOfQueue), ...(config['sync.groups'].length > 0 ? [GROUPS_SHARD] : [])];
    } catch (error) {
      throw asSourceError(error);
    } finally {
      await client.close();
    }
  },

  async open(config, names, checkpoint, context) {
    const queue = queueOfNames(names);
    const place = queue === null ? null : decodePlace(checkpoint);
    const reading = { client: openOtherCluster(config, context.clock), clock: context.clock };
    if (queue === null) return new GroupReader(reading, { config, context });
    return new QueueReader({ reading, queue, config, context }, place);
  },
});
