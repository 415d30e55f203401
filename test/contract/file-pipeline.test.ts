/** Files through the whole engine: a log file into a topic, and the topic into parts and into one file. Real time, memory log. */
import { appendFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MemoryLogBroker } from '../../adapters/memory/memory-log-broker.ts';
import { MemoryStateStore } from '../../adapters/memory/memory-state-store.ts';
import { systemClock } from '../../adapters/system.ts';
import { assert } from '../../core/assert.ts';
import type { Connector } from '../../core/connector.ts';
import type { InvocationResult, Offer } from '../../core/offer.ts';
import type { StateStore } from '../../core/ports.ts';
import { discoveryShardId, queueShardId, type ShardId, sourceShardId } from '../../core/shard-id.ts';
import type { Host } from '../../functions/host.ts';
import { runInvocation } from '../../functions/run-invocation.ts';
import { Sandbox } from '../../functions/sandbox.ts';
import { createConnector } from '../../scheduler/connector-actions.ts';
import { storeWith } from '../support/faulty-ports.ts';
import { linesIn, partsIn } from '../support/file-targets.ts';
import { aHost, anOffer } from '../support/hosts.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const LIMIT_MS = 60_000;

describe('Files through the engine', () => {
  test('every line of a rotated file arrives once in the parts, and at least once in the stream', async () => {
    const { host, folder, log } = aHostWithFolder();
    const source = await aSource(host, log);
    const [parts, stream] = await someSinks(host, folder);
    writeLines(log, 0, 700);

    await run(host, source, discoveryShardId(source.uid));
    await run(host, source, sourceShardId(source.uid, [log]));
    renameSync(log, `${log}.1`);
    writeLines(log, 700, 1_000);
    await run(host, source, sourceShardId(source.uid, [log]));
    for (const queue of await host.broker.queues('lines')) {
      await run(host, parts, queueShardId(parts.uid, queue));
      await run(host, stream, queueShardId(stream.uid, queue));
    }

    const inParts = linesIn(partsIn(join(folder, 'parts')));
    const inStream = linesIn([join(folder, 'all.txt')]);
    expect(numbersOf(inParts)).toEqual(numbersOf(linesIn([`${log}.1`, log])));
    expect(numbersOf(inStream)).toEqual(numbersOf(linesIn([`${log}.1`, log])));
    expect(inParts[0]).toBe('line 0 größe 漢字 🚀');
  });

  test('slices of one invocation share a part, and the next invocation begins another', async () => {
    const { host, folder, log } = aHostWithFolder();
    const source = await aSource(host, log);
    const [parts] = await someSinks(host, folder);
    writeLines(log, 0, 250);
    await run(host, source, discoveryShardId(source.uid));
    await run(host, source, sourceShardId(source.uid, [log]));
    const [queue] = await host.broker.queues('lines');
    const shard = queueShardId(parts.uid, queue as NonNullable<typeof queue>);

    const first = await run(host, parts, shard);
    const afterFirst = partsIn(join(folder, 'parts')).length;
    writeLines(log, 250, 300);
    await run(host, source, sourceShardId(source.uid, [log]));
    await run(host, parts, shard);

    expect(first.run.counts.slices).toBeGreaterThan(1);
    expect([afterFirst, partsIn(join(folder, 'parts')).length]).toEqual([1, 2]);
  });

  test('what an invocation has put that dies before its commit is not put again', async () => {
    const { host, folder, log } = aHostWithFolder();
    const source = await aSource(host, log);
    const [parts] = await someSinks(host, folder);
    writeLines(log, 0, 100);
    await run(host, source, discoveryShardId(source.uid));
    await run(host, source, sourceShardId(source.uid, [log]));
    const [queue] = await host.broker.queues('lines');
    const shard = queueShardId(parts.uid, queue as NonNullable<typeof queue>);
    const failing = { ...host, store: dyingAtCommits(host.store), sandbox: new Sandbox(systemClock) };

    await expect(run(failing, parts, shard, { owner: 'dead' })).rejects.toThrow('died before its commit');
    const next = await run(host, parts, shard, { ended: [{ owner: 'dead.1', epoch: 1, isGone: true }] });

    expect([next.run.outcome, next.run.counts.delivered]).toEqual(['drained', 0]);
    expect(numbersOf(linesIn(partsIn(join(folder, 'parts'))))).toEqual(numbersOf(linesIn([log])));
  });
});

function aHostWithFolder(): { readonly host: Host; readonly folder: string; readonly log: string } {
  const folder = aTemporaryFolder();
  const clock = systemClock;
  const [store, broker, sandbox] = [new MemoryStateStore({ clock }), new MemoryLogBroker({ clock }), new Sandbox(clock)];
  onTestFinished(() => sandbox.close());
  broker.createTopic('lines', { queues: 1 });
  return { host: { ...aHost(), clock, store, broker, sandbox }, folder, log: join(folder, 'app.log') };
}

function aSource(host: Host, file: string): Promise<Connector> {
  const config = { 'connector.class': 'file-source', topic: 'lines', file, 'value.converter': 'string' };
  return createConnector(host, { name: 'source', config: { ...config, 'exactly.once.support': 'required' } });
}

async function someSinks(host: Host, folder: string): Promise<readonly [Connector, Connector]> {
  const common = { topics: 'lines', format: 'raw', 'value.converter': 'bytes' };
  const parts = { ...common, 'connector.class': 'file-sink', directory: join(folder, 'parts') };
  const stream = { ...common, 'connector.class': 'file-stream-sink', file: join(folder, 'all.txt') };
  return [
    await createConnector(host, { name: 'parts', config: parts }),
    await createConnector(host, { name: 'stream', config: stream }),
  ];
}

/** Slices of 100 records, for as long as there are any. */
function run(
  host: Host,
  connector: Connector,
  shard: ShardId,
  { owner = 'somebody', ended = [] }: { readonly owner?: string; readonly ended?: Offer['ended'] } = {},
): Promise<InvocationResult> {
  return runInvocation(host, anOffer(connector, shard, { quantumMs: LIMIT_MS, ended }), { limitMs: 2 * LIMIT_MS, owner });
}

/** Its first two writes make a cursor and a claim. */
function dyingAtCommits(store: StateStore): StateStore {
  let writes = 0;
  return storeWith(store, {
    put: async (...write) => {
      writes += 1;
      assert(writes <= 2, 'died before its commit');
      return store.put(...write);
    },
  });
}

function writeLines(file: string, from: number, to: number): void {
  const lines = Array.from({ length: to - from }, (_, index) => `line ${from + index} größe 漢字 🚀\n`);
  appendFileSync(file, lines.join(''));
}

function numbersOf(lines: readonly string[]): readonly number[] {
  return lines.map((line) => Number(line.split(' ')[1])).sort((a, b) => a - b);
}
