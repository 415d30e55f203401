const neverNotified = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/**
 * Blocks the thread for some microseconds: shorter than any timer, and the thread that holds the lock gets the processor.
 * What waits longer than a few milliseconds has to use the clock.
 */
export function pause(durationMs: number): void {
  Atomics.wait(neverNotified, 0, 0, durationMs);
}
