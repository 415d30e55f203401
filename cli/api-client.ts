/**
 * The HTTP API by its routes. Rules are the server's: this knows where to ask, what comes back, and what to do next where it is
 * refused.
 */
import type { Entity } from '../scheduler/app.ts';
import { ApiTransport, type Server } from './api-transport.ts';
import type { Shell } from './shell.ts';

/** `info` is missing of a connector whose document cannot be read. */
interface ConnectorDetails {
  readonly info?: Entity<'ConnectorInfo'>;
  readonly status: Entity<'ConnectorStateInfo'>;
}

export type Config = Readonly<Record<string, string>>;

export class ApiClient {
  readonly #transport: ApiTransport;

  constructor(server: Server, shell: Pick<Shell, 'fetch'>) {
    this.#transport = new ApiTransport(server, shell);
  }

  names(): Promise<readonly string[]> {
    return this.#transport.ask('GET', '/connectors');
  }

  /** Of all connectors, by their names. */
  details(): Promise<Readonly<Record<string, ConnectorDetails>>> {
    return this.#transport.ask('GET', '/connectors?expand=info&expand=status');
  }

  status(name: string): Promise<Entity<'ConnectorStateInfo'>> {
    return this.#transport.ask('GET', `${connector(name)}/status`);
  }

  /** With what is secret, where whoever asks may set it. */
  config(name: string): Promise<Config> {
    return this.#transport.ask('GET', `${connector(name)}/config`);
  }

  create(name: string, config: Config): Promise<Entity<'ConnectorInfo'>> {
    return this.#transport.ask('POST', '/connectors', { name, config });
  }

  configure(name: string, config: Config): Promise<Entity<'ConnectorInfo'>> {
    return this.#transport.ask('PUT', `${connector(name)}/config`, config);
  }

  validate(plugin: string, config: Config): Promise<Entity<'ConfigInfos'>> {
    return this.#transport.ask('PUT', `${pluginPath(plugin)}/config/validate`, config);
  }

  remove(name: string): Promise<null> {
    return this.#transport.ask('DELETE', connector(name));
  }

  setState(name: string, verb: 'pause' | 'resume' | 'stop'): Promise<null> {
    return this.#transport.ask('PUT', `${connector(name)}/${verb}`);
  }

  /** `null` without flags. */
  restart(
    name: string,
    { includeTasks, onlyFailed }: { readonly includeTasks: boolean; readonly onlyFailed: boolean },
  ): Promise<Entity<'ConnectorStateInfo'> | null> {
    return this.#transport.ask('POST', `${connector(name)}/restart?includeTasks=${includeTasks}&onlyFailed=${onlyFailed}`);
  }

  offsets(name: string): Promise<Entity<'ConnectorOffsets'>> {
    return this.#transport.ask('GET', `${connector(name)}/offsets`);
  }

  setOffsets(name: string, offsets: readonly unknown[]): Promise<Entity<'Message'>> {
    return this.#transport.ask('PATCH', `${connector(name)}/offsets`, { offsets });
  }

  resetOffsets(name: string): Promise<Entity<'Message'>> {
    return this.#transport.ask('DELETE', `${connector(name)}/offsets`);
  }

  activeTopics(name: string): Promise<Entity<'ActiveTopics'>> {
    return this.#transport.ask('GET', `${connector(name)}/topics`);
  }

  /** Of all connectors: what waits, and what is held. */
  backlogs(): Promise<Entity<'ConnectorBacklogs'>> {
    return this.#transport.ask('GET', `${SORTIE}/connectors`);
  }

  why(name: string): Promise<Entity<'Reasons'>> {
    return this.#transport.ask('GET', `${SORTIE}${connector(name)}/why`);
  }

  runs(name: string, query: Readonly<Record<string, string>>): Promise<Entity<'RunPage'>> {
    return this.#transport.ask('GET', `${SORTIE}${connector(name)}/runs?${new URLSearchParams(query)}`);
  }

  /** `before`: its answer when it was last asked, to go on waiting for the same. */
  startRun(
    name: string,
    query: Readonly<Record<string, string>>,
    before?: Entity<'RunProgress'>,
  ): Promise<Entity<'RunProgress'>> {
    return this.#transport.ask('POST', `${SORTIE}${connector(name)}/runs?${new URLSearchParams(query)}`, before);
  }

  topicNames(): Promise<Entity<'TopicNames'>> {
    return this.#transport.ask('GET', `${SORTIE}/topics`);
  }

  topic(name: string): Promise<Entity<'TopicQueues'>> {
    return this.#transport.ask('GET', `${SORTIE}${topicPath(name)}`);
  }

  records(topic: string, query: Readonly<Record<string, string>>): Promise<Entity<'RecordPage'>> {
    return this.#transport.ask('GET', `${SORTIE}${topicPath(topic)}/records?${new URLSearchParams(query)}`);
  }

  plugins({ connectorsOnly }: { readonly connectorsOnly: boolean }): Promise<Entity<'PluginInfos'>> {
    return this.#transport.ask('GET', `/connector-plugins?connectorsOnly=${connectorsOnly}`);
  }

  pluginKeys(plugin: string): Promise<Entity<'ConfigKeyInfos'>> {
    return this.#transport.ask('GET', `${pluginPath(plugin)}/config`);
  }
}

/** Before what Kafka Connect has no word for. */
const SORTIE = '/sortie/v1';

function connector(name: string): string {
  return `/connectors/${encodeURIComponent(name)}`;
}

function pluginPath(name: string): string {
  return `/connector-plugins/${encodeURIComponent(name)}`;
}

function topicPath(name: string): string {
  return `/topics/${encodeURIComponent(name)}`;
}
