/** `sortie start` as an operator ends it: a signal while everything is at work. */
import { once } from 'node:events';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type DataFolder, openDataFolder } from '../../adapters/data-folder.ts';
import { MemoryTelemetry } from '../../adapters/memory/memory-telemetry.ts';
import { systemClock, systemRandom } from '../../adapters/system.ts';
import { invokerNames } from '../../cli/invoker-names.ts';
import { readConnector } from '../../core/connector.ts';
import { decodeCursor } from '../../core/cursor/codec.ts';
import { type Cursor, holdersOf } from '../../core/cursor/cursor.ts';
import { cursorPartition } from '../../core/cursor/stored-cursor.ts';
import type { ShardId } from '../../core/shard-id.ts';
import { readRuns } from '../../scheduler/run-history.ts';
import { aSortieProcess, putConnector } from '../support/sortie-process.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

/** Of a stop: one look of everything that runs, a commit, and what threads and processes need to end. */
const STOP_MAX_MS = 5_000;

/** Of few queues, for history keeps a hundred runs of a connector between two writes, and each queue has its own. */
const MADE = { 'connector.class': 'datagen-source', topic: 'made', shards: '2', 'topic.creation.default.partitions': '2' };

const PATIENCE = { timeout: 30_000, interval: 20 };

describe('sortie start', () => {
  test.each(invokerNames)(
    'told to end while it moves records in %s, ends soon, with all it did written down',
    async (invoker) => {
      const data = aTemporaryFolder();
      const sortie = await aSortieProcess(data, { invoker });
      const { child } = sortie;
      const folder = await openDataFolder(data, { clock: systemClock, random: systemRandom, telemetry: new MemoryTelemetry() });
      onTestFinished(() => folder.close());
      await putConnector(sortie, 'made', MADE);
      await putConnector(sortie, 'gone', { 'connector.class': 'discard-sink', topics: 'made' });
      await vi.waitFor(async () => expect((await worked(folder, 'gone')).finished).toBeGreaterThan(0), PATIENCE);

      const toldAtMs = performance.now();
      child.kill('SIGTERM');
      const [code] = await once(child, 'exit');
      const tookMs = performance.now() - toldAtMs;

      const [made, gone] = [await worked(folder, 'made'), await worked(folder, 'gone')];
      const queues = await folder.broker.bounds(await folder.broker.queues('made'));
      const records = queues.reduce((sum, bounds) => sum + Number(bounds?.max ?? 0), 0);
      expect(code).toBe(0);
      expect(tookMs).toBeLessThan(STOP_MAX_MS);
      expect([made.holders, gone.holders]).toEqual([0, 0]);
      // Every run is in history, and what they did is what the cursors say, and what is in the log.
      expect([made.finished, made.delivered]).toEqual([records, records]);
      expect(gone.delivered).toBe(gone.finished);
    },
    60_000,
  );
});

/** What a connector did: by its cursors, and by its runs. */
async function worked(
  { store }: DataFolder,
  name: string,
): Promise<{ readonly holders: number; readonly finished: number; readonly delivered: number }> {
  const uid = (await readConnector({ store }, name))?.uid ?? '';
  const { documents } = await store.list(cursorPartition(uid), { limit: 1_000 });
  const cursors = documents.map(({ key, value }) => decodeCursor(value, key.sort as ShardId));
  const runs = await readRuns(store, uid, { runsMax: 10_000 });
  return {
    holders: cursors.reduce((sum, cursor) => sum + holdersOf(cursor).length, 0),
    finished: cursors.reduce((sum, cursor) => sum + finishedOf(cursor), 0),
    delivered: runs.reduce((sum, { counts }) => sum + counts.delivered, 0),
  };
}

function finishedOf(cursor: Cursor): number {
  if (cursor.kind === 'log') {
    const { next, open } = cursor;
    return Number(open.reduce((finished, { start, end }) => finished - ((end ?? next) - start), BigInt(next)));
  }
  const { p } = (cursor.checkpoint ?? {}) as { readonly p?: { readonly sequence?: number } | null };
  return p?.sequence ?? 0;
}
