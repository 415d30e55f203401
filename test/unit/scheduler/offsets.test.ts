import { describe, expect, test } from 'vitest';
import { encodeCursor } from '../../../core/cursor/codec.ts';
import { cursorKey, StoredCursor } from '../../../core/cursor/stored-cursor.ts';
import { offset } from '../../../core/offset.ts';
import { queueShardId } from '../../../core/shard-id.ts';
import type { ConnectorView } from '../../../scheduler/connector-view.ts';
import { viewConnector } from '../../../scheduler/connector-view.ts';
import { KnownConnectors } from '../../../scheduler/known-connectors.ts';
import { alterSink, offsetsOf, resetAll } from '../../../scheduler/offsets.ts';
import { anApi, type TestApi } from '../../support/api.ts';
import { aHeldRange, aLogCursor } from '../../support/builders.ts';

const DROP = { 'connector.class': 'discard-sink', topics: 'orders' };
const STOPPED = { state: 'stopped', revision: 1 } as const;

async function aStopped({ host, ask, log }: TestApi, config: Readonly<Record<string, string>> = DROP) {
  log.createTopic('orders', { queues: 2 });
  await ask('POST', '/connectors', { body: { name: 'drop', config, initial_state: 'STOPPED' } });
  const deps = { ...host, skewMaxMs: host.settings.skewMaxMs };
  const known = new KnownConnectors(deps);
  const view = async () => (await viewConnector({ ...deps, known, workerId: 'here' }, 'drop')) as ConnectorView;
  const queue = (queueId: number) => ({ topic: 'orders', brokerName: 'memory', queueId });
  return { deps, view, queue, shard: queueShardId((await view()).connector.uid, queue(0)) };
}

describe('alterSink', () => {
  test('makes a cursor where there is none, closed as the connector is; asked again it changes nothing', async () => {
    const api = anApi();
    const { deps, view, shard } = await aStopped(api);
    const positions = [{ topic: 'orders', queueId: 0, brokerName: null, offset: 0n }];

    const seen = await view();
    const first = await alterSink(deps, seen, positions);
    const again = await alterSink(deps, seen, positions);

    expect([first.size, again.size]).toEqual([0, 0]);
    expect((await StoredCursor.read(deps, shard))?.cursor).toMatchObject({ generation: 1, next: 0n, gate: STOPPED });
  });

  test('resets a cursor that came meanwhile and stands elsewhere (I3)', async () => {
    const api = anApi();
    const { deps, view, shard } = await aStopped(api);
    const seen = await view();
    const elsewhere = aLogCursor({ next: 0, gate: STOPPED, open: [] });
    await deps.store.put(cursorKey(shard), encodeCursor({ ...elsewhere, next: offset(5) }), { ifAbsent: true });

    const left = await alterSink(deps, seen, [{ topic: 'orders', queueId: 0, brokerName: 'memory', offset: 0n }]);

    expect(left.size).toBe(0);
    expect((await StoredCursor.read(deps, shard))?.cursor).toMatchObject({ generation: 2, next: 0n });
  });

  test('says which shards an invocation may still hold, and changes the others', async () => {
    const api = anApi();
    const { deps, view, shard } = await aStopped(api);
    const held = aHeldRange({ start: 0, end: 4, deadlineAtMs: deps.clock.nowMs() + 20_000 });
    await deps.store.put(cursorKey(shard), encodeCursor(aLogCursor({ next: 4, gate: STOPPED, open: [held] })), {
      ifAbsent: true,
    });
    const offsets = [0, 1].map((id) => ({ partition: { kafka_topic: 'orders', kafka_partition: id }, offset: null }));

    const early = await api.ask('PATCH', '/connectors/drop/offsets', { body: { offsets } });
    await deps.clock.sleep(20_000 + 15_000);
    const late = await api.ask('PATCH', '/connectors/drop/offsets', { body: { offsets } });

    expect([early.status, late.status]).toEqual([409, 200]);
    expect(early.body).toMatchObject({ message: expect.stringContaining('The offsets of 1 partition(s)') });
    expect(offsetsOf(await view())).toMatchObject([{ offset: { kafka_offset: 0 } }, { offset: { kafka_offset: 0 } }]);
  });
});

describe('resetAll', () => {
  test('goes to the end of now where a new connector would start with the latest', async () => {
    const api = anApi();
    const { deps, view, queue } = await aStopped(api, { ...DROP, 'consumer.override.auto.offset.reset': 'latest' });
    await api.run('drop');
    await api.ask('PUT', '/connectors/drop/resume');
    await api.run('drop');
    await api.log.send(queue(0), [{ key: null, value: null, tag: null, headers: [], bornAtMs: 0 }]);
    await api.ask('PUT', '/connectors/drop/stop');
    await deps.clock.sleep(60_000);

    await resetAll(deps, await view());

    expect(offsetsOf(await view())).toMatchObject([{ offset: { kafka_offset: 1 } }]);
  });

  test('shows offsets that no number holds as their digits', async () => {
    const api = anApi();
    const { deps, view, shard } = await aStopped(api);
    const cursor = { ...aLogCursor({ gate: STOPPED }), next: offset(2n ** 60n + 1n) };
    await deps.store.put(cursorKey(shard), encodeCursor(cursor), { ifAbsent: true });

    expect(offsetsOf(await view())).toMatchObject([{ offset: { kafka_offset: '1152921504606846977' } }]);
  });
});
