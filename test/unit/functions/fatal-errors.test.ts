import { describe, expect, test } from 'vitest';
import { FatalTaskError } from '../../../core/errors.ts';
import { restartShards } from '../../../scheduler/connector-actions.ts';
import { brokerWith } from '../../support/faulty-ports.ts';
import type { TestHost } from '../../support/hosts.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { memorySystem } from '../../support/memory-source.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, type SinkShard } from '../../support/sink-shard.ts';
import { aSourceShard } from '../../support/source-shard.ts';
import { throwing } from '../../support/throwing.ts';

describe('runInvocation when a plugin throws a FatalTaskError', () => {
  const fatal = new FatalTaskError('wrong password');

  test('fails its shard, with the reason in its status (I10)', async () => {
    const target = memoryTarget('append');
    target.beforeWrite = throwing(fatal);
    const sink = await aSinkShard({ target, values: ['a'] });

    const { run } = await sink.run();
    const refused = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'task.failed', message: 'wrong password' } });
    expect(await sink.cursor()).toMatchObject({
      status: { state: 'failed', code: 'task.failed', retryAtMs: run.endedAtMs + 60_000, restarts: 0 },
    });
    expect(refused).toMatchObject({ run: { refusal: 'failed' }, notBeforeMs: run.endedAtMs + 60_000 });
  });

  test('restarts by itself after a pause that grows, until its budget is used up', async () => {
    const target = memoryTarget('append');
    target.beforeWrite = throwing(fatal);
    const sink = await aSinkShard({ target, values: ['a'], config: { 'auto.restart.max.attempts': '3' } });
    const pauses: (number | null)[] = [];

    for (let failure = 0; failure < 4; failure += 1) {
      const { run } = await sink.run();
      const { status } = await sink.cursor();
      if (status.state === 'failed') pauses.push(status.retryAtMs === null ? null : status.retryAtMs - run.endedAtMs);
      await sink.untilClaimable();
    }
    const refused = await sink.run();

    expect(pauses).toEqual([60_000, 120_000, 240_000, null]);
    expect(refused).toMatchObject({ run: { refusal: 'failed' }, notBeforeMs: null });
  });

  test.each(['shard.log_truncated', 'shard.log_gap'] as const)(
    'does not restart by itself where a source lost what it was to read (%s)',
    async (code) => {
      const system = memorySystem({ beforePoll: throwing(new FatalTaskError('it was created anew', { code })) });
      const source = await aSourceShard({ system });

      const { run } = await source.run();

      expect(run).toMatchObject({ outcome: 'failed', error: { code, message: 'it was created anew' } });
      expect(await source.cursor()).toMatchObject({ status: { state: 'failed', code, retryAtMs: null } });
    },
  );

  test('goes on when an operator restarts it, with its whole budget again', async () => {
    const target = memoryTarget('append');
    target.beforeWrite = throwing(fatal);
    const sink = await aSinkShard({ target, values: ['a'], config: { 'auto.restart.max.attempts': '0' } });
    await sink.run();

    target.beforeWrite = () => Promise.resolve();
    await restartShards(sink.host, sink.connector);
    const { run } = await sink.run();

    expect(run.outcome).toBe('drained');
    expect(await sink.cursor()).toMatchObject({ status: { state: 'active', restarts: 0 } });
  });

  test.each([
    ['FatalTaskError', throwing(fatal)],
    ['the tenth unknown throw', throwing(new TypeError('oops'))],
  ])("holds back an operator until nothing of an overwrite target's last put can land (%s)", async (_, beforeWrite) => {
    const target = memoryTarget('overwrite');
    target.beforeWrite = beforeWrite;
    const sink = await aSinkShard({ target, values: ['a'] });
    let failed = await sink.run();
    for (let attempt = 1; failed.run.error?.code === 'plugin.failed' && attempt < 10; attempt += 1) {
      await sink.untilClaimable();
      failed = await sink.run();
    }

    await restartShards(sink.host, sink.connector);
    const early = await sink.run();

    // put.timeout.ms, and the skew between two clocks.
    expect(early).toMatchObject({ run: { refusal: 'backing-off' }, notBeforeMs: failed.run.endedAtMs + 10_000 });
  });

  test('has its whole budget again after progress', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: ['a'] });
    target.beforeWrite = throwing(fatal, 2);
    for (let failure = 0; failure < 2; failure += 1) {
      await sink.run();
      await sink.untilClaimable();
    }

    await sink.run();

    expect(await sink.cursor()).toMatchObject({ status: { state: 'active', restarts: 0 }, next: 1n, open: [] });
  });

  test('fails its shard when no writer can be opened', async () => {
    const plugin = { ...memorySink(memoryTarget('append')), open: () => Promise.reject(fatal) };
    const sink = await aSinkShard({ plugin, values: ['a'] });

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'task.failed', stage: 'put' } });
    expect(await sink.cursor()).toMatchObject({ status: { state: 'failed', code: 'task.failed' } });
  });
});

describe('runInvocation when a FatalTaskError comes before its claim', () => {
  const fatal = new FatalTaskError('no access to the topic');

  async function aShardWithoutAccess(config: Record<string, string> = {}): Promise<{ sink: SinkShard; denied: TestHost }> {
    const sink = await aSinkShard({ values: ['a', 'b'], config });
    await sink.run({ slice: { records: 1 } });
    return { sink, denied: { ...sink.host, broker: brokerWith(sink.log, { bounds: () => Promise.reject(fatal) }) } };
  }

  test('fails the shard, with the reason in its status, and restarts it within its budget (I10)', async () => {
    const { sink, denied } = await aShardWithoutAccess({ 'auto.restart.max.attempts': '2' });
    const pauses: (number | null)[] = [];

    for (let look = 0; look < 4; look += 1) {
      const { run, notBeforeMs } = await sink.run({}, { on: denied });
      pauses.push(notBeforeMs === null ? null : notBeforeMs - run.endedAtMs);
      expect(run).toMatchObject({ outcome: 'failed', error: { code: 'task.failed', stage: 'poll' } });
      await sink.untilClaimable();
    }

    expect(pauses).toEqual([60_000, 120_000, null, null]);
    expect((await sink.cursor()).status).toEqual({ state: 'failed', code: 'task.failed', retryAtMs: null, restarts: 2 });
  });

  test('goes on by itself where there is access again in time', async () => {
    const { sink, denied } = await aShardWithoutAccess();
    await sink.run({}, { on: denied });
    await sink.untilClaimable();

    const { run } = await sink.run();

    expect(run.outcome).toBe('drained');
    expect(await sink.cursor()).toMatchObject({ status: { state: 'active', restarts: 0 }, next: 2n });
  });

  test('says when to look again where there is no cursor yet to show it', async () => {
    const sink = await aSinkShard({ broker: (log) => brokerWith(log, { bounds: () => Promise.reject(fatal) }) });

    const { run, cursor, notBeforeMs } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'task.failed' } });
    expect(cursor).toBeNull();
    expect(notBeforeMs).toBe(run.endedAtMs + 60_000);
  });
});
