import { maxOffset, type Offset, recordsBetween } from './offset.ts';
import type { QueueBounds } from './ports.ts';

/** Records from a position on, or from where retention ended; `null` where either is not known. */
export function backlogFrom(position: Offset | null, bounds: QueueBounds | null): number | null {
  return position === null || bounds === null ? null : recordsBetween(maxOffset(position, bounds.min), bounds.max);
}
