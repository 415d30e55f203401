import { join } from 'node:path';

export interface BrokerPlace {
  readonly name: string;
  readonly port: number;
  readonly nameServer: string;
  readonly folder: string;
}

/** A broker's file of settings: on loopback, small, and as RocketMQ has it otherwise. `more` goes before all others. */
export function brokerSettings({ name, port, nameServer, folder }: BrokerPlace, more: Readonly<Record<string, string>>): string {
  const store = join(folder, name, 'store');
  const settings = {
    brokerClusterName: 'DefaultCluster',
    brokerName: name,
    brokerId: '0',
    brokerIP1: '127.0.0.1',
    listenPort: String(port),
    bindAddress: '127.0.0.1',
    namesrvAddr: nameServer,
    storePathRootDir: store,
    storePathCommitLog: join(store, 'commitlog'),
    autoCreateTopicEnable: 'false',
    // Smaller than 16 MiB, and a batch that does not fit is acknowledged and lost.
    mappedFileSizeCommitLog: String(64 * 1024 * 1024),
    mappedFileSizeConsumeQueue: '600000',
    mappedFileSizeTimerLog: String(10 * 1024 * 1024),
    // At its default of a second an idle broker uses a quarter of a core.
    timerFlushIntervalMs: '30000',
    messageIndexEnable: 'false',
    // A busy machine, and no broker that is at its limit; but less than a second, which `RocketmqLogBroker.sendLandsWithinMs` relies on.
    waitTimeMillsInSendQueue: '800',
    enablePropertyFilter: 'true',
    diskMaxUsedSpaceRatio: '95',
    diskSpaceWarningLevelRatio: '99',
    diskSpaceCleanForciblyRatio: '98',
    ...more,
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
