import { ConnectError } from '../core/errors.ts';
import type { CancelSignal } from '../core/ports.ts';

/**
 * Takes one step after the other, also after one that failed: what one of them needs may be away, and the others need something
 * else. The first failure is thrown at the end; a fault of the program is at once.
 */
export async function inTurn(steps: readonly (() => Promise<void>)[], signal?: CancelSignal): Promise<void> {
  let failure: ConnectError | undefined;
  for (const step of steps) {
    if (signal?.aborted === true) break;
    try {
      await step();
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
}
