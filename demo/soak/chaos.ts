/**
 * Kills processes that run invocations, and the main process with them, while it works and while it starts; starts it again in the
 * same folder, at the same port. What is killed and when is decided by the seed; what it is doing at that moment is not.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf, runningOf, signal } from '../processes.ts';
import { seededRandom } from '../seeded-random.ts';
import type { Server } from '../server.ts';

export interface Kills {
  /** Processes that ran invocations. */
  hosts: number;
  /** The main process, once it was ready. */
  mains: number;
  /** The main process, before. */
  starting: number;
  /** Processes of a killed main process that were frozen meanwhile, and went on only when another one had started. */
  frozen: number;
}

interface Span {
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * A shard whose invocations are killed five times before one gets anywhere is taken for what kills them, and rests for a minute:
 * on a machine with a lot to do an invocation needs a second or two to get anywhere.
 */
const HOST_LIFE: Span = { minMs: 1_000, maxMs: 8_000 };
/** What a frozen process has claimed is taken over some 25 s later: the main process has to live longer than that now and then. */
const MAIN_LIFE: Span = { minMs: 1_000, maxMs: 40_000 };
/** From nothing at all to a few hundred milliseconds of work. */
const STARTING_LIFE: Span = { minMs: 0, maxMs: 1_000 };
const STARTING_SHARE = 0.5;

/** A claim lasts 20 s, and is taken over 5 s later: some wake up before, and some long after. */
const FROZEN: Span = { minMs: 500, maxMs: 40_000 };
const FROZEN_SHARE = 0.5;

/** Of a process, after its main process is gone, or after it was thawed. */
const OUTLIVES_MAX_MS = 10_000;
const LOOK_EVERY_MS = 100;

export class Chaos {
  readonly kills: Kills = { hosts: 0, mains: 0, starting: 0, frozen: 0 };
  readonly #start: () => Server;
  readonly #hostRandom: () => number;
  readonly #mainRandom: () => number;
  /** Processes of main processes that were killed. */
  readonly #orphans = new Set<number>();
  readonly #thaws: Promise<void>[] = [];
  readonly #over = new AbortController();
  #server: Server;

  /** `server` is the first one, and ready; `start` starts the next one. */
  constructor(server: Server, { seed, start }: { readonly seed: number; readonly start: () => Server }) {
    this.#server = server;
    this.#start = start;
    this.#hostRandom = seededRandom(seed);
    this.#mainRandom = seededRandom(seed + 1);
  }

  /** The one that runs now. */
  get server(): Server {
    return this.#server;
  }

  /** Goes on until `untilMs` of the monotonic clock, and leaves one that is ready. @throws {Error} when one ends by itself. */
  async run(untilMs: number): Promise<void> {
    try {
      for (;;) {
        const dies = performance.now() + this.#lifeMs();
        await this.#live(Math.min(dies, untilMs));
        if (dies >= untilMs) break;
        await this.#killMain();
        this.#server = this.#start();
      }
      if ((await this.#server.ready()) === null) throw endedByItself(this.#server);
    } finally {
      this.#over.abort();
      await Promise.all(this.#thaws);
    }
  }

  /** Processes that are still there although their main process is not: none of them may be. */
  async leftOver(): Promise<readonly number[]> {
    const untilMs = performance.now() + OUTLIVES_MAX_MS;
    for (;;) {
      const left = runningOf(this.#orphans);
      if (left.length === 0 || performance.now() > untilMs) return left;
      await sleep(LOOK_EVERY_MS);
    }
  }

  #lifeMs(): number {
    return within(this.#mainRandom() < STARTING_SHARE ? STARTING_LIFE : MAIN_LIFE, this.#mainRandom);
  }

  async #live(untilMs: number): Promise<void> {
    const dying = new AbortController();
    const killing = this.#killHosts(dying.signal);
    const lived = pause(untilMs - performance.now(), dying.signal);
    const isOver = await Promise.race([lived.then(() => true), this.#server.ended.then(() => false)]);
    dying.abort();
    await killing;
    if (!isOver) throw endedByItself(this.#server);
  }

  async #killHosts(dying: AbortSignal): Promise<void> {
    for (;;) {
      await pause(within(HOST_LIFE, this.#hostRandom), dying);
      if (dying.aborted) return;
      const host = one(childrenOf(this.#server.pid), this.#hostRandom);
      if (host !== undefined && signal(host, 'SIGKILL')) this.kills.hosts += 1;
    }
  }

  async #killMain(): Promise<void> {
    const server = this.#server;
    const isReady = server.isReady();
    // Stopped first, so that it starts nothing while what it has started is looked up.
    signal(server.pid, 'SIGSTOP');
    const hosts = childrenOf(server.pid);
    for (const host of hosts) this.#orphans.add(host);
    const host = this.#mainRandom() < FROZEN_SHARE ? one(hosts, this.#mainRandom) : undefined;
    if (host !== undefined) this.#freeze(host);
    signal(server.pid, 'SIGKILL');
    await server.ended;
    this.kills[isReady ? 'mains' : 'starting'] += 1;
  }

  #freeze(host: number): void {
    if (!signal(host, 'SIGSTOP')) return;
    this.kills.frozen += 1;
    this.#thaws.push(pause(within(FROZEN, this.#mainRandom), this.#over.signal).then(() => void signal(host, 'SIGCONT')));
  }
}

function endedByItself(server: Server): Error {
  return new Error(`sortie ended by itself:\n${server.said()}`);
}

function within({ minMs, maxMs }: Span, random: () => number): number {
  return minMs + (maxMs - minMs) * random();
}

function one(pids: readonly number[], random: () => number): number | undefined {
  return pids[Math.floor(random() * pids.length)];
}

async function pause(ms: number, aborted: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: aborted }).catch(() => undefined);
}
