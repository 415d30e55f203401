import { expect, test } from 'vitest';
import { MemoryLogBroker } from '../../../adapters/memory/memory-log-broker.ts';
import { MemoryStateStore } from '../../../adapters/memory/memory-state-store.ts';
import { systemClock } from '../../../adapters/system.ts';
import { sourceShardId } from '../../../core/shard-id.ts';
import { runInvocation } from '../../../functions/run-invocation.ts';
import { Sandbox } from '../../../functions/sandbox.ts';
import { createConnector } from '../../../scheduler/connector-actions.ts';
import { aHost, anOffer } from '../../support/hosts.ts';

test('timers of others in the thread come to their turn while nothing that an invocation awaits ever waits', async () => {
  const clock = systemClock;
  const adapters = { clock, store: new MemoryStateStore({ clock }), broker: new MemoryLogBroker({ clock }) };
  const host = { ...aHost(), ...adapters, sandbox: new Sandbox(clock) };
  const connector = await createConnector(host, {
    name: 'direct',
    config: { 'connector.class': 'datagen-source', topic: 'nowhere', 'sink.connector.class': 'discard-sink' },
  });
  const run = (records: number) =>
    runInvocation(
      host,
      anOffer(connector, sourceShardId(connector.uid, ['0']), { slice: { records, bytes: 1e12, durationMs: 250 } }),
      { limitMs: 60_000 },
    );
  // Its plugins are loaded, which takes turns by itself.
  await run(1);
  let timers = 0;
  const timer = setInterval(() => {
    timers += 1;
  }, 1);

  const end = await run(100_000_000);
  clearInterval(timer);

  expect(end.run).toMatchObject({ outcome: 'yielded', counts: { slices: 1 } });
  expect(timers).toBeGreaterThan(0);
});
