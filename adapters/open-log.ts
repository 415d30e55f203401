/** The log that settings name, opened for one process or thread. */
import { join } from 'node:path';
import type { RocketmqSettings } from '../clients/rocketmq/rocketmq-client.ts';
import type { Clock, LogBroker, Telemetry } from '../core/ports.ts';
import { EmbeddedLogBroker, type EmbeddedLogBrokerDeps } from './embedded-log/embedded-log-broker.ts';
import { LOG_DATABASE, LOG_DATABASE_FILE } from './embedded-log/log-schema.ts';
import { checkDatabase } from './sqlite/check-database.ts';

const LOG_FOLDER = 'log';

/** How the embedded log is written. */
type EmbeddedSettings = Pick<EmbeddedLogBrokerDeps, 'fsync' | 'retention' | 'segmentBytes' | 'recordBytesMax'>;

/** Which log, and how it is written or reached; the same for everybody who shares a folder. JSON. It may hold a secret key. */
export type LogSettings = ({ readonly kind: 'embedded' } & EmbeddedSettings) | ({ readonly kind: 'rocketmq' } & RocketmqSettings);

export interface OpenedLog {
  readonly broker: LogBroker;
  /** For whoever starts: looks whether all of it can be used. @throws {ConnectError} what is wrong. */
  check(): Promise<void>;
  /** Removes what the log need not keep any more. For one process to do now and then. */
  applyRetention(): Promise<void>;
  close(): Promise<void>;
}

interface LogWorld {
  /** Where the embedded log is. */
  readonly folder: string;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

export function openLog(settings: LogSettings, world: LogWorld): Promise<OpenedLog> {
  return settings.kind === 'embedded' ? openEmbedded(settings, world) : openRocketmq(settings, world);
}

/** Makes the folder where it is missing. */
async function openEmbedded(settings: EmbeddedSettings, { folder, clock, telemetry }: LogWorld): Promise<OpenedLog> {
  const logFolder = join(folder, LOG_FOLDER);
  const broker = new EmbeddedLogBroker({ ...settings, folder: logFolder, clock, telemetry });
  return {
    broker,
    check: async () => checkDatabase(join(logFolder, LOG_DATABASE_FILE), LOG_DATABASE),
    applyRetention: () => broker.applyRetention(),
    close: () => broker.close(),
  };
}

/** Loaded when it is asked for. Its brokers have a retention of their own. */
async function openRocketmq(settings: RocketmqSettings, { clock, telemetry }: LogWorld): Promise<OpenedLog> {
  const [{ RocketmqClient }, { RocketmqLogBroker }] = await Promise.all([
    import('../clients/rocketmq/rocketmq-client.ts'),
    import('./rocketmq/rocketmq-log-broker.ts'),
  ]);
  const client = new RocketmqClient(settings, clock);
  const broker = new RocketmqLogBroker({ client, clock });
  return {
    broker,
    check: async () => {
      for (const { message, code } of await client.check()) telemetry.log('warn', message, { code });
    },
    applyRetention: async () => undefined,
    close: () => broker.close(),
  };
}
