import { systemClock } from '../../adapters/system.ts';
import type { CancelSignal, Clock } from '../../core/ports.ts';

/** The system's clock, which jumps when it is told to: as for a process that was stopped, or a machine that slept. */
export class JumpingClock implements Clock {
  #jumpedMs = 0;
  /** Whoever has slept since the clock was made. */
  #sleeps = 0;

  nowMs(): number {
    return systemClock.nowMs() + this.#jumpedMs;
  }

  monotonicMs(): number {
    return systemClock.monotonicMs() + this.#jumpedMs;
  }

  async sleep(durationMs: number, signal?: CancelSignal): Promise<void> {
    await systemClock.sleep(durationMs, signal);
    this.#sleeps += 1;
  }

  get sleeps(): number {
    return this.#sleeps;
  }

  jump(durationMs: number): void {
    this.#jumpedMs += durationMs;
  }
}
