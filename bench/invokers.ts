/** What an invocation costs by the way it is invoked: in this process, in a thread, in a child process; on SQLite and the embedded log. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DataFolder, openDataFolder } from '../adapters/data-folder.ts';
import type { HostPoolDeps } from '../adapters/invoke/host-pool.ts';
import { InProcessInvoker } from '../adapters/invoke/in-process-invoker.ts';
import { ProcessInvoker } from '../adapters/invoke/process-invoker.ts';
import { ThreadInvoker } from '../adapters/invoke/thread-invoker.ts';
import { LocalSecrets, NO_SECRETS } from '../adapters/secrets/local-secrets.ts';
import { systemClock, systemFetch, systemRandom } from '../adapters/system.ts';
import type { Offer } from '../core/offer.ts';
import type { Invoker, Telemetry } from '../core/ports.ts';
import { queueShardId } from '../core/shard-id.ts';
import type { LocalSettings } from '../functions/entry/local/local-settings.ts';
import { DEFAULT_SETTINGS } from '../functions/host.ts';
import { runInvocation } from '../functions/run-invocation.ts';
import { Sandbox } from '../functions/sandbox.ts';
import { registry } from '../plugins/registry.ts';
import { createConnector } from '../scheduler/connector-actions.ts';
import { quantile, type Report } from './figure.ts';

const WARM_UP_INVOCATIONS = 500;
const INVOCATIONS = 3_000;

/** The slots of one host. */
const AT_ONCE = 16;

/** The first one fills the cache of compiled code, and does not count. */
const STARTS = 8;

const LIMIT_MS = 45_000;

const ignore = (): void => undefined;
const silent: Telemetry = { count: ignore, log: ignore, run: ignore };
const world = { clock: systemClock, random: systemRandom, fetch: systemFetch, telemetry: silent };

export async function run(report: Report): Promise<void> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'sortie-bench-'));
  const folder = await openDataFolder(dataFolder, world);
  try {
    report.note(
      `state and log in ${dataFolder}; discard-sink, its queue read to the end: there is nothing to claim; Node ${process.version}`,
    );
    report.note('reference: the same in this process; its telemetry is silent, that of the others is handed on in batches');
    await measure(report, { dataFolder, folder, offer: await aDrainedShard(folder) });
  } finally {
    await folder.close();
    rmSync(dataFolder, { recursive: true, force: true });
  }
}

interface Setting {
  readonly dataFolder: string;
  readonly folder: DataFolder;
  readonly offer: Offer;
}

async function measure(report: Report, { dataFolder, folder, offer }: Setting): Promise<void> {
  const reference = await measureInvoker(inProcess(folder), offer);
  const figures = (name: string, { medianMs, slowMs, perSecond }: Measured, beside?: Measured): void => {
    const ms = { unit: 'ms', goal: 'printed' } as const;
    report.figure({ name: `${name}, empty warm invocation, median`, value: medianMs, ...ms, ...referenceOf(beside?.medianMs) });
    report.figure({ name: `${name}, 99th percentile`, value: slowMs, ...ms, ...referenceOf(beside?.slowMs) });
    const rate = { unit: '/s', goal: 'printed' } as const;
    report.figure({ name: `${name}, ${AT_ONCE} at once`, value: perSecond, ...rate, ...referenceOf(beside?.perSecond) });
  };
  figures('in process', reference);
  const settings = { dataFolder } satisfies LocalSettings;
  const entry = new URL('../functions/entry/local.ts', import.meta.url);
  const deps: HostPoolDeps = { ...world, entry, settings, cacheFolder: join(dataFolder, 'cache'), hostsMax: 1 };
  for (const [name, newInvoker] of [
    ['thread', () => new ThreadInvoker(deps)],
    ['process', () => new ProcessInvoker(deps)],
  ] as const) {
    const startMs = await measureStart(newInvoker, offer);
    report.figure({ name: `${name}, first invocation, with its start, median`, value: startMs, unit: 'ms', goal: 'printed' });
    const invoker = newInvoker();
    figures(name, await measureInvoker(invoker, offer), reference);
    await invoker.close();
  }
}

function referenceOf(reference: number | undefined): { readonly reference?: number } {
  return reference === undefined ? {} : { reference };
}

interface Measured {
  readonly medianMs: number;
  readonly slowMs: number;
  readonly perSecond: number;
}

async function measureInvoker(invoker: Invoker, offer: Offer): Promise<Measured> {
  for (let warmUp = 0; warmUp < WARM_UP_INVOCATIONS; warmUp += 1) await invoke(invoker, offer);
  const durationsMs = new Float64Array(INVOCATIONS);
  for (let index = 0; index < INVOCATIONS; index += 1) durationsMs[index] = await timed(() => invoke(invoker, offer));
  const lane = async (): Promise<void> => {
    for (let index = 0; index < INVOCATIONS / AT_ONCE; index += 1) await invoke(invoker, offer);
  };
  const allMs = await timed(() => Promise.all(Array.from({ length: AT_ONCE }, lane)));
  return {
    medianMs: quantile(durationsMs, 0.5),
    slowMs: quantile(durationsMs, 0.99),
    perSecond: (Math.ceil(INVOCATIONS / AT_ONCE) * AT_ONCE * 1_000) / allMs,
  };
}

async function measureStart(newInvoker: () => Invoker & { close(): Promise<void> }, offer: Offer): Promise<number> {
  const startsMs = new Float64Array(STARTS);
  for (let start = 0; start <= STARTS; start += 1) {
    const invoker = newInvoker();
    const startMs = await timed(() => invoke(invoker, offer));
    if (start > 0) startsMs[start - 1] = startMs;
    await invoker.close();
  }
  return quantile(startsMs, 0.5);
}

async function invoke(invoker: Invoker, offer: Offer): Promise<void> {
  const end = await invoker.invoke(offer);
  if (end.kind !== 'completed') throw new Error(`the invocation ${end.kind}: ${end.message}`);
  const { refusal, error } = end.result.run;
  if (refusal !== 'nothing-to-claim') throw new Error(`there was something to do: ${refusal ?? error?.message ?? 'a slice'}`);
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await act();
  return performance.now() - startedAtMs;
}

function inProcess({ store, broker }: DataFolder): Invoker {
  const secrets = new LocalSecrets(NO_SECRETS);
  const host = { ...world, store, broker, registry, sandbox: new Sandbox(systemClock), secrets, settings: DEFAULT_SETTINGS };
  return new InProcessInvoker({
    random: systemRandom,
    slots: AT_ONCE,
    run: (offer, owner) => runInvocation(host, offer, { limitMs: LIMIT_MS, owner }),
  });
}

async function aDrainedShard(folder: DataFolder): Promise<Offer> {
  const { store, broker } = folder;
  const topics = 'bench';
  await broker.ensureTopic(topics, { queues: 1 });
  const [queue] = await broker.queues(topics);
  if (queue === undefined) throw new Error('the topic has no queue');
  await broker.send(queue, [{ key: null, value: new Uint8Array(10), tag: null, headers: [], bornAtMs: systemClock.nowMs() }]);
  const config = { 'connector.class': 'discard-sink', topics, 'value.converter': 'bytes' };
  const { name, uid } = await createConnector({ ...world, store }, { name: 'bench', config });
  const slice = { records: 1, bytes: 1_000_000, durationMs: 10_000 };
  const shard = queueShardId(uid, queue);
  const offer: Offer = {
    id: 'bench',
    connector: name,
    uid,
    shard,
    mode: 'slice',
    slice,
    quantumMs: 0,
    ended: [],
    peersCommit: false,
  };
  const end = await inProcess(folder).invoke(offer);
  if (end.kind !== 'completed' || end.result.run.counts.delivered !== 1) throw new Error('the queue is not drained');
  return offer;
}
