import { describe, expect, test } from 'vitest';
import { encodeCursor } from '../../../core/cursor/codec.ts';
import type { LogCursor } from '../../../core/cursor/cursor.ts';
import { cursorKey } from '../../../core/cursor/stored-cursor.ts';
import { queueShardId } from '../../../core/shard-id.ts';
import { createConnector } from '../../../scheduler/connector-actions.ts';
import { ConnectorCatalog } from '../../../scheduler/connector-catalog.ts';
import { ShardTable } from '../../../scheduler/shard-table.ts';
import { aLogCursor, NOW_MS } from '../../support/builders.ts';
import { storeWith } from '../../support/faulty-ports.ts';
import { aHost } from '../../support/hosts.ts';

describe('ConnectorCatalog', () => {
  test('leaves a shard as an outcome showed it that came while the cursors were listed', async () => {
    const host = aHost();
    const table = new ShardTable(() => undefined);
    const { uid } = await createConnector(host, {
      name: 'orders',
      config: { 'connector.class': 'discard-sink', topics: 'orders' },
    });
    const shard = queueShardId(uid, { topic: 'orders', brokerName: 'memory', queueId: 0 });
    const before = aLogCursor({ next: 10, epoch: 1 });
    const after: LogCursor = { ...before, status: { state: 'failed', code: 'task.failed', retryAtMs: null, restarts: 1 } };
    await host.store.put(cursorKey(shard), encodeCursor(before), { ifAbsent: true });
    // 1. the list is read, 2. an invocation fails the shard and its outcome is heard, 3. the list is answered
    const store = storeWith(host.store, {
      list: async (...page) => {
        const listed = await host.store.list(...page);
        table.observe(table.ensure(shard), { value: encodeCursor(after), version: 'newer' }, NOW_MS);
        return listed;
      },
    });
    const catalog = new ConnectorCatalog(
      { ...host, store, skewMaxMs: 5_000, sweepMs: 60_000, configured: () => undefined, forgotten: () => undefined },
      table,
    );

    await catalog.read('orders');

    expect(table.get(shard)?.cursor).toEqual(after);
  });
});
