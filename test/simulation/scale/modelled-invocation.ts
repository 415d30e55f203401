/**
 * An invocation without records: it claims, commits and gives back as the engine does, with the real transitions and conditional
 * writes; what lies between takes the time that so many records take.
 *
 * read cursor -> claim -> { batches } -> commit, and claim the next -> outcome
 */
import { backoffMs } from '../../../core/backoff.ts';
import { type Claim, claim, claimTail, type LogClaimRequest, type LogSlice } from '../../../core/cursor/claim.ts';
import { closeTail, commit, fail, type Progress, release } from '../../../core/cursor/commit.ts';
import { createLogCursor, type LogCursor, watermark } from '../../../core/cursor/cursor.ts';
import { raiseGate } from '../../../core/cursor/steer.ts';
import { StoredCursor } from '../../../core/cursor/stored-cursor.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import { type InvocationResult, NO_COUNTS, type Offer, type Outcome } from '../../../core/offer.ts';
import { advance, minOffset, type Offset, offset, recordsBetween } from '../../../core/offset.ts';
import { newOwner } from '../../../core/owner.ts';
import type { StateStore } from '../../../core/ports.ts';
import { queueOfShard } from '../../../core/shard-id.ts';
import { TAIL_COMMIT_MS, TAIL_IDLE_MS, TAIL_WAIT_MS } from '../../../functions/invocation.ts';
import { PaceMeter } from '../../../functions/pace-meter.ts';
import type { SeededRandom } from '../world/seeded-random.ts';
import type { CounterLog } from './counter-log.ts';
import type { DeliveryLedger } from './delivery-ledger.ts';
import type { ModelledConnector } from './modelled-connector.ts';
import type { ScaleClock } from './scale-clock.ts';

export interface InvocationDeps {
  readonly store: StateStore;
  readonly clock: ScaleClock;
  readonly random: SeededRandom;
  readonly log: CounterLog;
  readonly ledger: DeliveryLedger;
  readonly skewMaxMs: number;
}

/** As an entry has it by default. */
const CLAIM_MS = 20_000;
/** The default of `consumer.override.max.poll.records`. */
const BATCH_RECORDS = 500;
/** A running slice looks at its gate so often. */
const GATE_CHECK_MS = 1_000;
/** Left of a claim for its end. */
const RESERVE_MS = 4_000;
const RETRY_DELAY_MAX_MS = 60_000;

/** The claim leaves no time for another attempt. */
class GaveUp extends Error {
  override readonly name = 'GaveUp';
}

export class ModelledInvocation {
  readonly #deps: InvocationDeps;
  readonly #connector: ModelledConnector;
  readonly #offer: Offer;
  readonly #queue: MessageQueue;
  readonly #owner: string;
  readonly #pace: PaceMeter;
  readonly #startedAtMs: number;
  readonly #counts = { ...NO_COUNTS };
  #claims = 0;
  #holder = '';
  #deadlineAtMs = 0;
  #at: Offset = offset(0);
  #committed: Offset = offset(0);
  #committedAtMs = 0;
  #seenAtMs = 0;

  constructor(deps: InvocationDeps, connector: ModelledConnector, offer: Offer) {
    this.#deps = deps;
    this.#connector = connector;
    this.#offer = offer;
    this.#queue = queueOfShard(offer.shard) as MessageQueue;
    this.#owner = newOwner(offer.id, deps.random);
    this.#pace = new PaceMeter(deps.clock);
    this.#startedAtMs = deps.clock.nowMs();
  }

  async run(): Promise<InvocationResult> {
    const { store } = this.#deps;
    const shard = ((await StoredCursor.read(this.#deps, this.#offer.shard)) ??
      (await StoredCursor.create(this.#deps, this.#offer.shard, createLogCursor(offset(0))))) as StoredCursor<LogCursor>;
    await store.get(this.#connector.key);
    await this.#deps.log.roundTrip();
    const { gate } = this.#connector;
    const claimed = await this.#changeAndClaim(shard, (cursor) => raiseGate(cursor, gate));
    if (claimed.kind === 'refused') return this.#result(shard, { outcome: null, refusal: claimed });
    return this.#result(shard, { outcome: await this.#slices(shard, claimed.slice), refusal: null });
  }

  async #slices(shard: StoredCursor<LogCursor>, first: LogSlice): Promise<Outcome> {
    const { clock, log } = this.#deps;
    for (let slice: LogSlice | null = first; slice !== null; ) {
      this.#counts.slices += 1;
      this.#start(slice);
      const begunAtMs = clock.monotonicMs();
      let isFinished: boolean;
      try {
        isFinished = await this.#deliver(shard, slice);
      } catch (error) {
        if (!(error instanceof GaveUp)) throw error;
        await this.#giveUp(shard, slice);
        return 'failed';
      }
      this.#connector.slicesMs.push(clock.monotonicMs() - begunAtMs);
      const progress = this.#progress(shard, slice);
      const goesOn = isFinished && clock.monotonicMs() - this.#startedAtMs < this.#offer.quantumMs;
      const readEnd = this.#at;
      this.#deps.ledger.left(shard.shard, this.#holder);
      if (goesOn) {
        const deadlineAtMs = clock.nowMs() + CLAIM_MS;
        const claimed = await this.#changeAndClaim(shard, (cursor) => commit(cursor, progress, deadlineAtMs));
        slice = claimed.kind === 'claimed' ? claimed.slice : null;
      } else {
        await this.#change(shard, (cursor) => release(cursor, progress, readEnd));
        slice = null;
      }
    }
    return watermark(shard.cursor) >= log.maxOf(this.#queue) ? 'drained' : 'yielded';
  }

  /** Batch after batch. `false`: something of the slice is left. */
  async #deliver(shard: StoredCursor<LogCursor>, slice: LogSlice): Promise<boolean> {
    const { clock, log } = this.#deps;
    const { slice: limits } = this.#offer;
    const startedAtMs = clock.monotonicMs();
    let { end } = slice;
    let idleSinceMs: number | null = null;
    while (end === null || this.#at < end) {
      await this.#lookAtGate(shard);
      const max = end ?? log.maxOf(this.#queue);
      if (this.#at < max) {
        idleSinceMs = null;
        const upTo = minOffset(advance(this.#at, BATCH_RECORDS), max);
        if (end === null && recordsBetween(upTo, log.maxOf(this.#queue)) > limits.records) {
          end = upTo;
          await this.#closeTail(shard, slice, end);
        }
        await this.#put(upTo);
      } else {
        idleSinceMs ??= clock.monotonicMs();
        if (clock.monotonicMs() - idleSinceMs >= TAIL_IDLE_MS) return false;
      }
      if (end === null) {
        if (this.#at > this.#committed && (idleSinceMs !== null || clock.monotonicMs() - this.#committedAtMs >= TAIL_COMMIT_MS))
          await this.#commitTail(shard, slice);
        if (idleSinceMs !== null) await log.grown(this.#queue, this.#at, TAIL_WAIT_MS);
      }
      const bytes = recordsBetween(slice.start, this.#at) * this.#connector.bytesPerRecord;
      if (clock.monotonicMs() - startedAtMs >= limits.durationMs || bytes >= limits.bytes) break;
    }
    return end !== null && this.#at >= end;
  }

  /** Up to `upTo`, again and again while the target turns it away and the claim lasts. */
  async #put(upTo: Offset): Promise<void> {
    const { clock, random, ledger, log } = this.#deps;
    const { target, usPerRecord, bytesPerRecord } = this.#connector;
    const records = recordsBetween(this.#at, upTo);
    const tookMs = ((records * usPerRecord) / 1_000) * random.between(0.9, 1.1);
    for (let attempts = 1; !(await target.put(tookMs)); attempts += 1) {
      this.#counts.throttled += 1;
      const pauseMs = backoffMs({ attempts, maxMs: RETRY_DELAY_MAX_MS }, random);
      if (clock.nowMs() + pauseMs > this.#deadlineAtMs - RESERVE_MS) throw new GaveUp();
      this.#counts.retries += 1;
      await clock.sleep(pauseMs);
    }
    const doneUpTo = ledger.put(this.#offer.shard, this.#at, upTo);
    this.#connector.delivered(records, log.finished(this.#queue, doneUpTo));
    this.#counts.read += records;
    this.#counts.delivered += records;
    this.#pace.count(records, records * bytesPerRecord);
    this.#at = upTo;
  }

  async #commitTail(shard: StoredCursor<LogCursor>, slice: LogSlice): Promise<void> {
    const { clock } = this.#deps;
    const progress = this.#progress(shard, slice);
    this.#deadlineAtMs = clock.nowMs() + CLAIM_MS;
    await this.#change(shard, (cursor) => commit(cursor, progress, this.#deadlineAtMs));
    this.#committed = progress.upTo;
    this.#committedAtMs = clock.monotonicMs();
    this.#pace.restart();
  }

  async #closeTail(shard: StoredCursor<LogCursor>, { epoch, generation }: LogSlice, end: Offset): Promise<void> {
    this.#deps.ledger.closed(shard.shard, this.#holder, end);
    await this.#change(shard, (cursor) => closeTail(cursor, { epoch, generation, end }));
  }

  async #giveUp(shard: StoredCursor<LogCursor>, slice: LogSlice): Promise<void> {
    const { clock, random, ledger } = this.#deps;
    const progress = this.#progress(shard, slice);
    const readEnd = this.#at;
    const retryAtMs = clock.nowMs() + backoffMs({ attempts: slice.attempts + 1, maxMs: RETRY_DELAY_MAX_MS }, random);
    ledger.left(shard.shard, this.#holder);
    await this.#change(shard, (cursor) => fail(cursor, progress, { readEnd, error: 'target.throttled', retryAtMs }));
  }

  #start({ start, end }: LogSlice): void {
    const { clock, ledger } = this.#deps;
    this.#at = start;
    this.#committed = start;
    this.#committedAtMs = clock.monotonicMs();
    this.#pace.restart();
    ledger.claimed(this.#offer.shard, this.#holder, { start, end, heldMax: this.#connector.slicesMax });
  }

  async #lookAtGate(shard: StoredCursor<LogCursor>): Promise<void> {
    const { clock } = this.#deps;
    if (clock.monotonicMs() - this.#seenAtMs < GATE_CHECK_MS) return;
    await shard.refresh({ forMs: CLAIM_MS });
    this.#seenAtMs = clock.monotonicMs();
  }

  #progress(shard: StoredCursor<LogCursor>, { epoch, generation }: LogSlice): Progress {
    return {
      epoch,
      generation,
      from: this.#committed,
      upTo: this.#at,
      storedAtMs: null,
      pace: this.#pace.measure(shard.cursor.pace),
    };
  }

  async #changeAndClaim(
    shard: StoredCursor<LogCursor>,
    change: (cursor: LogCursor) => LogCursor,
  ): Promise<Claim<LogCursor, LogSlice>> {
    const request = this.#request();
    const take = this.#offer.mode === 'tail' ? claimTail : claim;
    let claimed: Claim<LogCursor, LogSlice> | undefined;
    await this.#change(shard, (cursor) => {
      const changed = change(cursor);
      claimed = take(changed, request);
      return claimed.kind === 'claimed' ? claimed.cursor : changed;
    });
    return claimed as Claim<LogCursor, LogSlice>;
  }

  #request(): LogClaimRequest {
    const { clock, log, skewMaxMs } = this.#deps;
    const { gate, slicesMax } = this.#connector;
    const nowMs = clock.nowMs();
    this.#claims += 1;
    this.#holder = `${this.#owner}.${this.#claims}`;
    this.#deadlineAtMs = nowMs + CLAIM_MS;
    return {
      holder: { owner: this.#holder, deadlineAtMs: this.#deadlineAtMs },
      nowMs,
      revision: gate.revision,
      graceMs: skewMaxMs,
      ended: this.#offer.ended,
      records: this.#offer.slice.records,
      max: log.maxOf(this.#queue),
      ordered: slicesMax === 1,
      heldMax: slicesMax,
    };
  }

  async #change(shard: StoredCursor<LogCursor>, transition: (cursor: LogCursor) => LogCursor): Promise<void> {
    const { ledger, clock } = this.#deps;
    ledger.committed(shard.shard, await shard.change(transition, { forMs: CLAIM_MS }));
    this.#seenAtMs = clock.monotonicMs();
  }

  #result(
    shard: StoredCursor<LogCursor>,
    {
      outcome,
      refusal,
    }: {
      readonly outcome: Outcome | null;
      readonly refusal: { readonly reason: string; readonly notBeforeMs: number | null } | null;
    },
  ): InvocationResult {
    const counts = { ...this.#counts, storeWrites: shard.writes, conflicts: shard.conflicts };
    this.#connector.ended(counts);
    return {
      run: {
        offerId: this.#offer.id,
        owner: this.#owner,
        connector: this.#offer.connector,
        shard: this.#offer.shard,
        startedAtMs: this.#startedAtMs,
        endedAtMs: this.#deps.clock.nowMs(),
        outcome,
        ...(refusal === null ? {} : { refusal: refusal.reason }),
        counts,
      },
      cursor: shard.document,
      notBeforeMs: refusal?.notBeforeMs ?? null,
    };
  }
}
