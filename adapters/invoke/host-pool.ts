/**
 * Threads or processes that run invocations: started on demand, stopped when idle, ended when stuck.
 *
 * - An offer goes to a host that runs nothing, if possible the one that is warm for its shard; where all are busy and there may
 *   be more, to a new one; else to the one that runs the least. So each has a processor, and nobody waits for a warm one.
 * - An invocation that is still running two seconds after its limit takes its host with it, and so does one that crashes its host,
 *   or never lets go of it: **every** invocation in it is reported as `died` then, each with its owner, so that what it held is
 *   claimed again at once. From then on each of those shards runs alone, in a host that is there for that, until it has got on:
 *   `suspects.ts`.
 * - A host that was never ready has begun nothing: what waited for it is `refused`. After a start that failed the next one is
 *   tried after a pause, doubled each time; meanwhile there are as many slots as running hosts have.
 * - Nothing is ever `lost`: the end of a thread or process is always seen.
 */
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { InvocationEnd, Offer } from '../../core/offer.ts';
import { newOwner } from '../../core/owner.ts';
import type { Clock, Random, Telemetry } from '../../core/ports.ts';
import type { ShardId } from '../../core/shard-id.ts';
import type { StartHost } from './host-protocol.ts';
import { PooledHost } from './pooled-host.ts';
import { Suspects } from './suspects.ts';
import { WakingTime } from './waking-time.ts';

export interface HostPoolDeps {
  /** The module that a host runs: `functions/entry/local.ts`. */
  readonly entry: URL;
  /** What the entry is given, JSON. */
  readonly settings: unknown;
  /** Where compiled code is kept, for fast starts; made when it is not there. */
  readonly cacheFolder: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Told what the invocations tell theirs, up to a tenth of a second later. */
  readonly telemetry: Telemetry;
  /** Hosts at once; absent: one for each processor. */
  readonly hostsMax?: number;
  /** Invocations at once in one host; absent: 16, for most of their time they wait for a target, a disk or a record. */
  readonly slotsPerHost?: number;
  /** How long an invocation may take; absent: 45 s, a quantum of 30 and then one more slice. */
  readonly limitMs?: number;
  /** A host that answers nothing for so long while it runs something is stuck; absent: 10 s. */
  readonly silenceMs?: number;
  /** A host that ran nothing for so long is stopped; absent: 10 s. */
  readonly idleMs?: number;
}

const SLOTS_PER_HOST = 16;
const LIMIT_MS = 45_000;
const IDLE_MS = 10_000;

/** What keeps a thread without being stuck: 5 s for a log that another process recovers, and far less for any batch. Twice that. */
const SILENCE_MS = 10_000;

/** How late a stuck or an idle host is noticed. */
const LOOK_EVERY_MS = 100;

/** The first pause after a start that failed, and the longest. */
const START_PAUSE_MS = 250;
const START_PAUSE_MAX_MS = 30_000;

/** A sandbox keeps 256 writers warm; this is for a dozen of them. The one that was remembered first is forgotten. */
const WARM_SHARDS_MAX = 4_096;

export class HostPool {
  readonly #deps: HostPoolDeps;
  readonly #kind: { readonly what: string; readonly start: StartHost };
  readonly #hostsMax: number;
  readonly #slotsPerHost: number;
  readonly #idleMs: number;
  readonly #time: WakingTime;
  readonly #all = new Set<PooledHost>();
  /** All but the one for those that run alone. The one that was used last comes last, so that the others may become idle. */
  readonly #hosts = new Set<PooledHost>();
  readonly #suspects = new Suspects();
  #hostOfSuspects: PooledHost | undefined;
  readonly #warm = new Map<ShardId, PooledHost>();
  #isLooking = false;
  #isClosed = false;
  #failedStarts = 0;
  #failure = '';
  #nextStartAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: HostPoolDeps, kind: { readonly what: string; readonly start: StartHost }) {
    this.#deps = deps;
    this.#kind = kind;
    this.#hostsMax = deps.hostsMax ?? availableParallelism();
    this.#slotsPerHost = deps.slotsPerHost ?? SLOTS_PER_HOST;
    this.#idleMs = deps.idleMs ?? IDLE_MS;
    this.#time = new WakingTime(deps.clock);
  }

  async invoke(offer: Offer): Promise<InvocationEnd> {
    if (this.#suspects.has(offer.shard)) {
      return this.#suspects.invoke(offer, (alone) => this.#invokeIn(this.#chooseForSuspects(), alone));
    }
    const host = this.#choose(offer.shard);
    if (host !== undefined) this.#useLast(host, offer.shard);
    return this.#invokeIn(host, offer);
  }

  async #invokeIn(host: PooledHost | undefined, offer: Offer): Promise<InvocationEnd> {
    if (host === undefined) return { kind: 'refused', message: this.#refusal() };
    return host.invoke(offer, newOwner(offer.id, this.#deps.random));
  }

  freeSlots(): number {
    if (this.#isClosed) return 0;
    let free = this.#startable() * this.#slotsPerHost;
    for (const host of this.#hosts) if (host.takesOffers) free += this.#slotsPerHost - host.running;
    return free;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#all].map((host) => host.close()));
  }

  #choose(shard: ShardId): PooledHost | undefined {
    if (this.#isClosed) return undefined;
    const warm = this.#warm.get(shard);
    if (warm?.takesOffers === true && warm.running === 0) return warm;
    const open = [...this.#hosts].filter((host) => host.takesOffers && host.running < this.#slotsPerHost);
    const idle = open.findLast((host) => host.running === 0);
    if (idle !== undefined) return idle;
    if (this.#startable() > 0) return this.#start();
    return open.toSorted((one, other) => Number(one.isSilent) - Number(other.isSilent) || one.running - other.running)[0];
  }

  #chooseForSuspects(): PooledHost | undefined {
    if (this.#isClosed) return undefined;
    if (this.#hostOfSuspects?.takesOffers !== true) this.#hostOfSuspects = this.#isPaused() ? undefined : this.#start();
    return this.#hostOfSuspects;
  }

  #isPaused(): boolean {
    return this.#deps.clock.monotonicMs() < this.#nextStartAtMs;
  }

  /** Hosts that may be started now, beside those there are. One that only has to close what it has open is not in the way. */
  #startable(): number {
    if (this.#isPaused()) return 0;
    let startable = this.#hostsMax;
    for (const host of this.#hosts) if (host.takesOffers || host.running > 0) startable -= 1;
    return startable;
  }

  #start(): PooledHost {
    const { telemetry, settings, limitMs = LIMIT_MS, silenceMs = SILENCE_MS } = this.#deps;
    this.#time.look();
    const host = new PooledHost({
      ...this.#kind,
      time: this.#time,
      telemetry,
      settings,
      limitMs,
      silenceMs,
      parentPid: process.pid,
      ready: () => {
        this.#failedStarts = 0;
      },
      ended: (ended, { shards, failedStart }) => {
        this.#forget(ended);
        this.#suspects.add(shards);
        if (failedStart !== null) this.#startFailed(failedStart);
      },
    });
    this.#all.add(host);
    void this.#look();
    return host;
  }

  /** Goes on while there are hosts: each ends of itself, or is ended for not keeping its time. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    while (this.#all.size > 0) {
      await this.#deps.clock.sleep(LOOK_EVERY_MS);
      this.#time.look();
      for (const host of this.#all) {
        host.look();
        if (host.takesOffers && host.idleMs >= this.#idleMs) void host.close();
      }
    }
    this.#isLooking = false;
  }

  #startFailed(why: string): void {
    const { clock, telemetry, entry } = this.#deps;
    const pauseMs = Math.min(START_PAUSE_MS * 2 ** Math.min(this.#failedStarts, 10), START_PAUSE_MAX_MS);
    this.#failedStarts += 1;
    this.#nextStartAtMs = clock.monotonicMs() + pauseMs;
    this.#failure = `no ${this.#kind.what} of ${fileURLToPath(entry)} can be started: ${why}`;
    telemetry.log('error', `${this.#failure}; next: mend that, it is tried again in ${pauseMs} ms`, {
      failedStarts: this.#failedStarts,
    });
  }

  #refusal(): string {
    if (this.#isClosed) return 'the invoker is closed';
    if (this.#isPaused()) return this.#failure;
    return `all ${this.#hostsMax * this.#slotsPerHost} slots are taken`;
  }

  #useLast(host: PooledHost, shard: ShardId): void {
    this.#hosts.delete(host);
    this.#hosts.add(host);
    this.#warm.delete(shard);
    this.#warm.set(shard, host);
    const [oldest] = this.#warm.keys();
    if (this.#warm.size > WARM_SHARDS_MAX && oldest !== undefined) this.#warm.delete(oldest);
  }

  #forget(host: PooledHost): void {
    this.#all.delete(host);
    this.#hosts.delete(host);
    for (const [shard, warm] of this.#warm) if (warm === host) this.#warm.delete(shard);
  }
}
