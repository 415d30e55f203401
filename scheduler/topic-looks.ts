/**
 * Looks at topics: which queues they have, and where these begin and end. So many a second; first what nobody has looked at,
 * then by how long ago that was, which weighs most where somebody asks or reads, and more where nobody watches.
 *
 * A look that takes long goes on by itself, and its topic is from then on among those that hold up one another and nobody else,
 * as is one that cannot be looked at: until a look at it is as short as others are.
 */
import { ConnectError, messageOf } from '../core/errors.ts';
import type { MessageQueue } from '../core/message-queue.ts';
import type { Clock, LogBroker, QueueBounds, Telemetry } from '../core/ports.ts';

export interface TopicLook {
  readonly topic: string;
  readonly queues: readonly (readonly [MessageQueue, QueueBounds | null])[];
}

interface Topic {
  readonly name: string;
  /** Monotonic; `null` before the first look that is told to all who read it. */
  lookedAtMs: number | null;
  /** Somebody needs to know more than the last look said. */
  isWanted: boolean;
  /** A queue of it has nothing to do, and nobody watches its end. */
  isUnwatched: boolean;
  /** It is read at present, by as many invocations as its backlog deserves, or is about to be. */
  isHot: boolean;
  /** The last look at it failed, or was not waited for. */
  isSlow: boolean;
  /** Looks in a row that failed. */
  failures: number;
  /** No look before, monotonic. */
  notBeforeMs: number;
}

/** Looks under way at once, those that were not waited for included. */
interface Lanes {
  readonly most: number;
  readonly underWay: Set<Topic>;
}

/** A topic that nobody asks about is looked at so often: it may have got another queue. */
const LOOK_EVERY_MS = 30_000;
/** One that is being read: more may have come than those who read it can take. */
const LOOK_HOT_MS = 2_000;
/** As many looks more does one get whose queues nobody watches: only a look finds what comes into it. */
const UNWATCHED_WEIGHT = 4;
/**
 * One that is wanted or hot comes after two seconds before one that nobody watches after two minutes, longer than 5,000 of those
 * take at 50 looks a second. It is a weight, and no class of its own, so that hundreds of them let the others have their turn too.
 */
const WANTED_WEIGHT = 240;
/** Longer ago than any look, whatever it weighs. */
const NEVER_MS = 1e12;
/** What somebody wants to know is not asked more often than this: the log may be the one that is busy. */
const LOOK_AGAIN_MS = 500;

/** Looks under way at once: each is a round trip, and a slow log must not add them up. */
const LOOKS_AT_ONCE = 8;
/** Beside these, at topics that are slow. A log that is back answers in milliseconds: two are as many as there may be in a second. */
const SLOW_LOOKS_AT_ONCE = 2;
/** Several times as long as two round trips to a log on another continent: a look that takes longer is not waited for. */
const SLOW_MS = 1_000;
/** Looks that fail in one round until it ends: each is a line of the log. */
const FAILED_MAX = 8;
/** What cannot be looked at is asked so much later each time, doubled from `LOOK_AGAIN_MS`. */
const FAILED_PAUSE_MAX_MS = 15_000;

export class TopicLooks {
  readonly #broker: LogBroker;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #topics = new Map<string, Topic>();
  readonly #lanes: Lanes = { most: LOOKS_AT_ONCE, underWay: new Set() };
  readonly #slowLanes: Lanes = { most: SLOW_LOOKS_AT_ONCE, underWay: new Set() };
  #isClosed = false;

  constructor({
    broker,
    clock,
    telemetry,
  }: { readonly broker: LogBroker; readonly clock: Clock; readonly telemetry: Telemetry }) {
    this.#broker = broker;
    this.#clock = clock;
    this.#telemetry = telemetry;
  }

  /** The topics that are read at all; what is no longer among them is forgotten. */
  follow(topics: ReadonlyMap<string, unknown>): void {
    for (const topic of this.#topics.keys()) if (!topics.has(topic)) this.#topics.delete(topic);
    for (const topic of topics.keys()) if (!this.#topics.has(topic)) this.#topics.set(topic, newTopic(topic));
  }

  /** Answers whether that is news: one that nobody has looked at yet is looked at anyway. */
  want(topic: string): boolean {
    const known = this.#topics.get(topic);
    if (known === undefined || known.lookedAtMs === null || known.isWanted) return false;
    known.isWanted = true;
    return true;
  }

  /** Somebody reads it to whom no look was told: it comes first, as if nobody had looked yet. */
  newlyRead(topic: string): void {
    const known = this.#topics.get(topic);
    if (known !== undefined) known.lookedAtMs = null;
  }

  heat(topic: string): void {
    const known = this.#topics.get(topic);
    if (known !== undefined) known.isHot = true;
  }

  /** Nothing tells when there is more in it. */
  unwatched(topic: string): void {
    const known = this.#topics.get(topic);
    if (known !== undefined) known.isUnwatched = true;
  }

  /**
   * Looks at up to `max` topics, fewer where too many cannot be looked at now; these stay wanted. Answers how many looks that
   * took, whatever came or is still to come of them.
   */
  async look(max: number, seen: (look: TopicLook) => void): Promise<number> {
    const due = this.#due().slice(0, max);
    const looks = await Promise.all([
      this.#lookAtAll(
        due.filter(({ isSlow }) => !isSlow),
        this.#lanes,
        seen,
      ),
      this.#lookAtAll(
        due.filter(({ isSlow }) => isSlow),
        this.#slowLanes,
        seen,
      ),
    ]);
    return looks[0] + looks[1];
  }

  /** What is still under way is nobody's any more: the log may be closed by now. */
  close(): void {
    this.#isClosed = true;
  }

  async #lookAtAll(topics: readonly Topic[], { most, underWay }: Lanes, seen: (look: TopicLook) => void): Promise<number> {
    const next = topics[Symbol.iterator]();
    let looks = 0;
    let failed = 0;
    const lane = async (): Promise<void> => {
      for (let at = next.next(); at.done !== true && failed < FAILED_MAX; at = next.next()) {
        const topic = at.value;
        looks += 1;
        underWay.add(topic);
        const looking = this.#lookAt(topic, seen).finally(() => underWay.delete(topic));
        topic.isSlow = !(await this.#isInTime(looking));
        // It has the lane until it ends. What it throws then that is no `ConnectError` ends the process, as it would in a loop.
        if (topic.isSlow) return void looking.then(() => undefined);
        if (topic.failures > 0) failed += 1;
        topic.isSlow = topic.failures > 0;
      }
    };
    await Promise.all(Array.from({ length: Math.max(0, most - underWay.size) }, lane));
    return looks;
  }

  async #isInTime(looking: Promise<void>): Promise<boolean> {
    const ended = new AbortController();
    try {
      return await Promise.race([looking.then(() => true), this.#clock.sleep(SLOW_MS, ended.signal).then(() => false)]);
    } finally {
      ended.abort('ended');
    }
  }

  async #lookAt(topic: Topic, seen: (look: TopicLook) => void): Promise<void> {
    topic.lookedAtMs = this.#clock.monotonicMs();
    topic.isWanted = false;
    topic.isUnwatched = false;
    topic.isHot = false;
    try {
      const queues = await this.#broker.queues(topic.name);
      // One that does not exist yet is waited for by somebody.
      topic.isHot ||= queues.length === 0;
      const bounds = await this.#broker.bounds(queues);
      topic.failures = 0;
      if (!this.#isClosed) seen({ topic: topic.name, queues: queues.map((queue, index) => [queue, bounds[index] ?? null]) });
    } catch (error) {
      if (!this.#isClosed) this.#failed(topic, error);
    }
  }

  #failed(topic: Topic, error: unknown): void {
    if (!(error instanceof ConnectError)) throw error;
    const pauseMs = Math.min(LOOK_AGAIN_MS * 2 ** Math.min(topic.failures, 10), FAILED_PAUSE_MAX_MS);
    topic.failures += 1;
    topic.notBeforeMs = this.#clock.monotonicMs() + pauseMs;
    topic.isWanted = true;
    const { name } = topic;
    this.#telemetry.log('warn', `cannot look at topic ${name}: ${messageOf(error)}`, { topic: name, code: error.code });
  }

  /** The most urgent first. */
  #due(): readonly Topic[] {
    const now = this.#clock.monotonicMs();
    const due: { readonly topic: Topic; readonly urgency: number }[] = [];
    for (const topic of this.#topics.values()) {
      if (topic.notBeforeMs > now || this.#lanes.underWay.has(topic) || this.#slowLanes.underWay.has(topic)) continue;
      const { lookedAtMs, isWanted, isHot, isUnwatched } = topic;
      const ageMs = lookedAtMs === null ? NEVER_MS : now - lookedAtMs;
      if ((isWanted && ageMs >= LOOK_AGAIN_MS) || (isHot && ageMs >= LOOK_HOT_MS))
        due.push({ topic, urgency: ageMs * WANTED_WEIGHT });
      else if (isUnwatched && ageMs >= LOOK_AGAIN_MS) due.push({ topic, urgency: ageMs * UNWATCHED_WEIGHT });
      else if (ageMs >= LOOK_EVERY_MS) due.push({ topic, urgency: ageMs });
    }
    return due.sort((a, b) => b.urgency - a.urgency).map(({ topic }) => topic);
  }
}

function newTopic(name: string): Topic {
  const unknown = { lookedAtMs: null, isWanted: false, isUnwatched: false, isHot: false };
  return { name, ...unknown, isSlow: false, failures: 0, notBeforeMs: 0 };
}
