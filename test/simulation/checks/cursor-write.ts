import type { Cursor } from '../../../core/cursor/cursor.ts';
import type { ShardId } from '../../../core/shard-id.ts';
import type { Incarnation } from '../world/incarnation.ts';

/** One stored change of a cursor, and who made it. */
export interface CursorWrite {
  readonly shard: ShardId;
  readonly caller: Incarnation;
  readonly before: Cursor | null;
  readonly after: Cursor;
}
