import { missingJavaTools } from '../java-tools.ts';
import { type Launcher, type Place, readOptions } from '../launcher.ts';
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
  place: Place,
  { brokers, hasProxy }: { readonly brokers: number; readonly hasProxy: boolean },
): Promise<readonly string[]> {
  const servers = await RocketmqServers.start({ ...place, isDetached: true });
  const lines = [`name server ${servers.nameServer}`];
  for (let index = 0; index < brokers; index += 1) {
    const name = `broker-${String.fromCharCode('a'.charCodeAt(0) + index)}`;
    lines.push(`${name} ${await servers.startBroker(name)}`);
  }
  if (hasProxy) lines.push(`proxy ${await servers.startProxy()}`);
  await servers.leave();
  return lines;
}
