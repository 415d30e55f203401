/**
 * `sortie start`: the composition root. Opens state and log in a data folder, and runs scheduler, invocations and the HTTP API in
 * this process and what it starts. Nothing else in the product knows all the parts.
 */
import type { RequestListener } from 'node:http';
import { resolve } from 'node:path';
import { type DataFolder, openDataFolder } from '../adapters/data-folder.ts';
import { hasEndedWithHosts, sweepHostMarks } from '../adapters/invoke/host-marks.ts';
import type { LogSettings } from '../adapters/open-log.ts';
import { hasEnded, markOf } from '../adapters/process-mark.ts';
import { localSecretsSettings } from '../adapters/secrets/local-secrets.ts';
import { systemClock, systemRandom } from '../adapters/system.ts';
import { makeFoldersSync } from '../clients/files/make-folders.ts';
import { ConnectError, messageOf } from '../core/errors.ts';
import type { Telemetry } from '../core/ports.ts';
import { allPlugins, registry } from '../plugins/registry.ts';
import type { Access } from '../scheduler/app.ts';
import { RunHistory } from '../scheduler/run-history.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import { DEFAULT_SCHEDULER_SETTINGS, type SchedulerSettings } from '../scheduler/settings.ts';
import { CliError } from './cli-error.ts';
import { complaintOf } from './complaint.ts';
import { apiAccess } from './start/api-access.ts';
import { listen } from './start/listen.ts';
import { logSettings } from './start/log-settings.ts';
import { openInvoker } from './start/open-invoker.ts';
import { type OpenedTelemetry, openTelemetry } from './start/open-telemetry.ts';
import { keepRetention } from './start/retention.ts';
import type { WorkerSettings } from './worker-settings.ts';

export interface Started {
  readonly url: string;
  /** Sends no more offers, ends the invocations under way with what they have delivered, and closes everything. */
  stop(): Promise<void>;
}

/** All but the port. */
interface Works {
  loadApi(workerId: string): Promise<RequestListener>;
  /** Of the scheduler and its invocations. */
  stop(): Promise<void>;
  /** Of state and log, once nobody asks any more. */
  close(): Promise<void>;
}

/** @throws {CliError} when something of the environment is not as it must be, naming it and the next step. */
export async function start(worker: WorkerSettings): Promise<Started> {
  const { host, port, json } = worker;
  const { access, tls } = apiAccess(worker);
  const observed = await openTelemetry({ json, logLevel: worker['log.level'] });
  const log = await logSettings(worker, process.env);
  // First of all, for where it is refused nothing was made.
  const server = await listen({ host, port, tls, telemetry: observed.telemetry });
  try {
    const opened = await openWorks(worker, { observed, log, access });
    server.serve(opened.loadApi);
    return {
      url: server.url,
      stop: async () => {
        await opened.stop();
        await server.close();
        await opened.close();
      },
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}

async function openWorks(
  worker: WorkerSettings,
  { observed, log, access }: { readonly observed: OpenedTelemetry; readonly log: LogSettings; readonly access: Access },
): Promise<Works> {
  const { data } = worker;
  const { telemetry, metrics, loggers } = observed;
  const folder = await openData(data, { telemetry, log });
  sweepHostMarks(data, telemetry);
  const { store, broker } = folder;
  const clock = systemClock;
  const random = systemRandom;
  const secrets = localSecretsSettings({
    env: worker['secrets.env'],
    folders: worker['secrets.folders'],
    environment: process.env,
  });
  const invoker = await openInvoker(worker.invoker, { path: data, folder, log, clock, random, telemetry, secrets });
  const settings = schedulerSettings(worker);
  const history = new RunHistory({ store, clock });
  const scheduler = new Scheduler({
    store,
    broker,
    clock,
    random,
    telemetry,
    metrics,
    registry,
    invoker,
    history,
    settings,
    processes: { own: markOf(process.pid), hasEnded, hasEndedWithHosts: (mark) => hasEndedWithHosts(data, mark) },
  });
  const metricsText = () => metrics.text(() => scheduler.scrape());
  const loadApi = async (workerId: string) => {
    const [{ getRequestListener }, { newApp }, { KnownConnectors }] = await Promise.all([
      import('@hono/node-server'),
      import('../scheduler/app.ts'),
      import('../scheduler/known-connectors.ts'),
    ]);
    const { skewMaxMs } = settings;
    const app = newApp({
      ...{ store, broker, clock, random, telemetry, metricsText, registry, scheduler, history, workerId },
      ...{ skewMaxMs, known: new KnownConnectors({ clock, registry, skewMaxMs }) },
      loggers,
      plugins: allPlugins,
      commit: 'unknown',
      access,
    });
    return getRequestListener(app.fetch);
  };
  scheduler.start();
  const ended = new AbortController();
  void keepRetention(folder, { clock, telemetry }, ended.signal);
  return {
    loadApi,
    stop: async () => {
      ended.abort();
      await scheduler.stop();
      await invoker.close();
      await writeRest(history, telemetry);
    },
    close: () => folder.close(),
  };
}

function schedulerSettings(worker: WorkerSettings): SchedulerSettings {
  return {
    ...DEFAULT_SCHEDULER_SETTINGS,
    invocationsMax: worker['invocations.max'],
    sliceTargetMs: worker['slice.target.ms'],
    watchesMax: worker['watches.max'],
    topicLooksPerSecond: worker['topic.looks.per.second'],
    sweepMs: worker['sweep.ms'],
  };
}

async function openData(
  data: string,
  { telemetry, log }: { readonly telemetry: Telemetry; readonly log: LogSettings },
): Promise<DataFolder> {
  try {
    makeFoldersSync(resolve(data));
  } catch (error) {
    throw new CliError(`the data folder ${data} cannot be made: ${messageOf(error)}`, {
      exitCode: 3,
      next: 'name a folder that can be written with --data, or mend its permissions',
    });
  }
  const folder = await openDataFolder(data, { clock: systemClock, random: systemRandom, telemetry, log });
  try {
    await folder.check();
    return folder;
  } catch (error) {
    await folder.close();
    throw atStart(error);
  }
}

/** What would fail a shard keeps all of it from starting: that it is not usable is a matter of the environment then. */
function atStart(error: unknown): unknown {
  const complaint = complaintOf(error);
  if (complaint === null) return error;
  return new CliError(complaint.message, { exitCode: 3, next: complaint.next });
}

/** Of invocations that ended lately. What the store does not take now is missing from history, and nowhere else. */
async function writeRest(history: RunHistory, telemetry: Telemetry): Promise<void> {
  try {
    await history.flushAll();
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    telemetry.log('warn', `the last runs are missing from history: ${messageOf(error)}`, { code: error.code });
  }
}
