import { defineSink } from '../api/sink.ts';
import { openOtherCluster } from '../replication/other-cluster.ts';
import { SinkConfig } from './rocketmq/sink-config.ts';
import { TargetTopics } from './rocketmq/target-topics.ts';
import { TopicWriter } from './rocketmq/topic-writer.ts';

/**
 * Writes records to topics of another RocketMQ cluster: with their keys, tags and headers, in the order of each queue.
 *
 * At least once: what was sent and not committed is sent again, with the same property `sortie.id`, by which a consumer can tell. A
 * record counts as taken once the broker has acknowledged it.
 */
export const rocketmqSink = defineSink({
  name: 'rocketmq-sink',
  version: '1.0.0',
  effect: 'append',
  reads: 'bytes',
  config: SinkConfig,

  async open(config, { clock, count }) {
    const client = openOtherCluster(config, clock);
    return new TopicWriter(config, { client, topics: new TargetTopics(config, { client, clock }), clock, count });
  },
});
