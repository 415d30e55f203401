/** Where the topics of a run are: files of its own, or a RocketMQ that is started for it. */
import { join } from 'node:path';
import { missingJavaTools } from '../servers/java-tools.ts';
import { RocketmqServers } from '../servers/rocketmq/rocketmq-servers.ts';

export const LOGS = ['embedded', 'rocketmq'] as const;

export type LogName = (typeof LOGS)[number];

export interface RunningLog {
  /** What `sortie start` is told. */
  readonly flags: readonly string[];
  stop(): Promise<void>;
}

/** What this machine lacks for it, and how that is had; `null` where nothing is missing. */
export function missingFor(name: LogName): string | null {
  return name === 'rocketmq' ? missingJavaTools() : null;
}

export async function startLog(
  name: LogName,
  { folder, say }: { readonly folder: string; readonly say: (text: string) => void },
): Promise<RunningLog> {
  if (name === 'embedded') return { flags: [], stop: async () => undefined };
  const servers = await RocketmqServers.start({ folder: join(folder, 'rocketmq'), say });
  const stop = (): Promise<void> => servers.stop();
  try {
    await servers.startBroker('broker-a');
    return { flags: ['--broker', 'rocketmq', '--rocketmq-namesrv-addr', servers.nameServer], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
