import { z } from 'zod';
import { FatalTaskError } from '../../../core/errors.ts';
import type { Json } from '../../../core/json.ts';

const count = z.int().min(0);
const digest = z.object({ bytes: count, crc: count });

const CheckpointSchema = z.object({
  /** How many files of this path were read before it. */
  file: count,
  offset: count,
  inode: z.string(),
  head: digest,
  /** Earlier versions had none. */
  tail: digest.nullable().default(null),
  /** The rest of a line that is too long is still to be skipped. */
  skips: z.boolean(),
  /** The last line was taken before its line feed had come. */
  isOpen: z.boolean(),
  /** Positions of its lines have their checksums; not in a file that an earlier version has begun. */
  hasSums: z.boolean().default(false),
});

export type Checkpoint = z.output<typeof CheckpointSchema>;

export function readCheckpoint(checkpoint: Json): Checkpoint | null {
  if (checkpoint === null) return null;
  const parsed = CheckpointSchema.safeParse(checkpoint);
  if (parsed.success) return parsed.data;
  throw new FatalTaskError(`not a checkpoint of file-source: ${JSON.stringify(checkpoint)}`);
}
