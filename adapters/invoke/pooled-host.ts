/** One thread or process of a pool: what runs in it, since when, and what becomes of that when it ends. */

import { unreachable } from '../../core/assert.ts';
import type { InvocationEnd, Offer } from '../../core/offer.ts';
import type { Telemetry } from '../../core/ports.ts';
import type { ShardId } from '../../core/shard-id.ts';
import type { FromHost, HostHandle, StartHost, TelemetryEntry } from './host-protocol.ts';
import { SignsOfLife } from './signs-of-life.ts';
import type { WakingTime } from './waking-time.ts';

/** From its start until it is ready: a hundred times what it takes, for a machine may have a lot else to do. */
const START_MAX_MS = 20_000;

/** An invocation ends itself before its limit: so late, it is stuck. */
const RESERVE_MS = 2_000;

/** For a host that has nothing left to do to close what it has open. */
const CLOSE_MAX_MS = 5_000;

export interface PooledHostDeps {
  /** `thread`, `process`. */
  readonly what: string;
  readonly start: StartHost;
  readonly time: WakingTime;
  readonly telemetry: Telemetry;
  readonly settings: unknown;
  readonly limitMs: number;
  readonly silenceMs: number;
  readonly parentPid: number;
  ready(): void;
  /**
   * It has ended: with the invocations of `shards`, which had begun; or without having been ready, and `failedStart` says why.
   * Called before they are settled.
   */
  ended(host: PooledHost, how: { readonly shards: readonly ShardId[]; readonly failedStart: string | null }): void;
}

interface Run {
  readonly offer: Offer;
  stuckAtMs: number;
  settle(end: InvocationEnd): void;
}

export class PooledHost {
  readonly #deps: PooledHostDeps;
  readonly #handle: HostHandle;
  readonly #runs = new Map<string, Run>();
  readonly #signsOfLife: SignsOfLife;
  readonly #end = Promise.withResolvers<void>();
  #state: 'starting' | 'ready' | 'closing' | 'ended' = 'starting';
  #wasReady = false;
  /** Its start, its last end of an invocation, or when it was told to close. */
  #quietSinceMs: number;
  #crash: string | null = null;
  #termination: string | null = null;

  constructor(deps: PooledHostDeps) {
    this.#deps = deps;
    this.#quietSinceMs = deps.time.nowMs;
    this.#signsOfLife = new SignsOfLife(deps.time);
    this.#handle = deps.start({ heard: (message) => this.#heard(message), ended: (how) => this.#ended(how) });
    this.#handle.send({ kind: 'start', settings: deps.settings, parentPid: deps.parentPid });
  }

  /** Invocations in it, also those that wait for it to be ready. */
  get running(): number {
    return this.#runs.size;
  }

  get takesOffers(): boolean {
    return (this.#state === 'starting' || this.#state === 'ready') && this.#termination === null;
  }

  get idleMs(): number {
    return this.#runs.size > 0 || this.#state === 'starting' ? 0 : this.#nowMs - this.#quietSinceMs;
  }

  get isSilent(): boolean {
    return this.#signsOfLife.areMissing;
  }

  invoke(offer: Offer, owner: string): Promise<InvocationEnd> {
    const { limitMs } = this.#deps;
    const { promise, resolve } = Promise.withResolvers<InvocationEnd>();
    this.#runs.set(owner, { offer, stuckAtMs: this.#newStuckAtMs(), settle: resolve });
    this.#handle.send({ kind: 'invoke', offer, owner, limitMs });
    return promise;
  }

  /** Resolves when it has ended. */
  close(): Promise<void> {
    if (this.takesOffers) {
      this.#state = 'closing';
      this.#quietSinceMs = this.#nowMs;
      this.#handle.send({ kind: 'close' });
    }
    return this.#end.promise;
  }

  /** To be called every so often: ends it when it has not kept its time. */
  look(): void {
    if (this.#termination !== null) return;
    const { what } = this.#deps;
    const quietMs = this.#nowMs - this.#quietSinceMs;
    if (!this.#wasReady && quietMs > START_MAX_MS) {
      this.#terminate(`the ${what} was not ready ${START_MAX_MS} ms after its start, and was terminated`);
    } else if (this.#state === 'closing' && this.#runs.size === 0 && quietMs > CLOSE_MAX_MS) {
      this.#terminate(`the ${what} did not close, and was terminated`);
    } else if (this.#wasReady && this.#runs.size > 0) {
      this.#lookAtRuns();
    }
  }

  #lookAtRuns(): void {
    for (const { offer, stuckAtMs } of this.#runs.values()) if (stuckAtMs <= this.#nowMs) return this.#terminateStuck(offer);
    if (this.#signsOfLife.silentMs >= this.#deps.silenceMs) return this.#terminateSilent();
    this.#signsOfLife.askIfQuiet(() => this.#handle.send({ kind: 'ping' }));
  }

  get #nowMs(): number {
    return this.#deps.time.nowMs;
  }

  #terminateStuck({ connector }: Offer): void {
    const { what, limitMs, telemetry } = this.#deps;
    const reason = `an invocation of ${connector} did not end within its ${limitMs} ms, so its ${what} was terminated`;
    telemetry.log('error', reason, { connector, ...this.#running() });
    this.#terminate(reason);
  }

  #terminateSilent(): void {
    const { what, silenceMs, telemetry } = this.#deps;
    const offers = [...this.#runs.values()].map(({ offer }) => offer);
    const connectors = [...new Set(offers.map(({ connector }) => connector))].join(', ');
    const which = offers.length === 1 ? 'an invocation' : 'one of the invocations';
    const reason = `${which} of ${connectors} did not let go of its ${what} for ${silenceMs} ms, so that was terminated`;
    telemetry.log('error', reason, this.#running());
    this.#terminate(reason);
  }

  /** As log lines tell it. */
  #running(): { readonly shards: string; readonly invocations: number } {
    const shards = [...this.#runs.values()].map(({ offer }) => offer.shard);
    return { shards: shards.join(' '), invocations: shards.length };
  }

  #terminate(reason: string): void {
    this.#termination = reason;
    this.#handle.terminate();
  }

  #newStuckAtMs(): number {
    return this.#nowMs + this.#deps.limitMs + RESERVE_MS;
  }

  #heard(message: FromHost): void {
    this.#signsOfLife.heard();
    switch (message.kind) {
      case 'ready':
        return this.#ready();
      case 'ended':
        return this.#settle(message.owner, { kind: 'completed', result: message.result });
      case 'threw':
        return this.#settle(message.owner, { kind: 'died', owner: message.owner, isGone: false, message: message.message });
      case 'telemetry':
        for (const entry of message.entries) repeat(this.#deps.telemetry, entry);
        return;
      case 'crashed':
        this.#crash = message.message;
        return;
      case 'pong':
        return;
      default:
        unreachable(message);
    }
  }

  #ready(): void {
    this.#wasReady = true;
    if (this.#state === 'starting') this.#state = 'ready';
    // Those that waited begin now.
    for (const run of this.#runs.values()) run.stuckAtMs = this.#newStuckAtMs();
    this.#deps.ready();
  }

  #settle(owner: string, end: InvocationEnd): void {
    const run = this.#runs.get(owner);
    this.#runs.delete(owner);
    if (this.#runs.size === 0) this.#quietSinceMs = this.#nowMs;
    run?.settle(end);
  }

  #ended(how: string): void {
    const { what, telemetry } = this.#deps;
    const wasClosing = this.#state === 'closing';
    this.#state = 'ended';
    const why = this.#termination ?? this.#crash ?? how;
    const message = this.#termination ?? `the ${what} it ${this.#wasReady ? 'ran' : 'was to run'} in has ended: ${why}`;
    const shards = this.#wasReady ? [...this.#runs.values()].map(({ offer }) => offer.shard) : [];
    if (this.#wasReady && this.#termination === null && (!wasClosing || this.#runs.size > 0)) {
      telemetry.log('error', `a ${what} for invocations has ended: ${why}`, this.#running());
    }
    this.#deps.ended(this, { shards, failedStart: this.#wasReady || wasClosing ? null : why });
    for (const owner of [...this.#runs.keys()]) {
      this.#settle(owner, this.#wasReady ? { kind: 'died', owner, isGone: true, message } : { kind: 'refused', message });
    }
    this.#end.resolve();
  }
}

function repeat(telemetry: Telemetry, entry: TelemetryEntry): void {
  switch (entry[0]) {
    case 'count':
      return telemetry.count(entry[1], entry[2], entry[3]);
    case 'log':
      return telemetry.log(entry[1], entry[2], entry[3]);
    case 'run':
      return telemetry.run(entry[1]);
    default:
      unreachable(entry);
  }
}
