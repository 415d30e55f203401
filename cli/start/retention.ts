/** What is older or more than the log may keep goes, also where nothing is appended any more. */
import type { DataFolder } from '../../adapters/data-folder.ts';
import { messageOf } from '../../core/errors.ts';
import type { CancelSignal, Clock, Telemetry } from '../../core/ports.ts';

const RETENTION_EVERY_MS = 60_000;

/** Resolves when the signal aborts. What cannot be removed now, for whatever reason, is tried again a minute later. */
export async function keepRetention(
  { applyRetention }: Pick<DataFolder, 'applyRetention'>,
  { clock, telemetry }: { readonly clock: Clock; readonly telemetry: Pick<Telemetry, 'log'> },
  signal: CancelSignal,
): Promise<void> {
  for (;;) {
    await clock.sleep(RETENTION_EVERY_MS, signal);
    if (signal.aborted) return;
    try {
      await applyRetention();
    } catch (error) {
      telemetry.log('warn', `retention could not be applied: ${messageOf(error)}`, {});
    }
  }
}
