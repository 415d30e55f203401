import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from '../server-process.ts';

export interface JavaServerOptions {
  /** Its folder below `folder` has this name; so has its log. */
  readonly name: string;
  readonly folder: string;
  readonly jars: string;
  readonly heapMegabytes: number;
  readonly mainClass: string;
  readonly arguments: readonly string[];
  /** Java's system properties. */
  readonly properties: Readonly<Record<string, string>>;
  readonly isDetached: boolean;
  readonly onStart?: ((processId: number) => void) | undefined;
}

/** Little memory, a quick start; the exports are what RocketMQ 5.3.3 asks for on Java 17. */
const FLAGS = [
  '-XX:MaxDirectMemorySize=128m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:-UsePerfData',
  '--add-exports=java.base/sun.nio.ch=ALL-UNNAMED',
  '--add-opens=java.base/java.nio=ALL-UNNAMED',
];

/** One server process of RocketMQ. A broker takes ten to twenty seconds to stop, so they are killed. */
export function startJavaServer({ name, folder, jars, heapMegabytes, mainClass, ...rest }: JavaServerOptions): ServerProcess {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true });
  const heap = [`-Xms${heapMegabytes}m`, `-Xmx${heapMegabytes}m`];
  // Keys, certificates and libraries that it unpacks would stay in the folder of all temporary files.
  const properties = { 'user.home': home, 'java.io.tmpdir': home, ...rest.properties };
  const defined = Object.entries(properties).map(([key, value]) => `-D${key}=${value}`);
  const program = [...defined, '-cp', join(jars, '*'), `org.apache.rocketmq.${mainClass}`];
  return ServerProcess.start({
    name,
    folder,
    command: 'java',
    arguments: [...heap, ...FLAGS, ...program, ...rest.arguments],
    // It must be set, and may be empty.
    env: { ROCKETMQ_HOME: folder },
    isDetached: rest.isDetached,
    onStart: rest.onStart,
  });
}
