/** Counts what one invocation did; becomes its run record. */
import { isAssertion } from '../core/assert.ts';
import type { ErrorCode } from '../core/error-codes.ts';
import { ConnectError, messageOf, type Stage } from '../core/errors.ts';
import { type Measure, measureOf, merged } from '../core/measure.ts';
import {
  NO_COUNTS,
  type Offer,
  type Outcome,
  type RunCounts,
  type RunError,
  type RunMeasures,
  type RunRecord,
} from '../core/offer.ts';
import { CommitMeter } from './commit-meter.ts';
import type { Host } from './host.ts';
import { LatencyMeter } from './latency-meter.ts';

/** History is one line a run: the beginning of what a system said is enough to know it by, and pages of runs stay small. */
const TEXT_CHARACTERS_MAX = 1_000;

/** Of one invocation; a source that writes to more tells of the others in later ones. */
const TOPICS_MAX = 100;

type Counts = { -readonly [K in keyof RunCounts]: number };
type Measures = { -readonly [K in keyof RunMeasures]: Measure };

export class RunTally {
  readonly #host: Host;
  readonly #offer: Offer;
  readonly #startedAtMs: number;
  readonly owner: string;
  /** Claims asked for; makes every holder unique. */
  claims = 0;
  /** Where the invocation is, for errors that do not say where they come from. */
  stage: Stage = 'poll';
  readonly counts: Counts = { ...NO_COUNTS };
  readonly latency: LatencyMeter;
  readonly commits: CommitMeter;
  /** Of the slice in hand, or of the last one. */
  epoch: number | null = null;
  readonly #measures: Measures = {};
  readonly #topics = new Set<string>();
  #error: RunError | undefined;

  constructor(host: Host, offer: Offer, owner: string) {
    this.#host = host;
    this.#offer = offer;
    this.#startedAtMs = host.clock.nowMs();
    this.owner = owner;
    this.latency = new LatencyMeter(host.clock);
    this.commits = new CommitMeter(host.clock, this);
  }

  /** Once a batch, or once a commit. */
  measure(what: keyof RunMeasures, value: number): void {
    this.#measures[what] = merged(this.#measures[what], measureOf(value));
  }

  /** A batch that came from the log or the source. */
  noteBatch(records: number): void {
    if (records === 0) return;
    this.counts.read += records;
    this.measure('batchRecords', records);
    this.commits.read(records);
  }

  /** The one error history shows: the last that is told here. What was tolerated, or passed when tried again, shows in the counts. */
  failed(stage: Stage, error: unknown, position?: string): void {
    this.#error = {
      code: codeOf(error),
      stage,
      message: shown(this.#host.sandbox.redaction.text(messageOf(error))),
      ...(position === undefined ? {} : { position: shown(position) }),
    };
  }

  /** The same for an error that ends nothing, and must not hide the one that did. */
  failedBesides(stage: Stage, error: unknown): void {
    if (this.#error === undefined) this.failed(stage, error);
  }

  /** Those of the records of a put. */
  noteTopics(records: readonly { readonly topic: string }[]): void {
    let last: string | undefined;
    for (const { topic } of records) {
      if (topic !== last && this.#topics.size < TOPICS_MAX) this.#topics.add(topic);
      last = topic;
    }
  }

  get topics(): readonly string[] {
    return [...this.#topics];
  }

  record(outcome: Outcome | null, refusal?: string): RunRecord {
    const latenciesMs = this.latency.samplesMs();
    const measures = Object.entries(this.#measures).map(([what, measure]) => [what, rounded(measure)]);
    return {
      offerId: this.#offer.id,
      owner: this.owner,
      connector: this.#offer.connector,
      shard: this.#offer.shard,
      startedAtMs: this.#startedAtMs,
      endedAtMs: this.#host.clock.nowMs(),
      outcome,
      ...(refusal === undefined ? {} : { refusal }),
      ...(this.epoch === null ? {} : { epoch: this.epoch }),
      counts: { ...this.counts },
      ...(measures.length === 0 ? {} : { measures: Object.fromEntries(measures) }),
      ...(latenciesMs.length === 0 ? {} : { latenciesMs }),
      ...(this.#error === undefined ? {} : { error: this.#error }),
    };
  }
}

/** To microseconds: more digits would only make history longer. */
function rounded({ count, sum, min, max }: Measure): Measure {
  const round = (value: number): number => Math.round(value * 1_000) / 1_000;
  return { count, sum: round(sum), min: round(min), max: round(max) };
}

/** Line breaks and other control characters would be the reader's to mind. */
function shown(text: string): string {
  return text.slice(0, TEXT_CHARACTERS_MAX).replace(/\p{Cc}+/gu, ' ');
}

function codeOf(error: unknown): ErrorCode {
  if (error instanceof ConnectError) return error.code;
  return isAssertion(error) ? 'internal.assertion' : 'plugin.failed';
}
