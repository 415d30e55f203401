import { describe, expect, test } from 'vitest';
import { RocketmqLogBroker } from '../../../../adapters/rocketmq/rocketmq-log-broker.ts';
import { RocketmqClient } from '../../../../clients/rocketmq/rocketmq-client.ts';
import { brokerSettings } from '../../../../servers/rocketmq/broker-settings.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

describe('brokerSettings', () => {
  test('lets no send wait in the broker for as long as one may take to land', () => {
    const clock = new ManualClock();
    const client = new RocketmqClient({ nameServers: ['127.0.0.1:9876'], group: 'g' }, clock);
    const { sendLandsWithinMs } = new RocketmqLogBroker({ client, clock });

    const settings = brokerSettings({ name: 'broker-a', port: 10911, nameServer: '127.0.0.1:9876', folder: '/' }, {});

    const [, waitMs] = /^waitTimeMillsInSendQueue=(\d+)$/m.exec(settings) ?? [];
    expect(Number(waitMs)).toBeLessThan(sendLandsWithinMs);
  });
});
