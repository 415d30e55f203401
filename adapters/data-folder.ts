/** State of one machine in one folder, and the log, which is in it or elsewhere; shared by all of its processes and threads. */
import { join, resolve } from 'node:path';
import { makeFoldersSync } from '../clients/files/make-folders.ts';
import type { Clock, LogBroker, Random, StateStore, Telemetry } from '../core/ports.ts';
import { type LogSettings, openLog } from './open-log.ts';
import { checkDatabase } from './sqlite/check-database.ts';
import { SqliteStateStore } from './sqlite/sqlite-state-store.ts';
import { STATE_DATABASE } from './sqlite/state-database.ts';

const STATE_FILE = 'state.db';

export interface DataFolder {
  readonly store: StateStore;
  readonly broker: LogBroker;
  /** For whoever starts: looks at all of what was opened. @throws {ConnectError} what is wrong, and the next step. */
  check(): Promise<void>;
  /** Removes what the log need not keep any more. For one process to do now and then. */
  applyRetention(): Promise<void>;
  close(): Promise<void>;
}

/**
 *     FOLDER/state.db  connectors and cursors
 *     FOLDER/log/      topics, where the log is the embedded one
 *     FOLDER/hosts/    processes that run invocations: invoke/host-marks.ts makes it
 *     FOLDER/compiled/ code for fast starts: whoever opens an invoker makes it
 *
 * Makes the folder where it is missing.
 *
 * @throws {FatalTaskError} what the store and the log throw, each with the path and the next step.
 */
export async function openDataFolder(
  folder: string,
  {
    clock,
    random,
    telemetry,
    log: settings = { kind: 'embedded' },
  }: { readonly clock: Clock; readonly random: Random; readonly telemetry: Telemetry; readonly log?: LogSettings },
): Promise<DataFolder> {
  makeFolder(folder);
  const path = join(folder, STATE_FILE);
  // Before the log, which makes a folder of its own: beside a state that is refused there is to be nothing new.
  const store = new SqliteStateStore({ path, clock, random });
  try {
    const log = await openLog(settings, { folder, clock, telemetry });
    return {
      store,
      broker: log.broker,
      async check() {
        checkDatabase(path, STATE_DATABASE);
        await log.check();
      },
      applyRetention: () => log.applyRetention(),
      async close() {
        await log.close();
        store.close();
      },
    };
  } catch (error) {
    store.close();
    throw error;
  }
}

function makeFolder(folder: string): void {
  try {
    makeFoldersSync(resolve(folder));
  } catch {
    // Whoever opens what is to be in it says why that cannot be, with its path and the next step.
  }
}
