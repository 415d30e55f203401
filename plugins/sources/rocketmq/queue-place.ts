/** How far a queue of the other cluster is copied, and what it is known by: a topic that was created anew begins at 0 again. */
import type { FirstRecord } from '../../../core/cursor/cursor.ts';
import { FatalTaskError } from '../../../core/errors.ts';
import type { Json } from '../../../core/json.ts';
import type { LogMemory } from '../../../core/log-check.ts';
import { type Offset, offset } from '../../../core/offset.ts';

export interface QueuePlace {
  /** The next record to be copied. */
  readonly next: Offset;
  /** When the newest one that was copied was stored there, epoch ms. */
  readonly lastStoredAtMs: number | null;
  /** As the queue was found. */
  readonly firstRecord: FirstRecord | null;
}

/** As an operator may write it: the offset is enough. */
interface StoredPlace {
  readonly offset: string | number;
  readonly storedAtMs?: number;
  readonly first?: readonly [at: string, storedAtMs: number];
}

export function encodePlace({ next, lastStoredAtMs, firstRecord }: QueuePlace): Json {
  return {
    offset: String(next),
    ...(lastStoredAtMs !== null && { storedAtMs: lastStoredAtMs }),
    ...(firstRecord !== null && { first: [String(firstRecord.at), firstRecord.storedAtMs] }),
  };
}

/** `null` for none. @throws {FatalTaskError} for what this source did not write. */
export function decodePlace(json: Json): QueuePlace | null {
  if (json === null) return null;
  try {
    const { offset: next, storedAtMs, first } = json as unknown as StoredPlace;
    return {
      next: offset(BigInt(next)),
      lastStoredAtMs: storedAtMs ?? null,
      firstRecord: first === undefined ? null : { at: offset(BigInt(first[0])), storedAtMs: first[1] },
    };
  } catch (error) {
    throw new FatalTaskError(
      `not a checkpoint of rocketmq-source: ${JSON.stringify(json)}; next: reset the offsets of the connector, to {"offset":"123"} say`,
      { cause: error },
    );
  }
}

export function memoryOf({ next, lastStoredAtMs, firstRecord }: QueuePlace): LogMemory {
  return { next, open: [], lastStoredAtMs, firstRecord };
}
