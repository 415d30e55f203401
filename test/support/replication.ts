/** Clusters that connectors copy from and to. */
import type { SourceSystem } from '../contract/source/source-under-test.ts';
import { anOutgoingRecord, bytesOf } from './log-records.ts';
import { StandInCluster } from './stand-in-cluster.ts';

/** Two queues of a topic, more than one pull gives of each. */
export async function aClusterToCopy(): Promise<SourceSystem> {
  const cluster = await StandInCluster.start();
  cluster.createTopic('orders', { queues: 2 });
  for (const queueId of [0, 1]) {
    const records = Array.from({ length: 50 }, (_, index) =>
      anOutgoingRecord({ key: bytesOf(`key-${index}`), value: bytesOf(`${queueId}-${index}`) }),
    );
    cluster.append('orders', queueId, records);
  }
  return {
    config: { 'namesrv.addr': cluster.server.address, 'source.topics': 'orders' },
    close: () => cluster.server.close(),
  };
}
