/** What connectors' documents mean, and what of them may be shown, worked out once for each version: a thousand are shown together. */
import { FatalTaskError } from '../core/errors.ts';
import type { Clock, StoredDocument } from '../core/ports.ts';
import type { Registry } from '../plugins/api/registry.ts';
import { withHidden } from './hidden-values.ts';
import { configOf, type KnownConnector, knowConnector } from './known-connector.ts';

export interface ShownConnector extends KnownConnector {
  /** Its configuration, without what is secret. */
  readonly shown: KnownConnector['connector']['config'];
}

/** Far more than are shown together; what was deleted stays until then. */
const KEPT_MAX = 20_000;

export interface KnownConnectorsDeps {
  readonly clock: Clock;
  readonly registry: Registry;
  readonly skewMaxMs: number;
}

export class KnownConnectors {
  readonly #deps: KnownConnectorsDeps;
  readonly #byName = new Map<string, ShownConnector>();

  constructor(deps: KnownConnectorsDeps) {
    this.#deps = deps;
  }

  /** The error when the document cannot be read. */
  async of(name: string, document: StoredDocument): Promise<ShownConnector | FatalTaskError> {
    const before = this.#byName.get(name);
    // A problem may have been that of a moment, such as a plugin that could not be loaded.
    if (before?.version === document.version && before.problem === null) return before;
    const { clock, registry } = this.#deps;
    const known = await knowConnector(document, name, { ...this.#deps, atMs: clock.monotonicMs() });
    if (known instanceof FatalTaskError) return known;
    const shown = { ...known, shown: await withHidden(registry, configOf(known.connector)) };
    if (this.#byName.size >= KEPT_MAX) this.#byName.clear();
    this.#byName.set(name, shown);
    return shown;
  }
}
