/** What an exactly-once source leaves in topics of a real RocketMQ whose brokers die or stand still below it. */
import { EventEmitter, once } from 'node:events';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { MemoryStateStore } from '../../adapters/memory/memory-state-store.ts';
import { RocketmqLogBroker } from '../../adapters/rocketmq/rocketmq-log-broker.ts';
import { systemClock } from '../../adapters/system.ts';
import { RocketmqClient } from '../../clients/rocketmq/rocketmq-client.ts';
import type { CheckpointCursor } from '../../core/cursor/cursor.ts';
import { StoredCursor } from '../../core/cursor/stored-cursor.ts';
import type { InvocationResult } from '../../core/offer.ts';
import { offset } from '../../core/offset.ts';
import type { LogBroker } from '../../core/ports.ts';
import { sourceShardId } from '../../core/shard-id.ts';
import type { Host } from '../../functions/host.ts';
import { runInvocation } from '../../functions/run-invocation.ts';
import { Sandbox } from '../../functions/sandbox.ts';
import { createConnector } from '../../scheduler/connector-actions.ts';
import { readAll } from '../contract/log-broker/log-under-test.ts';
import { brokerUnavailable, brokerWith } from '../support/faulty-ports.ts';
import { aHost, anOffer } from '../support/hosts.ts';
import { textOf } from '../support/log-records.ts';
import { memorySource, memorySystem, rows } from '../support/memory-source.ts';
import { aCluster, withRealServers } from '../support/rocketmq-cluster.ts';

/** A broker on a busy machine takes its time to start. */
const TIMEOUT_MS = 240_000;

const WAIT = { timeout: 30_000, interval: 20 };

const ROWS = 40;

const ALL_ROWS = rows(ROWS)
  .map(({ value }) => value)
  .sort();

withRealServers('RocketMQ, exactly once', () => {
  const cluster = aCluster({ brokers: ['broker-a', 'broker-b'], brokerSettings: { flushDiskType: 'SYNC_FLUSH' } });

  function aLog(): RocketmqLogBroker {
    const client = new RocketmqClient({ nameServers: [cluster().nameServer], group: 'exactly-once' }, systemClock);
    const broker = new RocketmqLogBroker({ client, clock: systemClock });
    onTestFinished(() => broker.close());
    return broker;
  }

  /** A source that writes to a topic on both brokers. */
  async function aSource(faults: (log: RocketmqLogBroker) => Partial<LogBroker>): Promise<{
    readonly log: RocketmqLogBroker;
    readonly topic: string;
    readonly run: () => Promise<InvocationResult['run']>;
    readonly sent: () => Promise<readonly string[]>;
  }> {
    const log = aLog();
    const topic = `exactly-once-${process.pid}-${performance.now().toFixed(3).replace('.', '-')}`;
    await log.ensureTopic(topic, { queues: 4 });
    const plugin = memorySource(memorySystem({ rows: rows(ROWS) }), { exactlyOnce: true, topic });
    const host: Host = {
      ...aHost({ plugins: [plugin], broker: brokerWith(log, faults(log)) }),
      store: new MemoryStateStore({ clock: systemClock }),
      clock: systemClock,
      sandbox: new Sandbox(systemClock),
    };
    const config = { 'connector.class': plugin.name, 'value.converter': 'string' };
    const connector = await createConnector(host, { name: topic, config });
    const shard = sourceShardId(connector.uid, ['0']);
    return {
      log,
      topic,
      run: async () => {
        const cursor = (await StoredCursor.read(host, shard))?.cursor as CheckpointCursor | undefined;
        await systemClock.sleep(Math.max(0, (cursor?.retryAtMs ?? 0) - systemClock.nowMs()));
        return (await runInvocation(host, anOffer(connector, shard), { limitMs: 60_000 })).run;
      },
      sent: async () => {
        const read = (await log.queues(topic)).map((queue) => readAll(log, queue, offset(0)));
        return (await Promise.all(read)).flat().map(({ value }) => textOf(value) ?? '');
      },
    };
  }

  async function untilDrained(run: () => Promise<InvocationResult['run']>): Promise<void> {
    await vi.waitFor(async () => expect((await run()).outcome).toBe('drained'), { timeout: 120_000, interval: 0 });
  }

  describe('a broker that is killed when a source is in doubt', { timeout: TIMEOUT_MS }, () => {
    test('gets nothing twice and misses nothing, though it stays away for more than two attempts', async () => {
      let isDeaf = true;
      const source = await aSource((log) => ({
        send: async (...batch) => {
          const result = await log.send(...batch);
          if (isDeaf) throw brokerUnavailable();
          return result;
        },
      }));
      const inDoubt = await source.run();
      isDeaf = false;
      await cluster().killBroker('broker-a');
      const brokers = async () => (await source.log.queues(source.topic)).map(({ brokerName }) => brokerName);
      await vi.waitFor(async () => expect(await brokers()).not.toContain('broker-a'), WAIT);

      const attempts = [await source.run(), await source.run(), await source.run()];
      await cluster().restartBroker('broker-a');
      await untilDrained(source.run);

      expect(inDoubt.outcome).toBe('failed');
      for (const { error } of attempts)
        expect(error).toMatchObject({ code: 'broker.unavailable', message: expect.stringContaining('broker-a') });
      expect((await source.sent()).toSorted()).toEqual(ALL_ROWS);
    });
  });

  describe('a broker that stands still below a send', { timeout: TIMEOUT_MS }, () => {
    test('gets nothing twice and misses nothing, though it stores what lay before its door when it goes on', async () => {
      const [, brokerProcess = 0] = cluster().processIds;
      const asked = new EventEmitter();
      let stops = true;
      const source = await aSource((log) => ({
        bounds: (queues) => {
          asked.emit('bounds');
          return log.bounds(queues);
        },
        send: (queue, records) => {
          if (stops && queue.brokerName === 'broker-a') process.kill(brokerProcess, 'SIGSTOP');
          if (queue.brokerName === 'broker-a') stops = false;
          return log.send(queue, records);
        },
      }));

      const inDoubt = await source.run();
      const looksBack = once(asked, 'bounds');
      const draining = untilDrained(source.run);
      await looksBack;
      process.kill(brokerProcess, 'SIGCONT');
      await draining;

      expect(inDoubt.outcome).toBe('failed');
      expect((await source.sent()).toSorted()).toEqual(ALL_ROWS);
    });
  });
});
