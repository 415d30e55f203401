/** Finishes what an operator's process left half done: gates behind the connector's document, and deletions. */
import type { Connector } from '../core/connector.ts';
import type { StoreAccess } from '../core/cursor/stored-cursor.ts';
import { ConfigError, ConnectError, messageOf, RetryableError } from '../core/errors.ts';
import type { CancelSignal, Clock, Telemetry } from '../core/ports.ts';
import { sideBySide } from '../core/side-by-side.ts';
import { deleteConnector, raiseGates } from './connector-actions.ts';
import type { ConnectorCatalog } from './connector-catalog.ts';
import type { KnownConnector } from './known-connector.ts';
import type { ShardTable } from './shard-table.ts';

/** The operator's own process is given so long to finish; acting twice does no harm, only work. */
const HEAL_AFTER_MS = 5_000;

/** One that cannot be healed keeps no other one from it, and is left alone for so long. */
const HEAL_AGAIN_MS = 30_000;

/** Each may ask a store that does not answer for ten seconds per document. */
const HEALED_AT_ONCE = 4;

export class Healing {
  readonly #deps: StoreAccess & { readonly telemetry: Telemetry };
  readonly #catalog: ConnectorCatalog;
  readonly #table: ShardTable;
  /** Uids of those that could not be healed, and when that is tried again, monotonic. */
  readonly #failedUntilMs = new Map<string, number>();

  constructor(
    deps: StoreAccess & { readonly telemetry: Telemetry },
    { catalog, table }: { readonly catalog: ConnectorCatalog; readonly table: ShardTable },
  ) {
    this.#deps = deps;
    this.#catalog = catalog;
    this.#table = table;
  }

  /** Names of the connectors whose documents or cursors are other ones now. */
  async heal(signal?: CancelSignal): Promise<readonly string[]> {
    const changed: string[] = [];
    let isStoreAway = false;
    const heal = async ({ connector }: KnownConnector): Promise<void> => {
      try {
        if (connector.targetState === 'deleted') await finishDeletion(this.#deps, connector);
        else await raiseGates(this.#deps, connector);
        this.#failedUntilMs.delete(connector.uid);
      } catch (error) {
        if (!(error instanceof ConnectError)) throw error;
        isStoreAway ||= error instanceof RetryableError;
        this.#failed(connector, error);
      }
      // Where it failed, it may have got so far.
      changed.push(connector.name);
    };
    await sideBySide(this.#due(), HEALED_AT_ONCE, heal, () => !isStoreAway && signal?.aborted !== true);
    return changed;
  }

  #due(): readonly KnownConnector[] {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const uid of this.#failedUntilMs.keys()) if (this.#catalog.get(uid) === undefined) this.#failedUntilMs.delete(uid);
    return [...this.#catalog.all()].filter(
      (known) =>
        nowMs >= (this.#failedUntilMs.get(known.connector.uid) ?? nowMs) && isHalfDone(known, this.#table, this.#deps.clock),
    );
  }

  #failed({ name, uid }: Connector, error: ConnectError): void {
    const { telemetry, clock } = this.#deps;
    if (!this.#failedUntilMs.has(uid))
      telemetry.log('warn', `what an operator began with connector ${name} cannot be finished: ${messageOf(error)}`, {
        connector: name,
        code: error.code,
      });
    this.#failedUntilMs.set(uid, clock.monotonicMs() + HEAL_AGAIN_MS);
  }
}

/** The operator's own process may have got there first, slowly, and its name may be another connector's since. */
async function finishDeletion(deps: StoreAccess, { name, uid }: Connector): Promise<void> {
  try {
    await deleteConnector(deps, name, { ifUid: uid });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
  }
}

/** Where a connector runs, the next invocation of a shard raises its gate; a closed one gets none. */
function isHalfDone({ connector, sinceMs }: KnownConnector, table: ShardTable, clock: Clock): boolean {
  const { targetState, uid, revision } = connector;
  if (targetState === 'running' || clock.monotonicMs() - sinceMs < HEAL_AFTER_MS) return false;
  if (targetState === 'deleted') return true;
  for (const { cursor } of table.ofConnector(uid)) if (cursor !== null && cursor.gate.revision < revision) return true;
  return false;
}
