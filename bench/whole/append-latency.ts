/** How soon what is appended somewhere, so many times a second, is seen somewhere else. */
import { closeSync, existsSync, openSync, readSync, watch } from 'node:fs';
import { systemClock } from '../../adapters/system.ts';

export interface AppendPace {
  readonly perSecond: number;
  /** Records before those that are measured. */
  readonly warmUp: number;
  readonly records: number;
}

export interface Latencies {
  /** From the call to the line where it is looked for. */
  readonly seenMs: Float64Array;
  /** From the call to its answer. */
  readonly sentMs: Float64Array;
}

/** Where lines come to be seen. */
export interface Lines {
  /** When the line of this number was seen first. */
  seen(number: number): Promise<number>;
}

/** Padded to it, so that each line is as long. */
const DIGITS = 8;
const LINE_BYTES = DIGITS + 1;

export async function measureLatencies(
  { perSecond, warmUp, records }: AppendPace,
  { lines, append }: { readonly lines: Lines; append(line: string, index: number): Promise<void> },
): Promise<Latencies> {
  const seenMs = new Float64Array(records);
  const sentMs = new Float64Array(records);
  const startedAtMs = performance.now();
  const appends: Promise<void>[] = [];
  for (let index = 0; index < warmUp + records; index += 1) {
    // A record that is late keeps no other waiting.
    await systemClock.sleep(startedAtMs + (index * 1_000) / perSecond - performance.now());
    const calledAtMs = performance.now();
    const seen = lines.seen(index).then((atMs) => note(seenMs, index - warmUp, atMs - calledAtMs));
    const sent = append(String(index).padStart(DIGITS, '0'), index).then(() =>
      note(sentMs, index - warmUp, performance.now() - calledAtMs),
    );
    appends.push(seen, sent);
  }
  await Promise.all(appends);
  return { seenMs, sentMs };
}

function note(latenciesMs: Float64Array, index: number, latencyMs: number): void {
  if (index >= 0) latenciesMs[index] = latencyMs;
}

/** Lines that somebody waits for, by their numbers. */
export class AwaitedLines implements Lines {
  readonly #waiting = new Map<number, (atMs: number) => void>();

  seen(number: number): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting.set(number, resolve);
    });
  }

  /** A line as it was appended, seen just now. */
  see(line: string): void {
    const number = Number(line);
    this.#waiting.get(number)?.(performance.now());
    this.#waiting.delete(number);
  }
}

/** Reads a file each time the system says that it has changed. */
export class SeenLines implements Lines {
  readonly #file: number;
  readonly #watcher: ReturnType<typeof watch>;
  readonly #buffer = Buffer.alloc(64 * 1_024);
  readonly #lines = new AwaitedLines();
  #at = 0;

  constructor(path: string) {
    if (!existsSync(path)) throw new Error(`there is no ${path}`);
    this.#file = openSync(path, 'r');
    this.#watcher = watch(path, () => this.#look());
  }

  seen(number: number): Promise<number> {
    return this.#lines.seen(number);
  }

  close(): void {
    this.#watcher.close();
    closeSync(this.#file);
  }

  #look(): void {
    const bytes = readSync(this.#file, this.#buffer, 0, this.#buffer.length, this.#at);
    for (let at = 0; at + LINE_BYTES <= bytes; at += LINE_BYTES) {
      this.#lines.see(this.#buffer.toString('latin1', at, at + DIGITS));
      this.#at += LINE_BYTES;
    }
  }
}
