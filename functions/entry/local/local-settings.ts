import type { LogSettings } from '../../../adapters/open-log.ts';
import type { LocalSecretsSettings } from '../../../adapters/secrets/local-secrets.ts';

/** What the entry is given by whoever starts its invoker: JSON. */
export interface LocalSettings {
  readonly dataFolder: string;
  /** As everybody else who shares the folder has it; absent: the embedded one. */
  readonly log?: LogSettings;
  /** What connectors may name; absent: nothing. */
  readonly secrets?: LocalSecretsSettings;
  /**
   * Address of a module that exports `registry`, in the place of the product's plugins: for tests of what a plugin may do to its
   * host. Nothing that an operator writes gets here, only code that starts an invoker.
   */
  readonly registryModule?: string;
}
