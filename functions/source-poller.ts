/** Polls a source's reader and prepares what comes, one batch ahead of its delivery. */
import { assert } from '../core/assert.ts';
import { CHECKPOINT_CHARACTERS_MAX } from '../core/cursor/source-checkpoint.ts';
import { FatalTaskError } from '../core/errors.ts';
import { type Json, jsonEquals } from '../core/json.ts';
import type { CancelSignal } from '../core/ports.ts';
import { type ShardId, sourceNamesOfShard } from '../core/shard-id.ts';
import type { PollLimits, PollResult, SourceReader } from '../plugins/api/source.ts';
import type { ConfiguredSource } from '../plugins/configure.ts';
import { TIMED_OUT, within } from './deadline.ts';
import type { GateWatch } from './gate-watch.ts';
import { type Invocation, TAIL_WAIT_MS } from './invocation.ts';
import { pluginContext } from './open-connector.ts';
import type { Pipeline } from './pipeline.ts';
import { type PreparedPoll, preparePoll } from './prepare-poll.ts';
import { closeQuietly, type PlacedReader } from './sandbox.ts';
import { SliceOver } from './work.ts';

/** How long a poll may take to notice that nobody waits for it any more. */
const ABORT_MS = 10_000;

/** A poll that was begun. */
interface Polling {
  readonly result: Promise<PreparedPoll | typeof TIMED_OUT>;
  readonly abort: AbortController;
  /** Resolves when the reader itself has answered, which may be long after its time is over. */
  readonly settled: Promise<unknown>;
}

export class SourcePoller {
  readonly #invocation: Invocation;
  readonly #shard: ShardId;
  readonly #source: ConfiguredSource;
  readonly #gate: GateWatch;
  readonly #pipeline: Pipeline;
  #reader: SourceReader | null = null;
  /** Of an earlier invocation, until this one opens a reader. */
  #kept: PlacedReader | null;
  #at: Json = null;
  /** Its result was not taken yet. */
  #ahead: Polling | null = null;

  constructor(
    invocation: Invocation,
    parts: {
      readonly shard: ShardId;
      readonly source: ConfiguredSource;
      readonly gate: GateWatch;
      readonly kept: PlacedReader | null;
      readonly pipeline: Pipeline;
    },
  ) {
    this.#invocation = invocation;
    this.#shard = parts.shard;
    this.#source = parts.source;
    this.#gate = parts.gate;
    this.#kept = parts.kept;
    this.#pipeline = parts.pipeline;
  }

  /** Only before the first poll: a reader is opened where the slice begins. */
  startAt(checkpoint: Json): void {
    this.#at = checkpoint;
  }

  /** @throws {FatalTaskError} when the checkpoint is larger than what is kept. */
  async next(limits: { readonly records: number; readonly forMs: number }): Promise<PreparedPoll | typeof TIMED_OUT> {
    this.#ahead ??= this.#poll(limits);
    const prepared = await this.#ahead.result;
    // The reader may still be busy with it.
    if (prepared === TIMED_OUT) return TIMED_OUT;
    this.#ahead = null;
    const { checkpoint } = prepared.result;
    checkSize(checkpoint);
    this.#at = checkpoint;
    return prepared;
  }

  /** Begins the next poll, so that it runs while what was polled is delivered. */
  pollAhead(limits: { readonly records: number; readonly forMs: number }): void {
    this.#ahead = this.#poll(limits);
  }

  /** The reader, for a later invocation; `null` where none was opened, or it stands nobody knows where. */
  placedReader(): PlacedReader | null {
    if (this.#ahead === null) return this.#reader === null ? this.#kept : { reader: this.#reader, at: this.#at };
    this.#leave(this.#ahead);
    return null;
  }

  /** Nobody waits for this poll any more: it is told so, and its reader closed once it has noticed. */
  #leave({ abort, settled }: Polling): void {
    // With a reason, for without one an exception with a stack is made each time.
    abort.abort(TIMED_OUT);
    void within(this.#invocation.host.clock, ABORT_MS, () => settled).then(() => closeQuietly(this.#reader));
  }

  #poll({ records, forMs }: { readonly records: number; readonly forMs: number }): Polling {
    const { host, offer } = this.#invocation;
    const waitMs = offer.mode === 'tail' ? Math.min(TAIL_WAIT_MS, this.#gate.waitMaxMs()) : 0;
    const limits = { records, bytes: offer.slice.bytes, waitMs };
    const abort = new AbortController();
    const polled = this.#pollReader(limits, abort.signal);
    const prepared = async (): Promise<PreparedPoll> => {
      const result = await polled;
      if (abort.signal.aborted) throw new SliceOver();
      return preparePoll(result, this.#pipeline);
    };
    const result = within(host.clock, forMs, prepared, abort);
    // A poll ahead may fail after its slice has ended: then nobody awaits it, and nothing is lost.
    result.catch(() => undefined);
    return { result, abort, settled: polled.catch(() => undefined) };
  }

  async #pollReader(limits: PollLimits, signal: CancelSignal): Promise<PollResult> {
    const reader = await this.#open();
    if (!signal.aborted) return this.#timed(() => reader.poll(limits, signal));
    // Opened after its slice had ended: nobody else knows of it.
    this.#reader = null;
    await reader.close();
    throw new SliceOver();
  }

  /** One that brings nothing may have waited for it, and says nothing of how long a source takes. */
  async #timed(poll: () => Promise<PollResult>): Promise<PollResult> {
    const { host, tally } = this.#invocation;
    const startedAtMs = host.clock.monotonicMs();
    const result = await poll();
    if (result.records.length > 0) tally.measure('pollMs', host.clock.monotonicMs() - startedAtMs);
    return result;
  }

  async #open(): Promise<SourceReader> {
    if (this.#reader !== null) return this.#reader;
    const kept = this.#kept;
    this.#kept = null;
    if (kept !== null && jsonEquals(kept.at, this.#at)) {
      this.#reader = kept.reader;
      return kept.reader;
    }
    closeQuietly(kept?.reader);
    const { host, connector } = this.#invocation;
    const names = sourceNamesOfShard(this.#shard);
    assert(names !== undefined, `not a shard of a source: ${this.#shard}`);
    this.#reader = await this.#source.open(names, this.#at, pluginContext(host, connector, this.#shard));
    return this.#reader;
  }
}

function checkSize(checkpoint: Json): void {
  const size = JSON.stringify(checkpoint).length;
  if (size > CHECKPOINT_CHARACTERS_MAX) {
    throw new FatalTaskError(`the source's checkpoint has ${size} characters, ${CHECKPOINT_CHARACTERS_MAX} are kept`, {
      code: 'source.checkpoint_too_large',
    });
  }
}
