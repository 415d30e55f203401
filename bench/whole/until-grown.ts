import { statSync, watch } from 'node:fs';
import { systemClock } from '../../adapters/system.ts';

const MOVES_WITHIN_MS = 20_000;

/** How long it takes from `act` on until a file has more in it. */
export async function untilGrown<Started>(
  file: string,
  act: () => Started,
): Promise<{ readonly tookMs: number; readonly started: Started }> {
  const before = statSync(file).size;
  const ended = new AbortController();
  const grown = new Promise<void>((resolve) => {
    watch(file, { signal: ended.signal }, () => {
      if (statSync(file).size > before) resolve();
    });
  });
  const startedAtMs = performance.now();
  const started = act();
  const late = systemClock.sleep(MOVES_WITHIN_MS, ended.signal).then(() => {
    if (!ended.signal.aborted) throw new Error(`nothing was appended to ${file} within ${MOVES_WITHIN_MS} ms`);
  });
  await Promise.race([grown, late]);
  const tookMs = performance.now() - startedAtMs;
  ended.abort();
  return { tookMs, started };
}
