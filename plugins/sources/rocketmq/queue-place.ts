/** How far a queue of the other cluster is copied, and what it is known by: a topic that was created anew begins at 0 again. */
import { z } from 'zod';
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

const whole = z.union([z.string().regex(/^\d+$/), z.int().min(0)]).transform((digits) => offset(BigInt(digits)));

/** As an operator may write it: the offset is enough. */
const storedPlace = z.object({
  offset: whole,
  storedAtMs: z.number().optional(),
  first: z.tuple([whole, z.number()]).optional(),
});

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
  const { data, error } = storedPlace.safeParse(json);
  if (data === undefined) {
    throw new FatalTaskError(
      `not a checkpoint of rocketmq-source: ${JSON.stringify(json)}; next: reset the offsets of the connector, to {"offset":"123"} say`,
      { cause: error },
    );
  }
  const { offset: next, storedAtMs = null, first } = data;
  return {
    next,
    lastStoredAtMs: storedAtMs,
    firstRecord: first === undefined ? null : { at: first[0], storedAtMs: first[1] },
  };
}

export function memoryOf({ next, lastStoredAtMs, firstRecord }: QueuePlace): LogMemory {
  return { next, open: [], lastStoredAtMs, firstRecord };
}
