/**
 * What a warm host keeps between invocations: opened readers and writers, per shard and edition of its configuration.
 *
 * An invocation takes what it finds and gives it back only after a clean end; whatever was part of an error is closed. So is what
 * nobody takes again: once its shard has no work any more, or after it was idle for some minutes.
 */
import type { Connector } from '../core/connector.ts';
import type { Json } from '../core/json.ts';
import type { CancelSignal, Clock } from '../core/ports.ts';
import type { ShardId } from '../core/shard-id.ts';
import type { SinkWriter } from '../plugins/api/sink.ts';
import type { SourceReader } from '../plugins/api/source.ts';
import type { Edition, OpenedConnector } from './opened-connector.ts';
import { Redaction } from './redaction.ts';

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

interface KeptStation {
  readonly shard: ShardId;
  readonly edition: Edition;
  readonly station: Station;
  readonly keptAtMs: number;
}

/** Far more than one host serves at once; bounds the connections that a host with many small shards keeps open. */
const STATIONS_MAX = 256;

/** Five ticks of a minute each. Longer unused, its connections are likely to be cut by what lies between, and serve nobody. */
const STATION_IDLE_MS = 5 * 60_000;

/** Of configurations kept parsed; a host that serves more connectors than this parses again. */
const CONNECTORS_MAX = 1_024;

export class Sandbox {
  readonly #clock: Clock;
  /** Longest unused first. */
  readonly #connectors = new Map<string, OpenedConnector>();
  /** Longest unused first. */
  #stations: readonly KeptStation[] = [];
  readonly #closing = new AbortController();
  #openings = 0;
  /** Of the secrets that were put into any configuration here. */
  readonly redaction = new Redaction();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Aborts when its host is about to end: whatever runs in it is to end soon, with what it has delivered. */
  get closing(): CancelSignal {
    return this.#closing.signal;
  }

  connector({ uid, revision }: Connector): OpenedConnector | undefined {
    const known = this.#connectors.get(uid);
    if (known?.revision !== revision) return undefined;
    useLast(this.#connectors, uid, known);
    return known;
  }

  nextOpening(): number {
    this.#openings += 1;
    return this.#openings;
  }

  keepConnector({ uid }: Connector, opened: OpenedConnector): void {
    const known = this.#connectors.get(uid);
    if (known !== undefined && isNewer(known, opened)) return;
    useLast(this.#connectors, uid, opened);
    const [oldest] = this.#connectors.keys();
    if (this.#connectors.size > CONNECTORS_MAX && oldest !== undefined) this.#connectors.delete(oldest);
  }

  take(shard: ShardId, edition: Edition): Station | undefined {
    this.#dropIdle();
    this.#dropWhere((kept) => kept.shard === shard && isNewer(edition, kept.edition));
    const found = this.#stations.findLast((kept) => kept.shard === shard && !isNewer(kept.edition, edition));
    this.#stations = this.#stations.filter((kept) => kept !== found);
    return found?.station;
  }

  keep(shard: ShardId, { revision, opening }: Edition, station: Station): void {
    const edition = { revision, opening };
    const isNewerKept = this.#stations.some((kept) => kept.shard === shard && isNewer(kept.edition, edition));
    if (isNewerKept || this.closing.aborted) return closeStation(station);
    this.#dropIdle();
    this.#dropWhere((kept) => kept.shard === shard && isNewer(edition, kept.edition));
    this.#stations = [...this.#stations, { shard, edition, station, keptAtMs: this.#clock.nowMs() }];
    const [oldest] = this.#stations;
    if (this.#stations.length > STATIONS_MAX) this.#dropWhere((kept) => kept === oldest);
  }

  /** The shard is not worked on any more: its connector is gone, or its gate closed. */
  drop(shard: ShardId): void {
    this.#dropWhere((kept) => kept.shard === shard);
  }

  /** What is in use now is closed when it is given back. */
  close(): void {
    this.#closing.abort();
    this.#dropWhere(() => true);
  }

  /** By the wall clock, which goes on while a sandbox is frozen. */
  #dropIdle(): void {
    const sinceMs = this.#clock.nowMs() - STATION_IDLE_MS;
    this.#dropWhere(({ keptAtMs }) => keptAtMs <= sinceMs);
  }

  /** Looks at all of them: they are few, and an invocation does so twice. */
  #dropWhere(isDropped: (kept: KeptStation) => boolean): void {
    const dropped = this.#stations.filter(isDropped);
    if (dropped.length === 0) return;
    this.#stations = this.#stations.filter((kept) => !dropped.includes(kept));
    for (const { station } of dropped) closeStation(station);
  }
}

function isNewer(one: Edition, other: Edition): boolean {
  return one.revision > other.revision || (one.revision === other.revision && one.opening > other.opening);
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
