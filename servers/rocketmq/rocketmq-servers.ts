/**
 * A RocketMQ cluster on loopback for development and tests: a NameServer, brokers, and a proxy where it is asked for. Each takes
 * free ports and keeps what it holds in one folder.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../adapters/system.ts';
import { Cluster, type ClusterSettings } from '../../clients/rocketmq/cluster.ts';
import { createTopic } from '../../clients/rocketmq/commands/create-topic.ts';
import { freePort } from '../free-ports.ts';
import type { ServerProcess } from '../server-process.ts';
import { brokerSettings } from './broker-settings.ts';
import { rocketmqJars } from './jars.ts';
import { startJavaServer } from './java-server.ts';

/** Ten seconds of a core each on a machine that has nothing else to do. */
const READY_WITHIN_MS = 120_000;

/** Creating it makes a broker tell the NameServer of itself at once, which it otherwise may do ten seconds later. */
const FIRST_TOPIC = 'sortie-first-topic';

export interface RocketmqServersOptions {
  readonly folder: string;
  readonly say: (text: string) => void;
  /** They go on when this process ends. */
  readonly isDetached?: boolean;
  /** Told of each process as soon as there is one. */
  readonly onStart?: (processId: number) => void;
  /** So long each has to answer. Absent: two minutes. */
  readonly readyWithinMs?: number;
  /** More settings of every broker. */
  readonly brokerSettings?: Readonly<Record<string, string>>;
  /** Java's system properties of every server: TLS is set by them. */
  readonly properties?: Readonly<Record<string, string>>;
  /** How the servers are asked whether they are ready. */
  readonly access?: Pick<ClusterSettings, 'keys' | 'tls'>;
}

interface Broker {
  readonly port: number;
  server: ServerProcess;
}

export class RocketmqServers {
  /** `host:port`. */
  readonly nameServer: string;
  readonly #options: RocketmqServersOptions;
  readonly #jars: string;
  readonly #cluster: Cluster;
  readonly #nameServerProcess: ServerProcess;
  readonly #brokers = new Map<string, Broker>();
  #proxy: ServerProcess | null = null;

  private constructor(options: RocketmqServersOptions, jars: string, { port, server }: { port: number; server: ServerProcess }) {
    this.#options = options;
    this.#jars = jars;
    this.nameServer = `127.0.0.1:${port}`;
    this.#nameServerProcess = server;
    this.#cluster = new Cluster({ nameServers: [this.nameServer], ...options.access }, systemClock);
  }

  /** A NameServer alone. @throws {Error} where it does not answer; then nothing runs. */
  static async start(options: RocketmqServersOptions): Promise<RocketmqServers> {
    const { folder, say } = options;
    const jars = await rocketmqJars(say);
    mkdirSync(folder, { recursive: true });
    const port = await freePort();
    const settings = join(folder, 'namesrv.conf');
    const keyValues = join(folder, 'namesrv', 'key-values.json');
    writeFileSync(settings, `listenPort=${port}\nbindAddress=127.0.0.1\nkvConfigPath=${keyValues}\n`);
    const server = launch(options, jars, {
      name: 'namesrv',
      heapMegabytes: 64,
      mainClass: 'namesrv.NamesrvStartup',
      arguments: ['-c', settings],
    });
    const servers = new RocketmqServers(options, jars, { port, server });
    try {
      await servers.#ready(server, async () => (await servers.#cluster.brokers()).length >= 0);
    } catch (error) {
      await servers.stop();
      throw error;
    }
    say(`NameServer on ${servers.nameServer}`);
    return servers;
  }

  get processIds(): readonly number[] {
    const all = [this.#nameServerProcess, ...[...this.#brokers.values()].map(({ server }) => server), this.#proxy];
    return all.flatMap((server) => (server === null ? [] : [server.processId]));
  }

  /** A master of its own. Answers its address. */
  async startBroker(name: string): Promise<string> {
    const { folder } = this.#options;
    // Beside its own port it takes the second below and the one above.
    const port = await freePort(-2, 1);
    const place = { name, port, nameServer: this.nameServer, folder };
    writeFileSync(join(folder, `${name}.conf`), brokerSettings(place, this.#options.brokerSettings ?? {}));
    this.#brokers.set(name, { port, server: this.#launchBroker(name) });
    return this.#brokerReady(name);
  }

  addressOf(name: string): string {
    return `127.0.0.1:${this.#broker(name).port}`;
  }

  killBroker(name: string): Promise<void> {
    return this.#broker(name).server.kill();
  }

  /** One that was killed, with what it holds. `isMoved`: at another address, as where another machine took its disk over. */
  async restartBroker(name: string, { isMoved = false }: { readonly isMoved?: boolean } = {}): Promise<void> {
    const broker = this.#broker(name);
    if (isMoved) {
      await this.startBroker(name);
      return;
    }
    broker.server = this.#launchBroker(name);
    await this.#brokerReady(name);
  }

  /** After the brokers. Answers the address of its remoting port. */
  async startProxy(): Promise<string> {
    const { folder, say } = this.#options;
    const [grpcPort, remotingPort] = [await freePort(), await freePort()];
    const settings = join(folder, 'proxy.json');
    const json = {
      rocketMQClusterName: 'DefaultCluster',
      proxyMode: 'CLUSTER',
      namesrvAddr: this.nameServer,
      grpcServerPort: grpcPort,
      remotingListenPort: remotingPort,
      localServeAddr: '127.0.0.1',
      remotingAccessAddr: '127.0.0.1',
    };
    writeFileSync(settings, JSON.stringify(json));
    const proxy = launch(this.#options, this.#jars, {
      name: 'proxy',
      heapMegabytes: 256,
      mainClass: 'proxy.ProxyStartup',
      arguments: ['-pc', settings, '-n', this.nameServer],
    });
    this.#proxy = proxy;
    const address = `127.0.0.1:${remotingPort}`;
    const byProxy = new Cluster({ nameServers: [address], ...this.#options.access }, systemClock);
    await this.#ready(proxy, async () => (await byProxy.route(FIRST_TOPIC)) !== null);
    await byProxy.close();
    say(`proxy on ${address} (remoting) and 127.0.0.1:${grpcPort} (gRPC)`);
    return address;
  }

  /** They go on by themselves. */
  leave(): Promise<void> {
    return this.#cluster.close();
  }

  /** All of it, at once. */
  async stop(): Promise<void> {
    await this.leave();
    await this.#proxy?.kill();
    await Promise.all([...this.#brokers.values()].map(({ server }) => server.kill()));
    await this.#nameServerProcess.kill();
  }

  #launchBroker(name: string): ServerProcess {
    const settings = join(this.#options.folder, `${name}.conf`);
    return launch(this.#options, this.#jars, {
      name,
      heapMegabytes: 256,
      mainClass: 'broker.BrokerStartup',
      arguments: ['-c', settings],
    });
  }

  /** Answers its address. */
  async #brokerReady(name: string): Promise<string> {
    const { server } = this.#broker(name);
    const address = this.addressOf(name);
    await this.#ready(server, async () => {
      await this.#cluster.askBroker(address, createTopic(FIRST_TOPIC, 1));
      return (await this.#cluster.brokers()).some(({ brokerName }) => brokerName === name);
    });
    this.#options.say(`${name} on ${address}`);
    return address;
  }

  #ready(server: ServerProcess, answers: () => Promise<boolean>): Promise<void> {
    return server.ready(answers, this.#options.readyWithinMs ?? READY_WITHIN_MS);
  }

  #broker(name: string): Broker {
    const broker = this.#brokers.get(name);
    if (broker === undefined) throw new Error(`there is no broker ${name}`);
    return broker;
  }
}

function launch(
  { folder, properties = {}, isDetached = false, onStart }: RocketmqServersOptions,
  jars: string,
  server: { readonly name: string; readonly heapMegabytes: number; readonly mainClass: string; readonly arguments: string[] },
): ServerProcess {
  return startJavaServer({ ...server, folder, jars, properties, isDetached, onStart });
}
