/** State and log of one machine in one folder, shared by all of its processes and threads. */
import { join } from 'node:path';
import type { Clock, LogBroker, Random, StateStore, Telemetry } from '../core/ports.ts';
import { EmbeddedLogBroker, type EmbeddedLogBrokerDeps } from './embedded-log/embedded-log-broker.ts';
import { LOG_DATABASE, LOG_DATABASE_FILE } from './embedded-log/log-schema.ts';
import { checkDatabase } from './sqlite/check-database.ts';
import { SqliteStateStore } from './sqlite/sqlite-state-store.ts';
import { STATE_DATABASE } from './sqlite/state-database.ts';

const STATE_FILE = 'state.db';
const LOG_FOLDER = 'log';

/** How the log is written; the same for everybody who shares it. */
export type LogSettings = Pick<EmbeddedLogBrokerDeps, 'fsync' | 'retention' | 'segmentBytes' | 'recordBytesMax'>;

export interface DataFolder {
  readonly store: StateStore;
  readonly broker: LogBroker;
  /** Removes what the log need not keep any more. For one process to do now and then. */
  applyRetention(): Promise<void>;
  close(): Promise<void>;
}

/**
 *     FOLDER/state.db  connectors and cursors
 *     FOLDER/log/      topics
 *
 * @throws {FatalTaskError} what the store and the log throw, each with the path and the next step.
 */
export async function openDataFolder(
  folder: string,
  {
    clock,
    random,
    telemetry,
    log = {},
  }: { readonly clock: Clock; readonly random: Random; readonly telemetry: Telemetry; readonly log?: LogSettings },
): Promise<DataFolder> {
  // Makes the folder where it is missing.
  const broker = new EmbeddedLogBroker({ ...log, folder: join(folder, LOG_FOLDER), clock, telemetry });
  try {
    const store = new SqliteStateStore({ path: join(folder, STATE_FILE), clock, random });
    return {
      store,
      broker,
      applyRetention: () => broker.applyRetention(),
      async close() {
        await broker.close();
        store.close();
      },
    };
  } catch (error) {
    await broker.close();
    throw error;
  }
}

/** Looks into both databases of a folder that was opened. @throws {FatalTaskError} as `checkDatabase`. */
export function checkDataFolder(folder: string): void {
  checkDatabase(join(folder, STATE_FILE), STATE_DATABASE);
  checkDatabase(join(folder, LOG_FOLDER, LOG_DATABASE_FILE), LOG_DATABASE);
}
