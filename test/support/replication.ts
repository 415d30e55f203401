/** Clusters that connectors copy from and to. */
import { PulledRecord } from '../../clients/rocketmq/records/pulled-record.ts';
import { offset } from '../../core/offset.ts';
import type { SinkTarget } from '../contract/sink/sink-under-test.ts';
import type { SourceSystem } from '../contract/source/source-under-test.ts';
import { aSinkRecord, textDatum } from './connect-records.ts';
import { anOutgoingRecord, bytesOf, textOf } from './log-records.ts';
import { BROKER, StandInCluster } from './stand-in-cluster.ts';
import { storedMessage } from './stored-message.ts';

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

/** A topic without a record. */
export async function aClusterToFill(): Promise<SinkTarget> {
  const cluster = await StandInCluster.start();
  cluster.createTopic('orders', { queues: 4 });
  return {
    config: { 'namesrv.addr': cluster.server.address },
    held: async () =>
      recordsIn(cluster, 'orders').map((record) => ({
        key: textOf(record.key) ?? '',
        text: textOf(record.value) ?? '',
        id: record.headers.find(([name]) => name === 'sortie.id')?.[1] ?? '',
      })),
    makeRefused: ({ key, offset: at }) =>
      aSinkRecord({ key: textDatum(key), value: textDatum('x'.repeat(5 * 1024 * 1024)), offset: at }),
    breakDown: () => cluster.server.close(),
    close: () => cluster.server.close(),
  };
}

/** Queue by queue. */
export function recordsIn(cluster: StandInCluster, topic: string): readonly PulledRecord[] {
  return cluster.messages(topic).flatMap((messages, queueId) =>
    messages.map((message, at) => {
      const place = { queue: { topic, brokerName: BROKER, queueId }, offset: offset(at) };
      return new PulledRecord(storedMessage({ ...message, offset: at }), 0, place);
    }),
  );
}
