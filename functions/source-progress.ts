/**
 * How far a source's stretch has come, in the plugin's own checkpoints: delivered is what the writer took, safe is what it has made
 * durable, and only that is ever committed (I1). Between two checkpoints there is no place to resume from.
 */
import { type Json, jsonEquals } from '../core/json.ts';
import type { Polled } from './prepare-poll.ts';

export class SourceProgress {
  /** Where the claim found the shard. */
  #start: Json = null;
  #delivered: Json = null;
  #safe: Json = null;
  /** Whether all that a finite source has is delivered, and whether it is safe. */
  #isFinishDelivered = false;
  #isFinishSafe = false;
  #isUncommitted = false;
  /** Whether a checkpoint was ever committed. */
  #hasBegun = false;

  startAt(checkpoint: Json): void {
    this.#hasBegun = checkpoint !== null;
    this.#start = checkpoint;
    this.#delivered = checkpoint;
    this.#safe = checkpoint;
  }

  /** The target holds this much already. */
  resumeAt(checkpoint: Json): void {
    this.#delivered = checkpoint;
    this.#safe = checkpoint;
    this.#isUncommitted = !jsonEquals(checkpoint, this.#start);
  }

  /** `isIdle`: it brought nothing, and its checkpoint is the one before. */
  deliver({ checkpoint, finished }: Polled, { isIdle }: { readonly isIdle: boolean }): void {
    this.#delivered = checkpoint;
    this.#isFinishDelivered = finished === true;
    if (!isIdle) this.#isUncommitted = true;
  }

  flush(): void {
    this.#safe = this.#delivered;
    this.#isFinishSafe = this.#isFinishDelivered;
  }

  commit(): void {
    this.#isUncommitted = false;
    this.#hasBegun = true;
  }

  get delivered(): Json {
    return this.#delivered;
  }

  get safe(): Json {
    return this.#safe;
  }

  get isFlushed(): boolean {
    return this.#safe === this.#delivered;
  }

  get isFinishSafe(): boolean {
    return this.#isFinishSafe;
  }

  get isUncommitted(): boolean {
    return this.#isUncommitted;
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Whether anything was delivered, or is safe, beyond where the claim found it. */
  hasDelivered(): boolean {
    return !jsonEquals(this.#delivered, this.#start);
  }

  isSafeAhead(): boolean {
    return !jsonEquals(this.#safe, this.#start);
  }
}
