import type { FirstRecord, LogCursor } from './cursor.ts';

/**
 * Notes the record to know the log by, once a generation. It must be stored before anything of that log is delivered: what a
 * target then holds of it, and no commit covers, cannot be taken for a part of another log.
 */
export function noteFirstRecord(
  cursor: LogCursor,
  { generation, firstRecord }: { readonly generation: number; readonly firstRecord: FirstRecord | null },
): LogCursor {
  if (firstRecord === null || cursor.firstRecord !== null || cursor.generation !== generation) return cursor;
  return { ...cursor, firstRecord };
}
