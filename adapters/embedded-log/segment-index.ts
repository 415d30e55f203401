import type { Offset } from '../../core/offset.ts';
import type { BatchHeader } from './batch-codec.ts';
import type { OpenSegment, SegmentFiles } from './segment-files.ts';
import { type BatchPlace, placeBehind, walkHeaders } from './segment-walk.ts';
import type { QueueState, Segment } from './topic-catalog.ts';

/** One entry for so many bytes of a segment: what lies between is walked through, in one read. */
const SPACING_BYTES = 64 * 1024;

/** Indexes that are kept; each takes at most some 30 KB. */
const INDEXES_MAX = 128;

/** Batches of one segment, every so often, up to where it was walked through so far. */
interface SegmentIndex {
  readonly places: BatchPlace[];
  /** Of the batch at each place. */
  readonly storedAtMs: number[];
  /** Where to walk on. */
  end: BatchPlace;
}

/**
 * Where batches lie, learned from their headers when somebody first looks, and only as far as needed: a log of any size opens
 * without a scan.
 */
export class SegmentIndexes {
  readonly #files: SegmentFiles;
  readonly #indexes = new Map<string, SegmentIndex>();

  constructor(files: SegmentFiles) {
    this.#files = files;
  }

  /** A batch at or shortly before the one that holds `offset`. @throws {FatalTaskError} `log.damaged` or `log.newer`. */
  find(state: QueueState, segment: Segment, offset: Offset): Promise<BatchPlace> {
    return this.#use(state, segment, async (index, opened) => {
      if (index.end.offset <= offset) await walkOn(index, opened, segment, (_, { offset: first }) => first <= offset);
      return (
        index.places[lastIndex(index.places.length, (at) => (index.places[at]?.offset ?? offset) <= offset)] ?? start(segment)
      );
    });
  }

  /** The first offset of the segment that was stored at or after `atMs`; its end where there is none. @throws as `find`. */
  offsetAt(state: QueueState, segment: Segment, atMs: number): Promise<Offset> {
    return this.#use(state, segment, async (index, opened) => {
      const isBefore = ({ storedAtMs }: BatchHeader): boolean => storedAtMs < atMs;
      await walkOn(index, opened, segment, isBefore);
      const at = lastIndex(index.places.length, (entry) => (index.storedAtMs[entry] ?? atMs) < atMs);
      const from = index.places[at] ?? start(segment);
      return (await walkHeaders({ ...opened, from, endAt: segment.bytes }, isBefore)).offset;
    });
  }

  async #use<Answer>(
    state: QueueState,
    segment: Segment,
    look: (index: SegmentIndex, opened: OpenSegment) => Promise<Answer>,
  ): Promise<Answer> {
    const key = `${state.id}/${segment.firstOffset}`;
    const index = this.#indexes.get(key) ?? { places: [], storedAtMs: [], end: start(segment) };
    this.#indexes.delete(key);
    this.#indexes.set(key, index);
    for (const [oldest] of this.#indexes) {
      if (this.#indexes.size <= INDEXES_MAX) break;
      this.#indexes.delete(oldest);
    }
    const opened = await this.#files.open(state, segment.firstOffset);
    try {
      return await look(index, opened);
    } finally {
      opened.release();
    }
  }
}

/** Walks as long as `isWanted` holds, and keeps an entry now and then. */
async function walkOn(
  index: SegmentIndex,
  { file, path }: OpenSegment,
  { bytes }: Segment,
  isWanted: (header: BatchHeader, place: BatchPlace) => boolean,
): Promise<void> {
  await walkHeaders({ file, path, from: index.end, endAt: bytes }, (header, place) => {
    if (!isWanted(header, place)) return false;
    note(index, header, place);
    return true;
  });
}

/** Of two walks at the same time each batch counts once. */
function note(index: SegmentIndex, header: BatchHeader, place: BatchPlace): void {
  if (place.position !== index.end.position) return;
  const last = index.places.at(-1);
  if (last === undefined || place.position - last.position >= SPACING_BYTES) {
    index.places.push(place);
    index.storedAtMs.push(header.storedAtMs);
  }
  index.end = placeBehind(place, header);
}

function start({ firstOffset }: Segment): BatchPlace {
  return { position: 0, offset: firstOffset };
}

/** The last index below `count` for which `holds` is true, -1 where there is none; true ones come first. */
function lastIndex(count: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
