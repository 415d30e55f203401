/**
 * What a shard is, with no thought of how a cursor says it: a set of finished offsets, and who holds which others. Slow, and
 * too simple to be wrong.
 */
import { DEATHS_BEFORE_HALVING, type Gate, OPEN_RANGES_MAX } from '../../../../core/cursor/cursor.ts';
import { CLAIM_MS, GRACE_MS, NOW_MS } from '../../../support/builders.ts';

/** One run of one slice: alive, dead, or a zombie; nobody can tell which. */
export interface Run {
  readonly owner: string;
  readonly epoch: number;
  readonly generation: number;
  /** Up to where it has committed, as it knows itself. */
  from: number;
  /** `null`: a tail. */
  end: number | null;
}

/** Offsets that were claimed together and are not finished. A tail has none yet. */
interface Piece {
  readonly start: number;
  readonly offsets: ReadonlySet<number>;
  /** `null`: free. */
  readonly run: Run | null;
  readonly isTail: boolean;
  /** Of its holder; of a free piece, when it may be claimed. */
  readonly untilMs: number;
  readonly deaths: number;
}

export interface Terms {
  readonly records: number;
  readonly heldMax: number;
  readonly ordered: boolean;
  readonly revision: number;
  readonly wantsTail: boolean;
  /** The claimer was told of the holders whose end was seen. */
  readonly knowsEnds: boolean;
}

interface Grant {
  /** `null`: from `next`. */
  readonly piece: Piece | null;
  readonly start: number;
  readonly end: number | null;
  readonly deaths: number;
}

export class NaiveShard {
  min = 0;
  max: number;
  next: number;
  nowMs = NOW_MS;
  gate: Gate = { state: 'running', revision: 1 };
  /** `null`: running; a time: claims may restart it then. */
  failedUntilMs: number | null = null;
  generation = 1;
  pieces: readonly Piece[] = [];
  /** Delivered and committed, in this generation. */
  finished = new Set<number>();
  /** Lost to retention, or before the position the generation started at. */
  gone = new Set<number>();
  readonly runs: Run[] = [];
  readonly seenToEnd = new Set<Run>();

  constructor({ start, max }: { readonly start: number; readonly max: number }) {
    this.max = max;
    this.next = start;
    this.gone = new Set(upTo(0, start));
  }

  pieceOf(run: Run): Piece | undefined {
    return this.pieces.find((piece) => piece.run === run);
  }

  isLive({ run, untilMs }: Piece, knowsEnds: boolean): boolean {
    return run !== null && untilMs + GRACE_MS > this.nowMs && !(knowsEnds && this.seenToEnd.has(run));
  }

  /** What a claim must get; `null` when it must be refused. */
  grant(terms: Terms): Grant | null {
    if (this.gate.state !== 'running' || this.gate.revision !== terms.revision) return null;
    if (this.failedUntilMs !== null && this.failedUntilMs > this.nowMs) return null;
    const live = this.pieces.filter((piece) => this.isLive(piece, terms.knowsEnds));
    const takeable = this.pieces.filter((piece) => !live.includes(piece) && (piece.run !== null || piece.untilMs <= this.nowMs));
    const [lowest] = this.pieces;
    if (terms.wantsTail && this.pieces.every((piece) => piece.isTail && takeable.includes(piece) && this.max <= this.next)) {
      return { piece: lowest ?? null, start: this.next, end: null, deaths: 0 };
    }
    if (live.length >= (terms.ordered ? 1 : terms.heldMax)) return null;
    const hasRoom = (piece: Piece): boolean =>
      this.pieces.length < OPEN_RANGES_MAX || piece === lowest || !this.#isHalved(piece, piece.offsets.size);
    const found = terms.ordered ? lowest : takeable.find(hasRoom);
    if (found !== undefined) return takeable.includes(found) ? this.#part(found, terms.records) : null;
    const isFull = this.pieces.length >= OPEN_RANGES_MAX || live.some(({ isTail }) => isTail);
    const end = Math.min(this.next + terms.records, this.max);
    return isFull || end <= this.next ? null : { piece: null, start: this.next, end, deaths: 0 };
  }

  /** All of a piece, or its lower half when it killed its holders. */
  #part(piece: Piece, records: number): Grant | null {
    const { start, run } = piece;
    const size = piece.isTail ? Math.min(records, this.max - start) : piece.offsets.size;
    if (size <= 0) return null;
    const deaths = run === null ? piece.deaths : piece.deaths + 1;
    return this.#isHalved(piece, size)
      ? { piece, start, end: start + Math.ceil(size / 2), deaths: DEATHS_BEFORE_HALVING }
      : { piece, start, end: start + size, deaths };
  }

  #isHalved({ run, deaths }: Piece, size: number): boolean {
    return run !== null && deaths + 1 >= DEATHS_BEFORE_HALVING && size > 1;
  }

  take({ piece, start, end, deaths }: Grant, run: Run, { ordered, records }: Terms): void {
    this.runs.push(run);
    this.failedUntilMs = null;
    const taken = {
      start,
      offsets: new Set(upTo(start, end ?? start)),
      run,
      isTail: end === null,
      untilMs: this.nowMs + CLAIM_MS,
      deaths,
    };
    const pieceEnd = piece?.isTail === true ? Math.min(start + records, this.max) : start + (piece?.offsets.size ?? 0);
    const rest = end === null || piece === null ? [] : upTo(end, pieceEnd);
    const isLast = piece?.isTail === true || pieceEnd === this.next;
    this.pieces = this.pieces.filter((other) => other !== piece);
    this.#put(taken);
    if (piece === null || piece.isTail) this.next = Math.max(this.next, end ?? start, pieceEnd);
    if (rest.length === 0) return;
    if (ordered && isLast) this.next = end ?? start;
    else this.#put({ start: end ?? start, offsets: new Set(rest), run: null, isTail: false, untilMs: 0, deaths });
  }

  /** `end`: where a tail that ends here, or is closed, had read to. */
  finish(
    run: Run,
    { to, left, end }: { readonly to: number; readonly left: Pick<Piece, 'run' | 'untilMs'>; readonly end: number | null },
  ): void {
    const piece = this.pieceOf(run);
    if (piece === undefined) throw new Error('not held');
    const start = Math.max(piece.start, to);
    const isTail = piece.isTail && end === null;
    const last = end === null ? start : Math.max(start, end);
    for (const offset of piece.isTail ? upTo(piece.start, start) : [...piece.offsets].filter((each) => each < to))
      this.finished.add(offset);
    const offsets = new Set(piece.isTail ? upTo(start, isTail ? start : last) : [...piece.offsets].filter((each) => each >= to));
    if (piece.isTail) this.next = last;
    this.pieces = this.pieces.filter((other) => other !== piece);
    const deaths = start > piece.start ? 0 : piece.deaths;
    if (offsets.size > 0 || isTail) this.#put({ ...left, start, offsets, isTail, deaths });
  }

  /** Retention has removed everything below `min`. */
  skip(): void {
    if (this.min <= Math.min(this.next, ...this.pieces.map(({ start }) => start))) return;
    for (const offset of upTo(0, this.min)) if (!this.finished.has(offset)) this.gone.add(offset);
    this.next = Math.max(this.next, this.min);
    this.pieces = this.pieces
      .map((piece) => ({
        ...piece,
        start: Math.max(piece.start, this.min),
        offsets: new Set([...piece.offsets].filter((offset) => offset >= this.min)),
      }))
      .filter(({ offsets, isTail }) => isTail || offsets.size > 0);
  }

  reset(position: number): void {
    this.generation += 1;
    this.pieces = [];
    this.next = position;
    this.failedUntilMs = null;
    this.finished = new Set();
    this.gone = new Set(upTo(0, position));
  }

  isDone(offset: number): boolean {
    return this.finished.has(offset) || this.gone.has(offset);
  }

  #put(piece: Piece): void {
    this.pieces = [...this.pieces, piece].sort((a, b) => a.start - b.start);
  }
}

export function upTo(start: number, end: number): readonly number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, index) => start + index);
}
