/** What the cursor of a source's shard holds as its checkpoint. */
import type { Json } from '../json.ts';

/** Of the plugin's own, as JSON: larger ones would make every commit slow. Not bytes, but close enough, and free of an encoder. */
export const CHECKPOINT_CHARACTERS_MAX = 16 * 1024;

export interface SourceCheckpoint {
  /** The plugin's own; `null`: the beginning. */
  readonly p: Json;
  /** The pinned queues of an exactly-once source. */
  readonly q?: Json;
}

export function readSourceCheckpoint(checkpoint: Json): SourceCheckpoint {
  return checkpoint === null ? { p: null } : (checkpoint as unknown as SourceCheckpoint);
}

/** Where an operator wants a source to go on, or a discovery wants a shard to begin: nothing is pinned, for nothing was sent yet. */
export function resumingAt(position: Json): Json {
  return { p: position };
}
