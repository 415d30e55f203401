/**
 * What a warm host keeps between invocations: opened readers and writers, per shard and revision of its configuration.
 *
 * An invocation takes what it finds and gives it back only after a clean end; whatever was part of an error is closed.
 */
import type { Connector } from '../core/connector.ts';
import type { Json } from '../core/json.ts';
import type { ShardId } from '../core/shard-id.ts';
import type { SinkWriter } from '../plugins/api/sink.ts';
import type { SourceReader } from '../plugins/api/source.ts';
import type { OpenedConnector } from './opened-connector.ts';

/** A source's reader and the checkpoint it stands at; the checkpoint decides whether it can be used again. */
export interface PlacedReader {
  readonly reader: SourceReader;
  readonly at: Json;
}

/** What serves one slice at a time. */
export interface Station {
  readonly writer: SinkWriter | null;
  readonly reader: PlacedReader | null;
}

/** Far more than one host serves at once; bounds connections that a host with many small shards keeps open. */
const STATIONS_MAX = 256;

/** Of configurations kept parsed; a host that serves more connectors than this parses again. */
const CONNECTORS_MAX = 1_024;

export class Sandbox {
  /** Longest unused first. */
  readonly #connectors = new Map<string, { readonly revision: number; readonly opened: OpenedConnector }>();
  /** Longest unused first. */
  readonly #stations = new Map<string, { readonly revision: number; readonly idle: Station[] }>();

  connector({ uid, revision }: Connector): OpenedConnector | undefined {
    const known = this.#connectors.get(uid);
    if (known?.revision !== revision) return undefined;
    useLast(this.#connectors, uid, known);
    return known.opened;
  }

  keepConnector({ uid, revision }: Connector, opened: OpenedConnector): void {
    const known = this.#connectors.get(uid);
    if (known !== undefined && known.revision >= revision) return;
    useLast(this.#connectors, uid, { revision, opened });
    const [oldest] = this.#connectors.keys();
    if (this.#connectors.size > CONNECTORS_MAX && oldest !== undefined) this.#connectors.delete(oldest);
  }

  take(shard: ShardId, revision: number): Station | undefined {
    const kept = this.#stations.get(shard);
    if (kept === undefined) return undefined;
    if (kept.revision === revision) {
      useLast(this.#stations, shard, kept);
      return kept.idle.pop();
    }
    if (kept.revision < revision) this.#drop(shard);
    return undefined;
  }

  keep(shard: ShardId, revision: number, station: Station): void {
    const kept = this.#stations.get(shard);
    if (kept !== undefined && kept.revision > revision) return closeStation(station);
    if (kept === undefined || kept.revision < revision) {
      this.#drop(shard);
      this.#stations.set(shard, { revision, idle: [station] });
    } else {
      kept.idle.push(station);
      useLast(this.#stations, shard, kept);
    }
    const [oldest] = this.#stations.keys();
    if (this.#stations.size > STATIONS_MAX && oldest !== undefined) this.#drop(oldest);
  }

  close(): void {
    for (const shard of [...this.#stations.keys()]) this.#drop(shard);
  }

  #drop(shard: string): void {
    const kept = this.#stations.get(shard);
    this.#stations.delete(shard);
    for (const station of kept?.idle ?? []) closeStation(station);
  }
}

/** A map keeps the order of its insertions, so the first key is the one that was used longest ago. */
function useLast<Value>(kept: Map<string, Value>, key: string, value: Value): void {
  kept.delete(key);
  kept.set(key, value);
}

export function closeStation({ writer, reader }: Station): void {
  closeQuietly(writer);
  closeQuietly(reader?.reader);
}

/** Not awaited, for nobody waits for what is no longer used; and a plugin that cannot close must not end the process. */
export function closeQuietly(used: { close(): Promise<void> } | null | undefined): void {
  used?.close().catch(() => undefined);
}
