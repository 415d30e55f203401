/** Records that cannot be moved, among others that can, as an operator of `sortie start` sees them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type DataFolder, openDataFolder } from '../../adapters/data-folder.ts';
import { MemoryTelemetry } from '../../adapters/memory/memory-telemetry.ts';
import { systemClock, systemRandom } from '../../adapters/system.ts';
import { readConnector } from '../../core/connector.ts';
import { readRuns } from '../../scheduler/run-history.ts';
import { linesIn, partsIn } from '../support/file-targets.ts';
import { outgoing } from '../support/log-records.ts';
import { aSortieProcess, putConnector, type SortieProcess } from '../support/sortie-process.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const QUEUES = 4;
const RECORDS = 100;
/** Where the one that cannot be read is. */
const [POISONED_QUEUE, POISONED_OFFSET] = [2, 40];
const POISON = '{ poison';

const JSON_VALUES = { 'value.converter': 'json', 'value.converter.schemas.enable': 'false' };
/** Whoever changes values reads them. */
const MARKED = {
  transforms: 'mark',
  'transforms.mark.type': 'InsertField$Value',
  'transforms.mark.static.field': 'mark',
  'transforms.mark.static.value': '!',
};

const PATIENCE = { timeout: 30_000, interval: 50 };

describe('a record that cannot be read, in one queue of four', { timeout: 60_000 }, () => {
  test('fails its shard with its position in status, and holds up no other', async () => {
    const { sortie, directory, sink } = await aPoisonedTopic();

    await putConnector(sortie, 'sink', sink);

    const before = (queue: number) => (queue === POISONED_QUEUE ? POISONED_OFFSET : RECORDS);
    await vi.waitFor(() => expect(placesIn(directory)).toEqual(places(before)), PATIENCE);
    const trace = await vi.waitFor(() => traceOf(sortie, 'sink'), PATIENCE);
    expect(trace).toContain(`record.conversion_failed at lines/embedded/${POISONED_QUEUE}@${POISONED_OFFSET}: `);
  });

  test('is in the dead-letter queue where failures are tolerated, and all others are delivered', async () => {
    const { sortie, folder, directory, sink } = await aPoisonedTopic();
    const letters = join(folder, 'letters');

    await putConnector(sortie, 'sink', {
      ...sink,
      'errors.tolerance': 'all',
      'errors.deadletterqueue.topic.name': 'dead',
    });
    await putConnector(sortie, 'letters', { 'connector.class': 'file-sink', topics: 'dead', directory: letters, format: 'raw' });

    await vi.waitFor(() => expect(linesIn(partsIn(letters))).toEqual([POISON]), PATIENCE);
    const others = places(() => RECORDS).filter((place) => place !== `${POISONED_QUEUE}@${POISONED_OFFSET}`);
    await vi.waitFor(() => expect(placesIn(directory)).toEqual(others), PATIENCE);
  });
});

test('a record that is too large for the log fails its source, with its size in history', async () => {
  const folder = aTemporaryFolder();
  const file = join(folder, 'lines.txt');
  // In JSON, twice as long.
  writeFileSync(file, `short\n${'"'.repeat(2_500_000)}\nnext\n`);
  const sortie = await aSortieProcess(join(folder, 'data'), { invoker: 'threads' });
  const source = { 'connector.class': 'file-source', file, topic: 'lines', 'max.line.bytes': '4000000', ...JSON_VALUES };

  await putConnector(sortie, 'source', source);

  const trace = await vi.waitFor(() => traceOf(sortie, 'source'), PATIENCE);
  const { store } = await openedFolder(join(folder, 'data'));
  const uid = (await readConnector({ store }, 'source'))?.uid ?? '';
  // Runs are written to history a moment after they end.
  const error = await vi.waitFor(async () => {
    const failed = (await readRuns(store, uid, { runsMax: 100 })).find(({ outcome }) => outcome === 'failed');
    expect(failed).toBeDefined();
    return failed?.error;
  }, PATIENCE);
  expect(trace).toContain('record.too_large');
  expect(error).toMatchObject({ code: 'record.too_large', message: expect.stringMatching(/has 5000\d{3} bytes/) });
}, 60_000);

interface PoisonedTopic {
  readonly sortie: SortieProcess;
  readonly folder: string;
  readonly directory: string;
  /** Reads it, into the directory. */
  readonly sink: Readonly<Record<string, string>>;
}

async function aPoisonedTopic(): Promise<PoisonedTopic> {
  const folder = aTemporaryFolder();
  const directory = join(folder, 'archive');
  const { broker } = await openedFolder(join(folder, 'data'));
  await broker.ensureTopic('lines', { queues: QUEUES });
  for (const queue of await broker.queues('lines')) {
    const { queueId } = queue;
    const values = Array.from({ length: RECORDS }, (_, at) => JSON.stringify({ place: `${queueId}@${at}` }));
    if (queueId === POISONED_QUEUE) values[POISONED_OFFSET] = POISON;
    await broker.send(queue, outgoing(...values));
  }
  const sortie = await aSortieProcess(join(folder, 'data'), { invoker: 'threads' });
  const sink = { 'connector.class': 'file-sink', topics: 'lines', directory, ...JSON_VALUES, ...MARKED };
  return { sortie, folder, directory, sink };
}

/** Made where it is not there, as `sortie start` does. */
async function openedFolder(path: string): Promise<DataFolder> {
  mkdirSync(path, { recursive: true });
  const folder = await openDataFolder(path, { clock: systemClock, random: systemRandom, telemetry: new MemoryTelemetry() });
  onTestFinished(() => folder.close());
  return folder;
}

/** Of so many records of each queue, in order. */
function places(records: (queue: number) => number): readonly string[] {
  return Array.from({ length: QUEUES }, (_, queue) => Array.from({ length: records(queue) }, (_, at) => `${queue}@${at}`)).flat();
}

function placesIn(directory: string): readonly string[] {
  return linesIn(partsIn(directory)).map((line) => (JSON.parse(line) as { readonly place: string }).place);
}

/** Of a task that failed. */
async function traceOf({ url }: SortieProcess, name: string): Promise<string> {
  const status = (await (await fetch(`${url}/connectors/${name}/status`)).json()) as {
    readonly tasks: readonly { readonly trace?: string }[];
  };
  const trace = status.tasks.map(({ trace: one }) => one ?? '').join('');
  expect(trace).not.toBe('');
  return trace;
}
