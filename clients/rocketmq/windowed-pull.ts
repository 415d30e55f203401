/**
 * Reads a stretch of a queue with several pulls in flight.
 *
 * A broker gives some 32 messages for each pull, however many are asked for, which would make a queue as slow as the way to the
 * broker is long. Offsets are dense, so the next pulls are sent before the first is answered: each asks for a *window* as large as
 * what the broker gave last. Where an answer ends before its window does (large messages, those on disk), the rest is asked for
 * next; what came twice is passed over.
 */
import { AssertionError } from '../../core/assert.ts';
import type { Pulled } from './commands/pull-message.ts';

/** Eight were 1.8 times as fast as one on loopback, more did not help; each may be held in memory with 256 KiB. Measured 2026-11-22. */
const IN_FLIGHT_MAX = 8;

/** What a broker gives by default: `maxTransferCountOnMessageInMemory`. RocketMQ 5.3.3, `MessageStoreConfig.java`. */
const FIRST_WINDOW = 32;

/** Far above what brokers are set to give; a pull's number has 32 bits, and a broker makes room for as many. */
const PULL_MESSAGES_MAX = 8_192;

/** Guessed until the first answer. */
const FIRST_BYTES = 1_024;

/** What earlier answers say of the next. Wrong, it costs time and nothing else. */
export interface Pace {
  /** Messages a broker gives for one pull. */
  readonly window: number;
  readonly bytesPerMessage: number;
  /** Where the queue ended; `null` before the first answer. */
  readonly max: bigint | null;
}

export const FIRST_PACE: Pace = { window: FIRST_WINDOW, bytesPerMessage: FIRST_BYTES, max: null };

export interface Stretch {
  readonly from: bigint;
  /** About: some more may be handed over, and are fetched for nothing. */
  readonly messages: number;
  /** Finite. */
  readonly bytes: number;
  pull(offset: bigint, messages: number): Promise<Pulled>;
  /**
   * An answer with messages, and where in the queue the wanted ones begin: those before came already. Answers come in order.
   * `false`: enough.
   */
  take(answer: Pulled, wanted: bigint): boolean;
}

export interface StretchEnd {
  /** The last answer that counted. */
  readonly last: Pulled;
  /** Behind all that came; `from` where nothing did. */
  readonly next: bigint;
  readonly pace: Pace;
}

interface Window {
  readonly from: bigint;
  /** Where the next window begins. */
  readonly end: bigint;
  readonly asked: number;
  readonly answer: Promise<Pulled>;
}

/** Ends at the end of the queue, once `take` has enough, or where a later pull fails; only the first one's failure is thrown. */
export async function pullStretch(stretch: Stretch, known: Pace): Promise<StretchEnd> {
  // The first asks for all there is to be: the answer tells what a broker gives at most.
  const firstSize = Math.min(known.window, stretch.messages);
  const open: Window[] = [
    window(stretch, stretch.from, { size: firstSize, asked: Math.min(stretch.messages, PULL_MESSAGES_MAX) }),
  ];
  let pace = known;
  let next = stretch.from;
  let last: Pulled | null = null;
  for (let current = open.shift(); current !== undefined; current = open.shift()) {
    sendAhead(open, stretch, { from: current.end, pace });
    const answer = await answerOf(current, last !== null);
    if (answer === null) break;
    last = answer;
    const behind = behindOf(answer, current);
    pace = learned(pace, answer, { came: Number(behind - current.from), asked: current.asked });
    const isEnough = answer.status === 'found' && !stretch.take(answer, next);
    if (behind > next) next = behind;
    if (isEnough || behind === current.from || behind >= answer.max) break;
    mend(open, stretch, { from: next, end: current.end, pace });
  }
  if (last === null) throw new AssertionError('the first pull has an answer, or fails');
  return { last, next, pace };
}

/** Where the answer's messages end: where the window began if it has none. */
function behindOf({ status, next }: Pulled, { from }: Window): bigint {
  return status === 'moved' || next < from ? from : next;
}

/** Fills up what may be in flight, as far as messages are known to be there and wanted. */
function sendAhead(
  open: Window[],
  stretch: Stretch,
  { from: first, pace }: { readonly from: bigint; readonly pace: Pace },
): void {
  const { window: size, bytesPerMessage, max } = pace;
  const messages = Math.min(stretch.messages, Math.ceil(stretch.bytes / bytesPerMessage));
  const wantedEnd = stretch.from + BigInt(messages);
  if (max === null) return;
  let from = open.at(-1)?.end ?? first;
  while (open.length < IN_FLIGHT_MAX - 1 && from < wantedEnd && from < max) {
    const next = window(stretch, from, { size, asked: size });
    open.push(next);
    from = next.end;
  }
}

/** The windows in flight go on where the messages did: what came already is dropped, what is missing before them asked for first. */
function mend(
  open: Window[],
  stretch: Stretch,
  { from, end, pace }: { readonly from: bigint; readonly end: bigint; readonly pace: Pace },
): void {
  while (open[0] !== undefined && open[0].end <= from) open.shift();
  const [first] = open;
  if (first !== undefined && first.from <= from) return;
  const nextAt = first?.from ?? (end > from ? end : from + BigInt(pace.window));
  const size = Number(nextAt - from);
  open.unshift(window(stretch, from, { size, asked: size }));
}

function window(stretch: Stretch, from: bigint, { size, asked }: { readonly size: number; readonly asked: number }): Window {
  const answer = stretch.pull(from, asked);
  // Nobody waits for what is in flight once there is enough.
  answer.catch(() => undefined);
  return { from, end: from + BigInt(size), asked, answer };
}

/** `null`: what came before is all there is for now. */
async function answerOf({ answer }: Window, mayFail: boolean): Promise<Pulled | null> {
  try {
    return await answer;
  } catch (error) {
    if (mayFail) return null;
    throw error;
  }
}

/** An answer that the broker cut short, though more was there and asked for, tells what it gives for one pull. */
function learned(pace: Pace, answer: Pulled, { came, asked }: { readonly came: number; readonly asked: number }): Pace {
  if (answer.status !== 'found' || came === 0) return { ...pace, max: answer.max };
  const isCut = came < asked && answer.next < answer.max;
  return {
    window: isCut || came > pace.window ? Math.min(came, PULL_MESSAGES_MAX) : pace.window,
    bytesPerMessage: Math.max(1, Math.ceil(answer.body.length / came)),
    max: answer.max,
  };
}
