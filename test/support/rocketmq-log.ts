import { RocketmqLogBroker } from '../../adapters/rocketmq/rocketmq-log-broker.ts';
import { systemClock } from '../../adapters/system.ts';
import { RocketmqClient, type RocketmqSettings } from '../../clients/rocketmq/rocketmq-client.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import type { LogBroker, OutgoingRecord, SendResult } from '../../core/ports.ts';
import type { LogUnderTest } from '../contract/log-broker/log-under-test.ts';
import { brokerWith } from './faulty-ports.ts';

/** Cases made so far, in this process. */
let cases = 0;

/** A log of one case on servers that others use too: its topics have names of their own. */
export function rocketmqLog(servers: Pick<RocketmqSettings, 'nameServers' | 'proxies'>): LogUnderTest {
  const client = new RocketmqClient({ ...servers, group: 'contract' }, systemClock);
  const broker = new RocketmqLogBroker({ client, clock: systemClock });
  cases += 1;
  return {
    broker: settled(broker),
    operator: {
      deleteTopic: (topic) => client.topics.delete(topic),
      addQueue: (topic) => addQueue(client, topic),
    },
    topicPrefix: `contract-${process.pid}-${cases}`,
    // A proxy does not say what is wrong with an expression.
    ...(servers.proxies === undefined ? { knowsSql92: true } : {}),
    impossibleTopic: 'shop.orders',
    recordBytesMax: client.batchBytesMax,
    elapse: (durationMs) => systemClock.sleep(durationMs),
    close: () => broker.close(),
  };
}

async function addQueue(client: RocketmqClient, topic: string): Promise<void> {
  const queues = await client.queues(topic);
  const brokerName = queues[0]?.brokerName ?? '';
  const ofBroker = queues.filter((queue) => queue.brokerName === brokerName);
  await client.topics.resize(topic, { brokerName, queues: ofBroker.length + 1 });
}

/** A broker shows what it acknowledged some milliseconds later; the cases look at once. */
function settled(broker: RocketmqLogBroker): LogBroker {
  const send = async (queue: MessageQueue, records: readonly OutgoingRecord[]): Promise<SendResult> => {
    const sent = await broker.send(queue, records);
    for (;;) {
      const [bounds] = await broker.bounds([queue]);
      if (bounds !== null && bounds !== undefined && bounds.max >= sent.endOffset) return sent;
      await systemClock.sleep(1);
    }
  };
  return brokerWith(broker, { send });
}
