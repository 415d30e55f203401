import { messageOf } from '../../core/errors.ts';
import { queueKey } from '../../core/message-queue.ts';
import type { Clock, Telemetry } from '../../core/ports.ts';
import type { LogDatabase } from './log-database.ts';
import { isMissingFile } from './log-error.ts';
import type { SegmentFiles } from './segment-files.ts';
import type { QueueState } from './topic-catalog.ts';

/**
 * Makes appends durable some time after they were acknowledged: what was appended since the last time is lost when the machine
 * loses power. A death of the process loses nothing.
 */
export class IntervalSync {
  readonly #deps: {
    readonly database: LogDatabase;
    readonly files: SegmentFiles;
    readonly clock: Clock;
    readonly telemetry: Telemetry;
  };
  readonly #intervalMs: number;
  readonly #stop = new AbortController();
  /** By queue, as of its last append. */
  readonly #unsynced = new Map<number, QueueState>();
  #running: Promise<void> | null = null;

  constructor(deps: {
    readonly database: LogDatabase;
    readonly files: SegmentFiles;
    readonly clock: Clock;
    readonly telemetry: Telemetry;
    readonly intervalMs: number;
  }) {
    this.#deps = deps;
    this.#intervalMs = deps.intervalMs;
  }

  note(states: readonly QueueState[]): void {
    for (const state of states) this.#unsynced.set(state.id, state);
    this.#running ??= this.#run();
  }

  /** Syncs what is left. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#unsynced.size > 0) {
      await this.#deps.clock.sleep(this.#intervalMs, this.#stop.signal);
      const states = [...this.#unsynced.values()];
      this.#unsynced.clear();
      try {
        await this.#sync(states);
      } catch (error) {
        this.#failed(states, error);
      }
    }
    this.#running = null;
  }

  async #sync(states: readonly QueueState[]): Promise<void> {
    const { database, files } = this.#deps;
    await Promise.all(states.map((state) => syncSegment(files, state)));
    await database.write(
      ({ changes }) => {
        for (const { id, segmentOffset, segmentBytes } of states)
          changes.noteSynced({ queueId: id, segmentOffset, bytes: segmentBytes });
      },
      { durable: true },
    );
  }

  /** The next append of a queue has it tried again. */
  #failed(states: readonly QueueState[], error: unknown): void {
    const queues = states.map(({ queue }) => queueKey(queue)).join(' ');
    this.#deps.telemetry.log('error', 'records were acknowledged that a loss of power would lose: the log cannot be synced', {
      queues,
      error: messageOf(error),
    });
  }
}

/** Nothing is left to do for a segment that is gone, with its topic or by retention. */
async function syncSegment(files: SegmentFiles, state: QueueState): Promise<void> {
  try {
    const { file, release } = await files.open(state, state.segmentOffset);
    await file.datasync().finally(release);
  } catch (error) {
    if (!isMissingFile(error)) throw error;
  }
}
