/** An invoker as the composition root has it, and what one is opened with. */
import type { DataFolder } from '../../adapters/data-folder.ts';
import type { LogSettings } from '../../adapters/open-log.ts';
import type { LocalSecretsSettings } from '../../adapters/secrets/local-secrets.ts';
import type { Clock, Invoker, Random, Telemetry } from '../../core/ports.ts';

export interface OpenedInvoker extends Invoker {
  /** Tells what runs to end soon. Resolves when no invocation runs any more, and its end was told. */
  close(): Promise<void>;
}

export interface InvokerParts {
  readonly path: string;
  readonly folder: DataFolder;
  /** Which log it is, and how it is written or reached. */
  readonly log: LogSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** What connectors may name. */
  readonly secrets: LocalSecretsSettings;
}
