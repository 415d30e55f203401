/**
 * One request for many records that follow one another, one request after the other. No promise is made for a record.
 *
 * A batch that is refused is sent again in parts: batches are half as large until one is taken, and twice as large after each
 * that is. So the refused records are found and those around them taken, however many puts that needs.
 */
import { FatalTaskError, RetryableError } from '../../../core/errors.ts';
import type { CancelSignal, Clock } from '../../../core/ports.ts';
import type { ConnectRecord } from '../../../core/record/connect-record.ts';
import { idempotencyKey } from '../../api/idempotency-key.ts';
import type { PutBatch, PutFailure, PutResult, SinkWriter } from '../../api/sink.ts';
import { resultsIn } from './batch-results.ts';
import { BatchSize } from './batch-size.ts';
import type { Endpoint } from './endpoint.ts';
import { type Gathered, Gatherer } from './gatherer.ts';
import type { HttpSinkSettings } from './http-config.ts';
import { putResult } from './put-result.ts';
import { PutTime } from './put-time.ts';
import { withKey } from './request-head.ts';
import type { Judge, Verdict } from './verdict.ts';

const TOO_LARGE = 413;

/** What became of a batch. `smaller`: it is to be sent in parts. */
type Outcome =
  | { readonly kind: 'settled'; readonly failures: readonly PutFailure[] }
  | { readonly kind: 'smaller'; readonly error: RetryableError }
  | { readonly kind: 'fatal'; readonly error: FatalTaskError };

export class BatchWriter implements SinkWriter {
  readonly #endpoint: Endpoint;
  readonly #judge: Judge;
  readonly #clock: Clock;
  readonly #gatherer: Gatherer;
  readonly #size: BatchSize;
  readonly #method: string;
  readonly #keyHeader: string;
  readonly #splits: boolean;
  readonly #hasResults: boolean;

  constructor(
    config: HttpSinkSettings,
    { endpoint, judge, clock }: { readonly endpoint: Endpoint; readonly judge: Judge; readonly clock: Clock },
  ) {
    this.#endpoint = endpoint;
    this.#judge = judge;
    this.#clock = clock;
    this.#gatherer = new Gatherer(config);
    this.#size = new BatchSize(config['batch.max.size']);
    this.#method = config['request.method'];
    this.#keyHeader = config['idempotency.key.header'];
    this.#splits = config['batch.split.on.refusal'];
    this.#hasResults = config['batch.results'] === 'array';
  }

  async put(batch: PutBatch, signal: CancelSignal): Promise<PutResult> {
    const time = new PutTime(this.#clock, { forMs: batch.forMs, signal });
    try {
      time.demandWanted();
      const result = await this.#sendAll(batch, time);
      time.demandWanted();
      return result;
    } finally {
      time.end();
    }
  }

  async flush(): Promise<void> {
    // What was answered is the endpoint's.
  }

  async close(): Promise<void> {
    // Connections are the host's.
  }

  /** One by one, so that an endpoint gets the records of a queue in order. */
  async #sendAll(batch: PutBatch, time: PutTime): Promise<PutResult> {
    const { records } = batch;
    const failures: PutFailure[] = [];
    let taken = 0;
    let last: Outcome | null = null;
    while (taken < records.length && (last === null || time.hasRoom())) {
      const { gathered, refusals, end } = this.#gatherer.gather(records, { from: taken, size: this.#size.current });
      if (gathered !== null) {
        last = this.#outcomeOf(gathered, await time.request((signal) => this.#send(gathered, batch, signal)));
        if (last.kind === 'fatal') break;
        if (last.kind === 'smaller') continue;
        failures.push(...last.failures);
      }
      failures.push(...refusals);
      taken = end;
      if (failures.some(({ error }) => error instanceof RetryableError)) break;
    }
    // Otherwise what comes before is kept, and the next put begins where this one ends.
    if (taken === 0 && last !== null && last.kind !== 'settled') throw last.error;
    return putResult(failures, taken);
  }

  #send({ head, body, members }: Gathered, { records, ...slice }: PutBatch, signal: AbortSignal): Promise<Verdict> {
    const own = members.map((index) => records[index] as ConnectRecord);
    const headers = withKey(head.headers, this.#keyHeader, idempotencyKey(slice, own));
    const results = this.#hasResults ? members.length : 0;
    return this.#endpoint.send({ method: this.#method, url: head.url, headers, body }, { signal, results });
  }

  #outcomeOf({ members }: Gathered, verdict: Verdict): Outcome {
    switch (verdict.kind) {
      case 'fatal':
        return verdict;
      case 'retry':
        return { kind: 'settled', failures: members.slice(0, 1).map((index) => ({ index, error: verdict.error })) };
      case 'refused':
        if (this.#splits && members.length > 1) return this.#smaller(members.length, verdict);
        return { kind: 'settled', failures: members.map((index) => ({ index, error: verdict.error })) };
      case 'taken':
        this.#size.taken(members.length);
        return this.#hasResults ? this.#resultsOf(members, verdict) : { kind: 'settled', failures: [] };
    }
  }

  /** The error is for the case that the put has no time for the smaller batch any more. */
  #smaller(count: number, { status, error }: Verdict & { readonly kind: 'refused' }): Outcome {
    this.#size.refused(count, { isTooLarge: status === TOO_LARGE });
    return {
      kind: 'smaller',
      error: new RetryableError(`of ${count} records: ${error.message}; fewer are tried`, { cause: error }),
    };
  }

  #resultsOf(members: readonly number[], { answer }: Verdict & { readonly kind: 'taken' }): Outcome {
    const results = resultsIn(answer, members.length);
    if (results === null) return { kind: 'fatal', error: withoutResults(members.length) };
    const failures = results.flatMap(({ status, reason }, at) => {
      const error = this.#judge.judgeResult(status, reason);
      return error === null ? [] : [{ index: members[at] ?? 0, error }];
    });
    return { kind: 'settled', failures };
  }
}

function withoutResults(count: number): FatalTaskError {
  return new FatalTaskError(
    `the answer of a batch is no array of JSON with ${count} results; next: look at what the endpoint answers, and at batch.results`,
  );
}
