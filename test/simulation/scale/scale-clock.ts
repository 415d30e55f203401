import type { CancelSignal, Clock } from '../../../core/ports.ts';
import type { VirtualTime } from '../world/virtual-time.ts';

/** One clock for everybody: skew is for worlds that look for faults. */
export class ScaleClock implements Clock {
  readonly #time: VirtualTime;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  nowMs(): number {
    return this.#time.nowMs;
  }

  monotonicMs(): number {
    return this.#time.nowMs;
  }

  sleep(durationMs: number, signal?: CancelSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const callOff = this.#time.after(durationMs, resolve);
      const cutShort = (): void => {
        callOff();
        resolve();
      };
      signal?.addEventListener('abort', cutShort, { once: true });
    });
  }
}
