import { missingJavaTools } from '../java-tools.ts';
import { type Launched, type Launcher, type Place, readOptions } from '../launcher.ts';
import { RocketmqServers } from './rocketmq-servers.ts';

const BROKERS_MAX = 8;

export const rocketmqLauncher: Launcher = {
  usage: '[--brokers N] [--proxy]',
  missing: missingJavaTools,
  read(args) {
    const options = readOptions(args, { brokers: { type: 'string' }, proxy: { type: 'boolean' } });
    const brokers = Number(options?.brokers ?? 1);
    if (options === null || !Number.isInteger(brokers) || brokers < 1 || brokers > BROKERS_MAX) return null;
    return (place) => launch(place, { brokers, hasProxy: options.proxy === true });
  },
};

async function launch(
  { folder, say }: Place,
  { brokers, hasProxy }: { readonly brokers: number; readonly hasProxy: boolean },
): Promise<Launched> {
  const servers = await RocketmqServers.start({ folder, say, isDetached: true });
  const lines = [`name server ${servers.nameServer}`];
  try {
    for (let index = 0; index < brokers; index += 1) {
      const name = `broker-${String.fromCharCode('a'.charCodeAt(0) + index)}`;
      lines.push(`${name} ${await servers.startBroker(name)}`);
    }
    if (hasProxy) lines.push(`proxy ${await servers.startProxy()}`);
  } catch (error) {
    await servers.stop();
    throw error;
  }
  await servers.leave();
  return { lines, processIds: servers.processIds };
}
