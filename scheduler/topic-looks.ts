/**
 * Looks at topics: which queues they have, and where these begin and end. So many a second; first what nobody has looked at,
 * then by how long ago that was, which weighs most where somebody asks or reads, and more where nobody watches.
 */
import { ConnectError, messageOf } from '../core/errors.ts';
import type { MessageQueue } from '../core/message-queue.ts';
import type { Clock, LogBroker, QueueBounds, Telemetry } from '../core/ports.ts';
import { sideBySide } from '../core/side-by-side.ts';

export interface TopicLook {
  readonly topic: string;
  readonly queues: readonly (readonly [MessageQueue, QueueBounds | null])[];
}

interface Topic {
  /** Monotonic; `null` before the first look. */
  lookedAtMs: number | null;
  /** Somebody needs to know more than the last look said. */
  isWanted: boolean;
  /** A queue of it has nothing to do, and nobody watches its end. */
  isUnwatched: boolean;
  /** It is read at present, by as many invocations as its backlog deserves, or is about to be. */
  isHot: boolean;
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
/** Looks that fail in one round until it ends: each may have taken half a minute, and there is more to learn than this. */
const FAILED_MAX = 8;

export class TopicLooks {
  readonly #broker: LogBroker;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #topics = new Map<string, Topic>();

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
    for (const topic of topics.keys())
      if (!this.#topics.has(topic))
        this.#topics.set(topic, { lookedAtMs: null, isWanted: false, isUnwatched: false, isHot: false });
  }

  /** Answers whether that is news: one that nobody has looked at yet is looked at anyway. */
  want(topic: string): boolean {
    const known = this.#topics.get(topic);
    if (known === undefined || known.lookedAtMs === null || known.isWanted) return false;
    known.isWanted = true;
    return true;
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
   * took, whatever came of them.
   */
  async look(max: number, seen: (look: TopicLook) => void): Promise<number> {
    let looks = 0;
    let failed = 0;
    await sideBySide(this.#due().slice(0, max), LOOKS_AT_ONCE, async (topic) => {
      if (failed >= FAILED_MAX) return;
      looks += 1;
      const look = await this.#lookAt(topic);
      if (look === null) failed += 1;
      else seen(look);
    });
    return looks;
  }

  async #lookAt(topic: string): Promise<TopicLook | null> {
    const known = this.#topics.get(topic);
    if (known === undefined) return null;
    known.lookedAtMs = this.#clock.monotonicMs();
    known.isWanted = false;
    known.isUnwatched = false;
    known.isHot = false;
    try {
      const queues = await this.#broker.queues(topic);
      // One that does not exist yet is waited for by somebody.
      known.isHot ||= queues.length === 0;
      const bounds = await this.#broker.bounds(queues);
      return { topic, queues: queues.map((queue, index) => [queue, bounds[index] ?? null]) };
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      known.isWanted = true;
      this.#telemetry.log('warn', `cannot look at topic ${topic}: ${messageOf(error)}`, { topic, code: error.code });
      return null;
    }
  }

  /** The most urgent first. */
  #due(): readonly string[] {
    const now = this.#clock.monotonicMs();
    const due: { readonly topic: string; readonly urgency: number }[] = [];
    for (const [topic, { lookedAtMs, isWanted, isHot, isUnwatched }] of this.#topics) {
      const ageMs = lookedAtMs === null ? NEVER_MS : now - lookedAtMs;
      if ((isWanted && ageMs >= LOOK_AGAIN_MS) || (isHot && ageMs >= LOOK_HOT_MS))
        due.push({ topic, urgency: ageMs * WANTED_WEIGHT });
      else if (isUnwatched && ageMs >= LOOK_AGAIN_MS) due.push({ topic, urgency: ageMs * UNWATCHED_WEIGHT });
      else if (ageMs >= LOOK_EVERY_MS) due.push({ topic, urgency: ageMs });
    }
    return due.sort((a, b) => b.urgency - a.urgency).map(({ topic }) => topic);
  }
}
