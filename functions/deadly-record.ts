/**
 * The verdict on a record of which every invocation died.
 *
 * Halving has left a slice of one record, and five invocations did not survive it. It is the record, and not what is around
 * it, when other shards of the connector commit meanwhile: then `errors.tolerance=all` lets it go to the dead-letter topic
 * unread. Otherwise the shard fails, and somebody looks.
 */
import { DEATHS_BEFORE_VERDICT } from '../core/cursor/cursor.ts';
import { FatalTaskError, RecordError } from '../core/errors.ts';
import type { Delivery } from './deliver.ts';
import { COMMIT_RESERVE_MS } from './invocation.ts';
import { tolerate } from './tolerance.ts';

/** Whether the slice was such a record, and is finished with. @throws {FatalTaskError} when it must not pass. */
export async function settleDeadlyRecord({ slice, work, tolerance, invocation }: Delivery): Promise<boolean> {
  if (!slice.isSingle || slice.deaths < DEATHS_BEFORE_VERDICT) return false;
  // The target holds it already: the put had landed before the last death.
  if (work.isAtEnd()) return true;
  const message = `${slice.deaths} invocations died on it`;
  const mayPass = tolerance.tolerates === 'all' && invocation.offer.peersCommit;
  const batch = mayPass ? await work.next() : null;
  const [record] = batch?.records ?? [];
  if (batch === null || record === undefined) throw new FatalTaskError(message, { code: 'record.deadly' });
  const refusal = { index: 0, record, stage: 'put' as const, error: new RecordError(message, { code: 'record.deadly' }) };
  const forMs = work.deadline.remainingMs() - COMMIT_RESERVE_MS;
  const describe = (): string => work.describe(record);
  await tolerate(invocation, tolerance, { identity: slice.identity, refusals: [refusal], forMs, describe });
  work.delivered(batch, batch.records.length);
  return true;
}
