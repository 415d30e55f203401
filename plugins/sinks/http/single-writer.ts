/**
 * One request for each record: one after the other, or several at once, those of one key one after the other.
 *
 * A put sends until all are sent, one has to be tried again, or its time is nearly over; it then waits for the answers that are
 * still to come, and says how far it came. Whatever the endpoint took behind a record that is tried again, it gets again.
 */
import { FatalTaskError, RecordError, type RetryableError } from '../../../core/errors.ts';
import type { CancelSignal, Clock } from '../../../core/ports.ts';
import type { ConnectRecord } from '../../../core/record/connect-record.ts';
import { idempotencyKey } from '../../api/idempotency-key.ts';
import type { PutBatch, PutFailure, PutResult, SinkWriter } from '../../api/sink.ts';
import type { Endpoint, HttpRequest } from './endpoint.ts';
import type { HttpSinkSettings } from './http-config.ts';
import { Lanes } from './lanes.ts';
import { putResult } from './put-result.ts';
import { PutTime } from './put-time.ts';
import { type HeadOf, headOf, refusalIn, tooLarge, withKey, withoutValue } from './request-head.ts';

/** What became of a record; `null`: it was taken, or there was nothing to send. */
type Settled = RecordError | RetryableError | FatalTaskError | null;

export class SingleWriter implements SinkWriter {
  readonly #endpoint: Endpoint;
  readonly #clock: Clock;
  readonly #headOf: HeadOf;
  readonly #method: string;
  readonly #keyHeader: string;
  readonly #bytesMax: number;
  readonly #concurrency: number;
  readonly #whenNull: HttpSinkSettings['behavior.on.null.values'];

  constructor(config: HttpSinkSettings, { endpoint, clock }: { readonly endpoint: Endpoint; readonly clock: Clock }) {
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#headOf = headOf(config);
    this.#method = config['request.method'];
    this.#keyHeader = config['idempotency.key.header'];
    this.#bytesMax = config['request.max.bytes'];
    this.#concurrency = config['http.concurrency'];
    this.#whenNull = config['behavior.on.null.values'];
  }

  async put(batch: PutBatch, signal: CancelSignal): Promise<PutResult> {
    const time = new PutTime(this.#clock, { forMs: batch.forMs, signal });
    try {
      time.demandWanted();
      const settled = await this.#sendAll(batch, time);
      time.demandWanted();
      return resultOf(settled);
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

  /** What became of the first records; those behind them were not sent. */
  async #sendAll(batch: PutBatch, time: PutTime): Promise<readonly Settled[]> {
    const settled: Settled[] = [];
    const lanes = new Lanes(this.#concurrency);
    const stop = { isWanted: false };
    for (const [index, record] of batch.records.entries()) {
      await lanes.untilFree(record);
      if (stop.isWanted || lanes.isBroken || (index > 0 && !time.hasRoom())) break;
      lanes.start(record, async () => {
        const outcome = await this.#sendOne(record, batch, time);
        settled[index] = outcome;
        if (outcome !== null && !(outcome instanceof RecordError)) stop.isWanted = true;
      });
    }
    await lanes.untilEmpty();
    return settled;
  }

  async #sendOne(record: ConnectRecord, batch: PutBatch, time: PutTime): Promise<Settled> {
    const request = this.#requestOf(record, batch);
    if (request === null || request instanceof RecordError) return request;
    const verdict = await time.request((signal) => this.#endpoint.send(request, { signal }));
    if (verdict.kind === 'taken' || (verdict.kind === 'refused' && isGone(request, verdict.status))) return null;
    return verdict.error;
  }

  /** `null`: there is nothing to send for it. */
  #requestOf(record: ConnectRecord, slice: PutBatch): HttpRequest | RecordError | null {
    const body = record.valueDatum.bytes ?? null;
    if (body === null && this.#whenNull === 'ignore') return null;
    if (body === null && this.#whenNull === 'fail') return withoutValue();
    if (body !== null && body.length > this.#bytesMax) return tooLarge(body.length, this.#bytesMax);
    try {
      const { url, headers } = this.#headOf(record);
      return {
        method: body === null ? 'DELETE' : this.#method,
        url,
        headers: withKey(headers, this.#keyHeader, idempotencyKey(slice, [record])),
        body,
      };
    } catch (error) {
      return refusalIn(error);
    }
  }
}

/** What is deleted a second time has been deleted. */
function isGone({ method }: HttpRequest, status: number): boolean {
  return method === 'DELETE' && (status === 404 || status === 410);
}

/** A put that cannot go on gives back what comes before first, so that it is kept; the next one begins with what failed. */
function resultOf(settled: readonly Settled[]): PutResult {
  const failures: PutFailure[] = [];
  for (const [index, outcome] of settled.entries()) {
    if (outcome === null) continue;
    if (!(outcome instanceof FatalTaskError)) failures.push({ index, error: outcome });
    else if (index > 0) return putResult(failures, index);
    else throw outcome;
  }
  return putResult(failures, settled.length);
}
