/**
 * What expires: whole segments, the oldest first. A queue keeps less than its limit of bytes plus one segment; a record goes
 * when all of its segment is too old.
 */
import { maxOffset, type Offset } from '../../core/offset.ts';
import { lastSegment, type QueueState, type TopicCatalog } from './topic-catalog.ts';

/** For each queue; what is absent is without limit. */
export interface Retention {
  readonly ageMs?: number;
  readonly bytes?: number;
}

export interface Expiry {
  /** The queue without what expired. */
  readonly state: QueueState;
  /** First offsets of the segments that go. */
  readonly segments: readonly Offset[];
  /** Sealed segments below it go. */
  readonly firstKept: Offset;
}

/** `null` where nothing expires. */
export function expiryOf(catalog: TopicCatalog, state: QueueState, retention: Retention, nowMs: number): Expiry | null {
  const segments = [...catalog.segments(state.id), ...(state.segmentBytes === 0 ? [] : [lastSegment(state)])];
  const expired: Offset[] = [];
  let bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  for (const [index, segment] of segments.entries()) {
    const end = segments[index + 1]?.firstOffset ?? state.next;
    bytes -= segment.bytes;
    const isBelowMin = end <= state.min;
    const isOld = retention.ageMs !== undefined && segment.storedAtMs < nowMs - retention.ageMs;
    const isSurplus = retention.bytes !== undefined && bytes >= retention.bytes && end < state.next;
    if (!isBelowMin && !isOld && !isSurplus) break;
    expired.push(segment.firstOffset);
  }
  if (expired.length === 0) return null;
  const firstKept = segments[expired.length]?.firstOffset ?? state.next;
  const kept = { ...state, min: maxOffset(state.min, firstKept) };
  return { state: expired.length === segments.length ? emptied(kept) : kept, segments: expired, firstKept };
}

/** The next record begins a segment. */
function emptied(state: QueueState): QueueState {
  return { ...state, segmentOffset: state.next, segmentBytes: 0, syncedBytes: 0, lastBatchAt: 0 };
}
